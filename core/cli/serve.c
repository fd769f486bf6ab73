#include "app.h"
#include "cli/command.h"

static int run(const struct invocation *in)
{
    struct config c;
    struct err e = {0};
    // A wrong configuration is wrong usage: a service manager need not try again.
    int status = cli_load_config(in, &c) ? CLI_USAGE : CLI_DONE;

    if (status == CLI_DONE && app_run(&c, &e) != 0)
        status = cli_fail(in, "%s", *e.text ? e.text : "the host ended with an error");
    config_fini(&c);
    return status;
}

const struct option serve_options[] = {
    {"listen", "ADDR:PORT", OPTION_LISTEN, true, false,
     "where to listen (127.0.0.1:8080), or unix:PATH (again for more); port 0 takes a free one"},
    {"socket-mode", "MODE", OPTION_TEXT, false, false, "the rights of a Unix socket's file (0660)"},
    {"tls-cert", "FILE", OPTION_PATH, false, false,
     "listen with TLS: the certificate, with its chain, in PEM"},
    {"tls-key", "FILE", OPTION_PATH, false, false, "the certificate's key, in PEM"},
    {"redirect-all", "URL", OPTION_URL, false, false,
     "send every callback there instead, for demos and staging"},
    {"no-watch", NULL, OPTION_SWITCH, false, false,
     "load the workflows again when told to, not when their files change"},
    {"test-clock", "PATH", OPTION_PATH, false, true, "a Unix socket that moves the host's time"},
    {"crash-at", "POINT", OPTION_TEXT, false, true, "die at a named point, as if by kill -9"},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};

const struct command command_serve = {
    .name = "serve",
    .arguments = "",
    .summary = "Run the host",
    .details =
        "Loads the workflows, takes events at POST /v1/events, stores what they cause, and sends "
        "it.\n"
        "A change of a file in the rules folder loads the workflows again. SIGHUP does, too, and "
        "reads the\n"
        "secrets and the certificates of targets and listener again. SIGTERM ends when what is "
        "under way is "
        "done. The\n"
        "first start makes DATA/admin.token, the token for the API. The log goes to stderr.\n"
        "POST /v1/records takes the same as /v1/events and loads the records without running "
        "workflows,\n"
        "for what runs at a time; there the type may be a record type alone, \"deal\".\n",
    .options = serve_options,
    .common = COMMON_LOAD,
    .least_arguments = 0,
    .most_arguments = 0,
    .run = run,
};
