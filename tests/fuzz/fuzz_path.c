// Paths into a record ("products[*].sku"): what is taken has parts that are written back as the
// same path, and reads any record without an error.
#include "lua_target.h"

#include "script/value.h"

static const char RECORD[] =
    "{\"a\":{\"b\":[{\"c\":1},{\"c\":[1,2]},3]},\"b\":null,\"c\":[[1],[]]}";

static const char CHECK[] =
    "local paths, record, text = ...\n"
    "local path, message = paths.parse(text)\n"
    "if not path then\n"
    "  assert(type(message) == 'string' and #message > 0)\n"
    "  return\n"
    "end\n"
    "local shown = {}\n"
    "for i, part in ipairs(path.parts) do\n"
    "  shown[i] = part == paths.EACH and '[*]' or (i > 1 and '.' or '') .. part\n"
    "end\n"
    "assert(table.concat(shown) == text and path.text == text)\n"
    "if path.has_each then\n"
    "  assert(type(paths.collector(path)(record)) == 'table')\n"
    "else\n"
    "  paths.reader(path)(record)\n"
    "end\n";

static int check(lua_State *L)
{
    struct err e = {0};
    if (lua_getfield(L, LUA_REGISTRYINDEX, CHECK) != LUA_TFUNCTION) { // the first time
        lua_pop(L, 1);
        if (luaL_loadbufferx(L, CHECK, sizeof CHECK - 1, "=check", "t") != LUA_OK) {
            return lua_error(L);
        }
        lua_pushvalue(L, -1);
        lua_setfield(L, LUA_REGISTRYINDEX, CHECK);
    }
    library_require(L, "hookline.paths");
    if (value_decode(L, str_from(RECORD), &e)) {
        return luaL_error(L, "%s", e.text);
    }
    lua_pushvalue(L, 1);
    lua_call(L, 3, 0);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lua_target_run(fuzz_text(data, size), check);
    return 0;
}
