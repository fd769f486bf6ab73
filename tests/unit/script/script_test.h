// What the tests of script/ share: a library folder of their own making, so that C is tested
// without the real library. Include after cmocka.h.
#ifndef TEST_SCRIPT_H
#define TEST_SCRIPT_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "script/rules.h"
#include "temp.h"

// A library in which a workflow is what the file returns: { run = function(event) -> requests }.
// Its public table has what the tests call.
#define STUB_HOST                                                                                  \
    "local core = require 'hookline.core'\n"                                                       \
    "local host = {}\n"                                                                            \
    "function host.load(file, chunk)\n"                                                            \
    "  local d = chunk()\n"                                                                        \
    "  if type(d) ~= 'table' then\n"                                                               \
    "    return nil, { { line = 0, path = '', message = 'returns no table' } }\n"                  \
    "  end\n"                                                                                      \
    "  if d.faults then return nil, d.faults end\n"                                                \
    "  d.id = d.id or file:match '([^/]+)%.lua$'\n"                                                \
    "  d.name, d.record = d.name or d.id, d.record or 'deal'\n"                                    \
    "  d.verbs = d.verbs or { created = true, updated = true }\n"                                  \
    "  d.active = d.active ~= false\n"                                                             \
    "  if d.has_functions == nil then d.has_functions = true end\n"                                \
    "  if d.run then core.keep(d.run) end\n"                                                       \
    "  return d, d.warnings or {}\n"                                                               \
    "end\n"                                                                                        \
    "function host.check_module() return {} end\n"                                                 \
    "function host.recheck() return true end\n"                                                    \
    "function host.success() end\n"                                                                \
    "function host.retry() end\n"                                                                  \
    "function host.load_source() return nil, {} end\n"                                             \
    "function host.run_source() return '[]' end\n"                                                 \
    "function host.run(d, event) return d.run(event) end\n"                                        \
    "function host.explain(d, event) return { field = 'x', seen = event.record } end\n"            \
    "return host\n"

#define STUB_PUBLIC                                                                                \
    "local core = require 'hookline.core'\n"                                                       \
    "return core.freeze({ core = core, array = core.array, null = core.null,\n"                    \
    "  body = function(text) return { { head = 'H', body = text, target = 'T' } } end,\n"          \
    "}, 'hook')\n"

#define STUB_MODULES                                                                               \
    "return { require = function(name) error(\"cannot require '\" .. name .. \"'\", 3) end }"

struct stub_library {
    char dir[64];
};

static inline void stub_write(const struct stub_library *lib, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", lib->dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static inline void stub_library_make(struct stub_library *lib)
{
    char path[256];
    temp_template(lib->dir, sizeof lib->dir);
    assert_non_null(mkdtemp(lib->dir));
    snprintf(path, sizeof path, "%s/hookline", lib->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    stub_write(lib, "hookline/host.lua", STUB_HOST);
    stub_write(lib, "hookline/init.lua", STUB_PUBLIC);
    stub_write(lib, "hookline/modules.lua", STUB_MODULES);
}

static inline void stub_library_remove(const struct stub_library *lib)
{
    static const char *const names[] = {"hookline/host.lua", "hookline/init.lua",
                                        "hookline/modules.lua", "hookline", ""};
    char path[256];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", lib->dir, names[i]);
        assert_int_equal(remove(path), 0);
    }
}

#endif
