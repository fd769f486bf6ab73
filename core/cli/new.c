#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/new_text.h"

enum { NAME_LEN_MAX = 64, PATH_LEN_MAX = 4096, TEXT_MAX_BYTES = 64 * 1024 };

static bool is_name(const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || len > NAME_LEN_MAX || name[0] == '-')
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == len;
}

// A secret's name out of the workflow's: "invoice-2" gives INVOICE_2_KEY.
static void write_secret_name(char out[NAME_LEN_MAX + 8], const char *name)
{
    size_t len = 0;

    if (strcspn(name, "0123456789_") == 0)
        out[len++] = 'K';
    for (; *name && len < 40; name++) {
        char ch = *name;

        if (ch >= 'a' && ch <= 'z')
            ch = (char)(ch - 'a' + 'A');
        out[len++] = ch == '-' ? '_' : ch;
    }
    strcpy(out + len, "_KEY");
}

// A record type, as hook.workflow takes it; `webhook` is the host's own.
static bool is_record_type(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len <= NAME_LEN_MAX && strcspn(text, "0123456789_-") > 0 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
               len &&
           strcmp(text, "webhook") != 0;
}

static int write_file(const struct invocation *in, const char *path, struct str text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    bool is_whole;

    if (fd < 0 && errno == EEXIST)
        return cli_fail(in, "%s is there already: it is left as it is", path);
    if (fd < 0)
        return cli_fail(in, "%s: %s", path, strerror(errno));
    is_whole = write(fd, text.data, text.len) == (ssize_t)text.len;
    if (close(fd) == 0 && is_whole)
        return CLI_DONE;
    cli_fail(in, "%s: %s", path, strerror(errno));
    unlink(path);
    return CLI_FAILED;
}

// Both files or none.
static int write_both(const struct invocation *in, const char *workflow, const char *test,
                      const struct new_text *t)
{
    struct buf text;
    int status;

    buf_init(&text, TEXT_MAX_BYTES);
    new_text_workflow(&text, t);
    status = text.failed ? cli_fail(in, "out of memory") : write_file(in, workflow, buf_str(&text));
    if (status == CLI_DONE) {
        buf_reset(&text);
        new_text_test(&text, t);
        status = text.failed ? cli_fail(in, "out of memory") : write_file(in, test, buf_str(&text));
        if (status != CLI_DONE)
            unlink(workflow);
    }
    buf_fini(&text);
    return status;
}

static int make(const struct invocation *in, const struct config *c)
{
    const char *record = options_text(&in->options, "record");
    const char *name = in->options.arguments[0];
    size_t len = strlen(name);
    char secret[NAME_LEN_MAX + 8];
    struct new_text text = {.name = name, .record = record ? record : "deal", .secret = secret};
    char path[PATH_LEN_MAX];
    char test[PATH_LEN_MAX];

    if (!is_name(name) || (len >= 5 && strcmp(name + len - 5, "_test") == 0))
        return cli_refuse(
            in,
            "'%s' cannot be a workflow's name: letters, digits, _ and - are allowed, at "
            "most %d of them, no - first and no _test last",
            name, NAME_LEN_MAX);
    if (!is_record_type(text.record))
        return cli_refuse(in, "'%s' is no record type, such as deal, lead, contact or one of yours",
                          text.record);
    write_secret_name(secret, name);
    if (mkdir(c->rules_dir, 0777) != 0 && errno != EEXIST)
        return cli_fail(in, "%s: %s", c->rules_dir, strerror(errno));
    snprintf(path, sizeof(path), "%s/%s.lua", c->rules_dir, name);
    if (snprintf(test, sizeof(test), "%s/%s_test.lua", c->rules_dir, name) >= (int)sizeof(test))
        return cli_fail(in, "%s: the path is too long", c->rules_dir);
    if (write_both(in, path, test, &text) != CLI_DONE)
        return CLI_FAILED;
    fprintf(in->out, "%s\n%s\n", path, test);
    fprintf(in->messages,
            "Made a workflow and its tests, which pass. Edit both, then:\n"
            "  hookline test %1$s\n"
            "  hookline try %1$s\n",
            path);
    return CLI_DONE;
}

static int run(const struct invocation *in)
{
    struct config c;
    int status = cli_load_config(in, &c);

    if (status == 0)
        status = make(in, &c);
    config_fini(&c);
    return status;
}

static const struct option options[] = {
    {"record", "TYPE", OPTION_TEXT, false, false,
     "the record type: deal (unless it is given), lead, contact, sales_account, task, ..."},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};

const struct command command_new = {
    .name = "new",
    .arguments = "NAME",
    .summary = "Make a commented workflow, RULES/NAME.lua, and its tests",
    .details = "The tests, RULES/NAME_test.lua, pass as they are. An existing file is never "
               "overwritten. The\n"
               "paths of both files are printed.\n",
    .options = options,
    .common = 0,
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run,
};
