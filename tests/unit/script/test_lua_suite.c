// Runs tests/lua/*_test.lua, each in a state of its own with the library reachable: `require
// "hookline"`, "hookline.core", "hookline.conditions", ... A file calls test("name", function) for
// each of its cases, and everything it registers is run and reported. Before it,
// tests/lua/support.lua is run, and what it returns is the global `support`; compile(text, name)
// compiles a rule's text in the environment of rules, read_file(path) gives a file's text, and
// add_file(path, text) puts a text into the rules folder, for `require` and core.files. A name
// on the command line narrows to the files whose name holds it; HOOKLINE_LUA names another folder
// of the library than the embedded one.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

#include "script/gate.h"
#include "script/library.h"
#include "script/sandbox.h"
#include "script/state.h"

enum { SUITE_CASES_MAX = 4096, SUITE_FILE_MAX = 1024 * 1024 };

#define SUITE_FOLDER "tests/lua"

struct suite_file {
    char path[512];
    struct state *s;
    struct files files;
    int ref_cases; // { { name, function }, ... }
};

struct suite_case {
    struct suite_file *file;
    int index;
    char name[256];
};

struct suite {
    struct suite_file *files[256];
    size_t file_count;
    struct CMUnitTest *tests;
    size_t test_count;
};

// test(name, fn), for the files. upvalue 1: the list of cases.
static int suite_lua_test(lua_State *L)
{
    luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    lua_createtable(L, 2, 0);
    lua_insert(L, 1);
    lua_rawseti(L, 1, 2);
    lua_rawseti(L, 1, 1);
    lua_rawseti(L, lua_upvalueindex(1), (lua_Integer)lua_rawlen(L, lua_upvalueindex(1)) + 1);
    return 0;
}

static void suite_push_file(lua_State *L, const char *path)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        luaL_error(L, "%s cannot be read", path);
    luaL_Buffer text;
    char *room = luaL_buffinitsize(L, &text, SUITE_FILE_MAX);
    size_t len = fread(room, 1, SUITE_FILE_MAX, in);
    fclose(in);
    luaL_pushresultsize(&text, len);
}

// read_file(path) -> text
static int suite_lua_read_file(lua_State *L)
{
    suite_push_file(L, luaL_checkstring(L, 1));
    return 1;
}

// compile(text, name) -> function | nil, message
static int suite_lua_compile(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    if (sandbox_compile(L, text, len, luaL_checkstring(L, 2)) == LUA_OK)
        return 1;
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}

// add_file(path, text): a text of the rules folder beside the rules, for the file's tests.
static int suite_lua_add_file(lua_State *L)
{
    struct suite_file *f = lua_touserdata(L, lua_upvalueindex(1));
    struct str path, text;
    path.data = luaL_checklstring(L, 1, &path.len);
    text.data = luaL_checklstring(L, 2, &text.len);
    luaL_ref(L, LUA_REGISTRYINDEX);
    luaL_ref(L, LUA_REGISTRYINDEX);
    if (files_add(&f->files, path, text))
        luaL_error(L, "not enough memory");
    return 0;
}

// Runs a file of the suite; its result is left on the stack.
static void suite_do_file(lua_State *L, const char *path)
{
    char chunk[600];
    suite_push_file(L, path);
    snprintf(chunk, sizeof chunk, "@%s", path);
    if (luaL_loadbufferx(L, lua_tostring(L, -1), lua_rawlen(L, -1), chunk, "t") != LUA_OK)
        lua_error(L);
    lua_call(L, 0, 1);
}

static int suite_run_file(lua_State *L)
{
    struct suite_file *f = lua_touserdata(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    f->ref_cases = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushcclosure(L, suite_lua_test, 1);
    lua_setglobal(L, "test");
    lua_pushcfunction(L, suite_lua_compile);
    lua_setglobal(L, "compile");
    lua_pushcfunction(L, suite_lua_read_file);
    lua_setglobal(L, "read_file");
    lua_pushlightuserdata(L, f);
    lua_pushcclosure(L, suite_lua_add_file, 1);
    lua_setglobal(L, "add_file");
    suite_do_file(L, SUITE_FOLDER "/support.lua");
    lua_setglobal(L, "support");
    suite_do_file(L, f->path);
    return 0;
}

static int suite_run_case(lua_State *L)
{
    struct suite_case *c = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->file->ref_cases);
    lua_rawgeti(L, -1, c->index);
    lua_rawgeti(L, -1, 2);
    lua_call(L, 0, 0);
    return 0;
}

