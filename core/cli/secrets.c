#include "deliver/secrets.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/command.h"
#include "cli/prompt.h"

enum { PATH_LEN_MAX = 4096 };

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int make_folder(const struct invocation *in, const char *path)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return cli_fail(in, "%s: %s", path, strerror(errno));
    return CLI_DONE;
}

static int read_all(int fd, struct buf *out, struct err *e)
{
    for (;;) {
        char *at = buf_reserve(out, 1024);
        ssize_t got;

        if (!at)
            return err_set(e, ERR_TOO_LARGE, "a secret has %d bytes at most", SECRET_MAX_BYTES);
        got = read(fd, at, 1024);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(e, ERR_IO, "reading stdin: %s", strerror(errno));
        if (got == 0)
            return 0;
        out->len += (size_t)got;
    }
}

static int read_value(const char *name, struct buf *value, struct err *e)
{
    char question[128];
    int code;

    if (!isatty(STDIN_FILENO)) {
        code = read_all(STDIN_FILENO, value, e);
        if (code)
            return code;
        if (value->len && value->data[value->len - 1] == '\n')
            value->len--;
    } else {
        snprintf(question, sizeof(question), "%s (what you type is not shown): ", name);
        code = prompt_hidden(STDIN_FILENO, question, value, e);
        if (code)
            return code;
    }
    if (value->len == 0)
        return err_set(e, ERR_INVALID, "the secret is empty: nothing is stored");
    if (value->len > SECRET_MAX_BYTES)
        return err_set(e, ERR_TOO_LARGE, "a secret has %d bytes at most", SECRET_MAX_BYTES);
    for (size_t i = 0; i < value->len; i++) {
        unsigned char ch = (unsigned char)value->data[i];

        if (ch < 0x20 || ch == 0x7F)
            return err_set(
                e, ERR_INVALID,
                "the secret has a control character (byte %zu is 0x%02X): it could not stand "
                "in a header; nothing is stored",
                i + 1, ch);
    }
    return 0;
}

static int store(const struct invocation *in, const char *folder, const char *name,
                 struct str value)
{
    struct err e = {0};
    char path[PATH_LEN_MAX + 80];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return file_write(path, value, 0600, &e) ? cli_fail(in, "%s", e.text) : CLI_DONE;
}

static int set(const struct invocation *in, const struct config *c, const char *folder,
               const char *name)
{
    struct buf value;
    struct err e = {0};
    int status;

    buf_init(&value, SECRET_MAX_BYTES + 1024);
    // One allocation of the whole maximum: a buffer that grew would leave copies of the secret
    // behind.
    if (!buf_reserve(&value, SECRET_MAX_BYTES + 1024))
        status = cli_fail(in, "out of memory");
    else if (read_value(name, &value, &e) != 0)
        status = cli_fail(in, "%s", e.text);
    else if ((status = make_folder(in, c->data_dir)) == CLI_DONE &&
             (status = make_folder(in, folder)) == CLI_DONE)
        status = store(in, folder, name, buf_str(&value));
    if (value.data)
        explicit_bzero(value.data, value.cap);
    buf_fini(&value);
    if (status == CLI_DONE)
        fprintf(in->messages,
                "The secret %s is stored in %s. A running host takes it after: hookline reload\n",
                name, folder);
    return status;
}

static int list(const struct invocation *in, const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    char **names = NULL;
    size_t count = 0;
    int status = CLI_DONE;

    if (!dir && errno != ENOENT)
        return cli_fail(in, "%s: %s", folder, strerror(errno));
    while (dir && (entry = readdir(dir)) && status == CLI_DONE) {
        char **more;

        if (!secrets_is_name(str_from(entry->d_name)))
            continue;
        more = realloc(names, (count + 1) * sizeof(*names));
        if (more)
            names = more;
        if (!more || !(names[count] = strdup(entry->d_name)))
            status = cli_fail(in, "out of memory");
        else
            count++;
    }
    if (dir)
        closedir(dir);
    if (count)
        qsort(names, count, sizeof(*names), compare_names);
    if (status == CLI_DONE && options_has(&in->options, "json")) {
        fprintf(in->out, "{\"secrets\":[");
        for (size_t i = 0; i < count; i++)
            fprintf(in->out, "%s\"%s\"", i ? "," : "", names[i]);
        fprintf(in->out, "]}\n");
    } else if (status == CLI_DONE) {
        for (size_t i = 0; i < count; i++)
            fprintf(in->out, "%s\n", names[i]);
        if (!count)
            fprintf(in->messages,
                    "There are no secrets in %s; set one with: hookline secrets set NAME\n",
                    folder);
    }
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
    return status;
}

static int remove_one(const struct invocation *in, const char *folder, const char *name)
{
    char path[PATH_LEN_MAX + 80];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (unlink(path) != 0) {
        if (errno == ENOENT)
            return cli_fail(in, "there is no secret %s in %s", name, folder);
        return cli_fail(in, "%s: %s", path, strerror(errno));
    }
    fprintf(in->messages,
            "The secret %s is removed. A running host drops it after: hookline reload\n", name);
    return CLI_DONE;
}

static int act(const struct invocation *in, const struct config *c)
{
    const char *verb = in->options.arguments[0];
    const char *name = in->options.argument_count > 1 ? in->options.arguments[1] : NULL;
    bool wants_name = strcmp(verb, "set") == 0 || strcmp(verb, "remove") == 0;
    char folder[PATH_LEN_MAX];

    if (snprintf(folder, sizeof(folder), "%s/secrets", c->data_dir) >= (int)sizeof(folder))
        return cli_fail(in, "%s: the path is too long", c->data_dir);
    if (!wants_name && strcmp(verb, "list") != 0)
        return cli_refuse(in, "secrets wants set, list or remove, not '%s'", verb);
    if (wants_name && !name)
        return cli_refuse(in, "a name is missing: hookline secrets %s NAME", verb);
    if (!wants_name && name)
        return cli_refuse(in, "one argument too many: %s", name);
    if (name && !secrets_is_name(str_from(name)))
        return cli_refuse(
            in,
            "'%s' cannot be a secret's name: capital letters, digits and _ are allowed, "
            "a letter first, 64 at most",
            name);
    if (options_has(&in->options, "json") && wants_name)
        return cli_refuse(in, "--json goes with secrets list");
    if (strcmp(verb, "set") == 0)
        return set(in, c, folder, name);
    if (strcmp(verb, "remove") == 0)
        return remove_one(in, folder, name);
    return list(in, folder);
}

static int run(const struct invocation *in)
{
    struct config c;
    int status = cli_load_config(in, &c);

    if (status == 0)
        status = act(in, &c);
    config_fini(&c);
    return status;
}

const struct command command_secrets = {
    .name = "secrets",
    .arguments = "set NAME | list | remove NAME",
    .summary = "Keep the secrets that workflows name by hook.secret",
    .details =
        "set reads the value from stdin, or asks for it where stdin is a terminal, and stores it "
        "in\n"
        "DATA/secrets/NAME, readable by you alone. One newline at its end is dropped. list prints\n"
        "names, never values. A secret that is not there is taken from $HOOKLINE_SECRET_NAME.\n",
    .options = NULL,
    .common = COMMON_JSON,
    .least_arguments = 1,
    .most_arguments = 2,
    .run = run,
};
