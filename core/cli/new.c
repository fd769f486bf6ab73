#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"

enum { NAME_LEN_MAX = 64, PATH_LEN_MAX = 4096 };

// %s: the name.
static const char workflow_text[] =
    "-- %1$s: a workflow. `hookline check` finds its mistakes, `hookline try rules/%1$s.lua` shows "
    "the\n"
    "-- request that it would send, `hookline serve` runs it.\n"
    "local hook = require \"hookline\"\n"
    "local field = hook.field\n"
    "\n"
    "return hook.workflow {\n"
    "  name = \"%1$s\",\n"
    "  description = \"Tells an app when a deal is won.\",\n"
    "\n"
    "  -- Which events: the record type, and when. hook.once fires once for each record, ever;\n"
    "  -- hook.every each time. Both take \"created\", \"updated\" and \"deleted\".\n"
    "  record = \"deal\",\n"
    "  trigger = hook.once { \"created\", \"updated\" },\n"
    "\n"
    "  -- The conditions; hook.any and hook.none nest, a Lua function works too:\n"
    "  --   function(event) return event.record.amount > 100 end\n"
    "  when = hook.all {\n"
    "    field \"deal_stage\":is_in { \"Default Pipeline:Won\" },\n"
    "  },\n"
    "\n"
    "  -- What to do then.\n"
    "  actions = {\n"
    "    hook.webhook {\n"
    "      method = \"POST\",\n"
    "      url = \"https://app.example.com/api/deals\", -- the callback URL\n"
    "      -- Put the key away with `hookline secrets set %2$s`, then:\n"
    "      -- auth = hook.bearer(hook.secret \"%2$s\"),\n"
    "      encoding = \"json\",\n"
    "      content = hook.fields { \"id\", \"name\", \"amount\", \"sales_account.name\" },\n"
    "    },\n"
    "  },\n"
    "}\n";

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

static int write_file(const struct invocation *in, const char *path, const char *name)
{
    char secret[NAME_LEN_MAX + 8];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    int status = CLI_DONE;

    if (fd < 0 && errno == EEXIST)
        return cli_fail(in, "%s is there already: it is left as it is", path);
    if (fd < 0)
        return cli_fail(in, "%s: %s", path, strerror(errno));
    write_secret_name(secret, name);
    if (dprintf(fd, workflow_text, name, secret) < 0)
        status = cli_fail(in, "%s: %s", path, strerror(errno));
    if (close(fd) != 0 && status == CLI_DONE)
        status = cli_fail(in, "%s: %s", path, strerror(errno));
    if (status != CLI_DONE)
        unlink(path);
    return status;
}

static int make(const struct invocation *in, const struct config *c)
{
    const char *name = in->options.arguments[0];
    size_t len = strlen(name);
    char path[PATH_LEN_MAX];

    if (!is_name(name) || (len >= 5 && strcmp(name + len - 5, "_test") == 0))
        return cli_refuse(
            in,
            "'%s' cannot be a workflow's name: letters, digits, _ and - are allowed, at "
            "most %d of them, no - first and no _test last",
            name, NAME_LEN_MAX);
    if (mkdir(c->rules_dir, 0777) != 0 && errno != EEXIST)
        return cli_fail(in, "%s: %s", c->rules_dir, strerror(errno));
    if (snprintf(path, sizeof(path), "%s/%s.lua", c->rules_dir, name) >= (int)sizeof(path))
        return cli_fail(in, "%s: the path is too long", c->rules_dir);
    if (write_file(in, path, name) != CLI_DONE)
        return CLI_FAILED;
    fprintf(in->out, "%s\n", path);
    fprintf(in->messages, "Made %s: edit it, then try it with: hookline try %s\n", path, path);
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

const struct command command_new = {
    .name = "new",
    .arguments = "NAME",
    .summary = "Make a commented workflow, RULES/NAME.lua",
    .details = "An existing file is never overwritten. The new file's path is printed.\n",
    .options = NULL,
    .common = 0,
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run,
};
