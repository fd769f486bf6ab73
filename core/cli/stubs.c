// Annotations for editors: hookline stubs.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "cli/command.h"
#include "cli/fault.h"
#include "engine/folder.h"

enum { STUBS_MAX_BYTES = 64 * 1024 * 1024 };

#define STUBS_FOLDER ".hookline"

// What makes an editor with lua-language-server look into the folder.
static const char settings[] = "{\n"
                               "  \"runtime.version\": \"Lua 5.4\",\n"
                               "  \"workspace.library\": [\"" STUBS_FOLDER "\"],\n"
                               "  \"workspace.checkThirdParty\": false\n"
                               "}\n";

struct stubs {
    const struct invocation *in;
    struct config config;
    struct folder *folder;
    struct rules *rules;
    const char *dir; // the project's
    struct buf text;
};

// The rules with the folder's texts, and no workflow.
static int open_rules(struct stubs *s, struct err *e)
{
    struct rules_config config = config_rules(&s->config);
    int code = folder_read(&s->folder, s->config.rules_dir, NULL, e);

    if (code == 0)
        code = rules_new(&s->rules, &config, e);
    if (code == 0 && folder_add_texts(s->folder, s->rules) != 0)
        code = err_set(e, ERR_NOMEM, "out of memory");
    if (code == 0)
        rules_check_modules(s->rules);
    return code;
}

static int write_file(struct stubs *s, const char *name, struct str text, struct err *e)
{
    char path[2 * FILE_PATH_MAX];
    int code;

    snprintf(path, sizeof(path), "%s/%s", s->dir, name);
    code = file_write(path, text, 0666, e);
    if (code == 0)
        fprintf(s->in->out, "%s\n", path);
    return code;
}

static int write_stubs(struct stubs *s, const char *name, enum rules_stubs which, struct err *e)
{
    int code;

    buf_reset(&s->text);
    code = rules_write_stubs(s->rules, which, &s->text, e);
    return code ? code : write_file(s, name, buf_str(&s->text), e);
}

// An editor's settings are the user's own: they are made where there are none, never changed.
static int write_settings(struct stubs *s, struct err *e)
{
    char path[2 * FILE_PATH_MAX];
    char *text;
    size_t len;
    struct err why = {0};
    int code;

    snprintf(path, sizeof(path), "%s/.luarc.json", s->dir);
    code = file_read(path, STUBS_MAX_BYTES, &text, &len, &why);
    if (code == ERR_NOT_FOUND)
        return write_file(s, ".luarc.json", str_from(settings), e);
    if (code == 0 && !strstr(text, STUBS_FOLDER))
        fprintf(s->in->messages,
                "%s is left as it is; for completion it needs:\n"
                "  \"workspace.library\": [\"" STUBS_FOLDER "\"]\n",
                path);
    if (code == 0)
        free(text);
    return 0;
}

static int write_all(struct stubs *s, struct err *e)
{
    char folder[2 * FILE_PATH_MAX];
    int code;

    snprintf(folder, sizeof(folder), "%s/" STUBS_FOLDER, s->dir);
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return err_set(e, ERR_IO, "%s: %s", folder, strerror(errno));
    code = write_stubs(s, STUBS_FOLDER "/hookline.lua", RULES_STUBS_LIBRARY, e);
    if (code == 0)
        code = write_stubs(s, STUBS_FOLDER "/types.lua", RULES_STUBS_CATALOGUES, e);
    return code ? code : write_settings(s, e);
}

// The catalogues' own mistakes; `check` tells the others.
static int print_faults(const struct stubs *s)
{
    char types[2 * FILE_PATH_MAX];
    int status = CLI_DONE;

    snprintf(types, sizeof(types), "%s/types/", s->config.rules_dir);
    for (size_t i = 0; i < rules_fault_count(s->rules); i++) {
        const struct rules_fault *f = rules_fault(s->rules, i);

        if (!str_starts_with(str_from(f->file), str_from(types)))
            continue;
        fault_print(s->in->messages, f);
        if (!f->is_warning)
            status = CLI_FAILED;
    }
    return status;
}

static int run(const struct invocation *in)
{
    struct stubs s = {.in = in};
    struct err e = {0};
    int status = cli_load_config(in, &s.config);

    buf_init(&s.text, STUBS_MAX_BYTES);
    s.dir = in->options.argument_count ? in->options.arguments[0] : ".";
    if (status == 0 && strlen(s.dir) >= FILE_PATH_MAX)
        status = cli_fail(in, "%s: the path is too long", s.dir);
    if (status == 0 && (open_rules(&s, &e) != 0 || write_all(&s, &e) != 0))
        status = cli_fail(in, "%s", e.text);
    if (status == 0)
        status = print_faults(&s);
    buf_fini(&s.text);
    rules_free(s.rules);
    folder_unref(s.folder);
    config_fini(&s.config);
    return status;
}

const struct command command_stubs = {
    .name = "stubs",
    .arguments = "[DIR]",
    .summary = "Write what makes an editor complete workflow files",
    .details =
        "DIR is the folder that the editor opens, the current one unless it is given. Writes\n"
        "DIR/.hookline/hookline.lua (the functions of require \"hookline\") and "
        "DIR/.hookline/types.lua\n"
        "(the fields of each record type that has a catalogue, rules/types/deal.lua), as LuaCATS\n"
        "annotations, and DIR/.luarc.json where there is none, so that an editor with\n"
        "lua-language-server finds them. Again after a catalogue has changed.\n",
    .options = NULL,
    .common = COMMON_LOAD,
    .least_arguments = 0,
    .most_arguments = 1,
    .run = run,
};