static int suite_name_case(lua_State *L)
{
    struct suite_case *c = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->file->ref_cases);
    if (c->index == 0) { // how many there are
        c->index = (int)lua_rawlen(L, -1);
        return 0;
    }
    lua_rawgeti(L, -1, c->index);
    lua_rawgeti(L, -1, 1);
    const char *file = strrchr(c->file->path, '/') + 1;
    snprintf(c->name, sizeof c->name, "%.*s: %s", (int)strcspn(file, "."), file,
             lua_tostring(L, -1));
    return 0;
}

static void suite_test(void **ctx)
{
    struct suite_case *c = *ctx;
    if (gate_call(c->file->s, suite_run_case, c, NULL) != GATE_OK)
        fail_msg("%s", c->file->s->message);
}

// NULL, or the words for what the library is told; what tests want to set they set here.
static struct str suite_var(void *ctx, struct str name)
{
    (void)ctx;
    return str_eq(name, STR("INVOICE_HOST")) ? STR("invoices.example.com") : (struct str){0};
}

static void suite_print(void *ctx, struct str line)
{
    (void)ctx;
    printf(STR_FMT "\n", STR_ARG(line));
}

static void suite_add_file(struct suite *suite, const char *name)
{
    struct suite_file *f = calloc(1, sizeof *f);
    struct err e;
    struct state_config config = {
        .library_dir = getenv("HOOKLINE_LUA"), .var = suite_var, .print = suite_print};
    snprintf(f->path, sizeof f->path, SUITE_FOLDER "/%s", name);
    if (state_new(&f->s, &config, &e)) {
        fprintf(stderr, "%s: %s\n", f->path, e.text);
        exit(1);
    }
    f->files.dir = "rules";
    f->s->files = &f->files;
    if (gate_call(f->s, suite_run_file, f, NULL) != GATE_OK) {
        fprintf(stderr, "%s: %s\n", f->path, f->s->message);
        exit(1);
    }
    struct suite_case count = {.file = f};
    gate_call(f->s, suite_name_case, &count, NULL);
    if (count.index == 0) {
        fprintf(stderr, "%s: no test in it\n", f->path);
        exit(1);
    }
    for (int i = 1; i <= count.index && suite->test_count < SUITE_CASES_MAX; i++) {
        struct suite_case *c = calloc(1, sizeof *c);
        c->file = f;
        c->index = i;
        gate_call(f->s, suite_name_case, c, NULL);
        suite->tests[suite->test_count++] =
            (struct CMUnitTest){.name = c->name, .test_func = suite_test, .initial_state = c};
    }
    suite->files[suite->file_count++] = f;
}

static int suite_is_test_file(const struct dirent *d)
{
    return str_ends_with(str_from(d->d_name), STR("_test.lua"));
}

int main(int argc, char **argv)
{
    struct suite suite = {.tests = calloc(SUITE_CASES_MAX, sizeof(struct CMUnitTest))};
    struct dirent **names = NULL;
    int count = scandir(SUITE_FOLDER, &names, suite_is_test_file, alphasort);
    if (count <= 0) {
        fprintf(stderr,
                "no *_test.lua in " SUITE_FOLDER " (run this from the top of the repository)\n");
        return 1;
    }
    for (int i = 0; i < count; i++) {
        if (argc < 2 || strstr(names[i]->d_name, argv[1]))
            suite_add_file(&suite, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    int failed = _cmocka_run_group_tests("lua", suite.tests, suite.test_count, NULL, NULL);
    for (size_t i = 0; i < suite.test_count; i++)
        free(suite.tests[i].initial_state);
    for (size_t i = 0; i < suite.file_count; i++) {
        state_free(suite.files[i]->s);
        files_fini(&suite.files[i]->files);
        free(suite.files[i]);
    }
    free(suite.tests);
    return failed;
}
