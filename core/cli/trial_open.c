#include <libgen.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/fault.h"
#include "cli/trial.h"

enum { ARENA_MAX_BYTES = 512 * 1024 * 1024, DOCUMENT_MAX_BYTES = 512 * 1024 * 1024 };

// The file's faults, for people on stderr, for --json as the document.
static int print_faults(const struct invocation *in, const struct rules *rules)
{
    struct buf out;
    struct json_writer w;

    for (size_t i = 0; i < rules_fault_count(rules); i++)
        fault_print(in->messages, rules_fault(rules, i));
    if (!options_has(&in->options, "json"))
        return CLI_FAILED;
    buf_init(&out, DOCUMENT_MAX_BYTES);
    json_writer_init(&w, &out);
    json_object_begin(&w);
    json_member_bool(&w, "would_fire", false);
    json_key(&w, STR("errors"));
    json_array_begin(&w);
    for (size_t i = 0; i < rules_fault_count(rules); i++)
        if (!rules_fault(rules, i)->is_warning)
            fault_write_json(&w, rules_fault(rules, i));
    json_array_end(&w);
    json_object_end(&w);
    fprintf(in->out, STR_FMT "\n", STR_ARG(buf_str(&out)));
    buf_fini(&out);
    return CLI_FAILED;
}

// There is no such file. A workflow's id alone stands for none.
static int refuse_path(const struct trial *t, const char *path, const struct err *e)
{
    char guess[FILE_PATH_MAX];
    int len = snprintf(guess, sizeof(guess), "%s/%s.lua", t->config->rules_dir, path);

    if (e->code == ERR_NOT_FOUND && len < (int)sizeof(guess) && access(guess, F_OK) == 0)
        return cli_fail(t->in, "%s; did you mean %s?", e->text, guess);
    return cli_fail(t->in, "%s", e->text);
}

// The rules folder is the file's own.
static int load(struct trial *t, char *folder)
{
    const char *path = t->in->options.arguments[0];
    const char *slash = strrchr(path, '/');
    struct rules_config config = config_rules(t->config);
    struct err e = {0};
    char *text = NULL;
    size_t len;
    int status = CLI_DONE;

    config.rules_dir = slash == path ? "/" : slash ? folder : ".";
    if (file_read(path, FOLDER_FILE_MAX_BYTES, &text, &len, &e) != 0 ||
        rules_new(&t->rules, &config, &e) != 0) {
        status = refuse_path(t, path, &e);
        goto out;
    }
    // The folder may be anybody's: what cannot be read there is of no matter until it is missed.
    if (folder_read(&t->folder, config.rules_dir, NULL, &e) == 0 &&
        folder_add_texts(t->folder, t->rules) != 0) {
        status = cli_fail(t->in, "out of memory");
        goto out;
    }
    if (rules_load(t->rules, slash ? slash + 1 : path, (struct str){text, len}) != 0) {
        status = print_faults(t->in, t->rules);
        goto out;
    }
    for (size_t i = 0; i < rules_fault_count(t->rules); i++)
        fault_print(t->in->messages, rules_fault(t->rules, i));
    t->workflow = rules_workflow(t->rules, 0);
out:
    free(text);
    return status;
}

int trial_open(struct trial *t, const struct invocation *in, struct config *c)
{
    char *folder = strdup(in->options.arguments[0]);
    int status = cli_load_config(in, c);

    *t = (struct trial){.in = in, .config = c, .sends = options_has(&in->options, "send")};
    arena_init(&t->arena, ARENA_MAX_BYTES);
    buf_init(&t->event_json, DOCUMENT_MAX_BYTES);
    if (status == 0 && !folder)
        status = cli_fail(in, "out of memory");
    if (status == 0)
        status = load(t, dirname(folder));
    free(folder);
    return status;
}

void trial_close(struct trial *t)
{
    caller_close(&t->caller);
    oauth_free(t->oauth);
    secrets_free(t->secrets);
    rules_free(t->rules);
    folder_unref(t->folder);
    buf_fini(&t->event_json);
    arena_fini(&t->arena);
}
