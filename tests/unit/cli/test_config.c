#include "config_test.h"

static void defaults_need_no_file(void **state)
{
    (void)state;
    struct loaded l;

    load(&l, NULL, NULL);
    assert_int_equal(l.code, 0);
    assert_null(l.c.file);
    assert_string_equal(l.c.rules_dir, "rules");
    assert_string_equal(l.c.data_dir, "data");
    assert_string_equal(l.c.listen[0], "127.0.0.1:8080");
    assert_int_equal(l.c.limits.body_bytes, 8 * 1024 * 1024);
    assert_int_equal(l.c.limits.events, 10000);
    assert_int_equal(l.c.limits.depth, 64);
    assert_int_equal(l.c.limits.owed, 5000000);
    assert_int_equal(l.c.limits.free_disk_bytes, 1024 * 1024 * 1024);
    assert_int_equal(l.c.limits.connections, 512);
    assert_int_equal(l.c.allow_count, 0);
    assert_int_equal(config_target(&l.c, STR("https://a:443"))->in_flight,
                     CONFIG_IN_FLIGHT_DEFAULT);
    assert_null(config_var(&l.c, STR("HOST")).data);
    assert_null(l.c.redirect_all);
    assert_false(l.c.log_format_is_set);
    assert_int_equal(l.c.message_count, 0);
    config_fini(&l.c);
}

static void a_file_sets_everything(void **state)
{
    (void)state;
    struct loaded l;
    char messages[8192];

    write_file(
        "hookline.conf.lua",
        "return {\n"
        "  listen = '[::1]:9000', data = '/var/lib/hookline', rules = 'workflows',\n"
        "  vars = { INVOICE_HOST = 'https://i.example.com', LIMIT = 12, RATE = 12.5,\n"
        "           IS_LIVE = false, EMPTY = '' },\n"
        "  network = { allow = { '10.0.0.0/8', '::1' } },\n"
        "  targets = { ['https://Slow.Example.com'] = { in_flight = 2, ca = 'ca.pem',\n"
        "                cert = '/etc/c.pem', key = 'c.key', proxy = 'http://p.example:3128' },\n"
        "              ['https://b.example'] = { proxy = require('hookline').secret 'PROXY' },\n"
        "              ['http://127.0.0.1:81/'] = { in_flight = 3 } },\n"
        "  limits = { body = '2MiB', events = 500, depth = 32, owed = 2e6, free_disk = '5 GiB',\n"
        "             step_budget = 100000, memory = 64 * 1024 * 1024, output = '1MiB',\n"
        "             connections = 64 },\n"
        "  log = { level = 'warn', format = 'json' },\n"
        "}\n");
    load(&l, NULL, NULL);
    read_messages(&l, messages);
    assert_string_equal(messages, "");
    assert_int_equal(l.code, 0);
    assert_string_equal(l.c.file, "hookline.conf.lua");
    assert_string_equal(l.c.listen[0], "[::1]:9000");
    assert_string_equal(l.c.data_dir, "/var/lib/hookline");
    assert_string_equal(l.c.rules_dir, "workflows");
    assert_str(config_var(&l.c, STR("INVOICE_HOST")), STR("https://i.example.com"));
    assert_str(config_var(&l.c, STR("LIMIT")), STR("12"));
    assert_str(config_var(&l.c, STR("RATE")), STR("12.5"));
    assert_str(config_var(&l.c, STR("IS_LIVE")), STR("false"));
    assert_non_null(config_var(&l.c, STR("EMPTY")).data);
    assert_int_equal(l.c.allow_count, 2);
    assert_int_equal(config_target(&l.c, STR("https://slow.example.com:443"))->in_flight, 2);
    const struct config_target *slow = config_target(&l.c, STR("https://slow.example.com:443"));
    assert_string_equal(slow->ca, "ca.pem");
    assert_string_equal(slow->cert, "/etc/c.pem");
    assert_string_equal(slow->key, "c.key");
    assert_str(slow->proxy, STR("http://p.example:3128"));
    assert_false(slow->proxy_is_secret);
    const struct config_target *b = config_target(&l.c, STR("https://b.example:443"));
    assert_str(b->proxy, STR("PROXY"));
    assert_true(b->proxy_is_secret);
    assert_int_equal(config_target(&l.c, STR("http://127.0.0.1:81"))->in_flight, 3);
    assert_int_equal(l.c.limits.body_bytes, 2 * 1024 * 1024);
    assert_int_equal(l.c.limits.events, 500);
    assert_int_equal(l.c.limits.depth, 32);
    assert_int_equal(l.c.limits.owed, 2000000);
    assert_true(l.c.limits.free_disk_bytes == INT64_C(5) << 30);
    assert_int_equal(l.c.limits.step_budget, 100000);
    assert_int_equal(l.c.limits.memory_bytes, 64 * 1024 * 1024);
    assert_int_equal(l.c.limits.output_bytes, 1024 * 1024);
    assert_int_equal(l.c.limits.connections, 64);
    assert_int_equal(l.c.log_level, LOG_WARN);
    assert_true(l.c.log_format_is_set);
    assert_int_equal(l.c.log_format, LOG_JSON);
    config_fini(&l.c);
}

static void flags_win_over_environment_over_file(void **state)
{
    (void)state;
    static const char *const environment[] = {"HOOKLINE_DATA=from-env",
                                              "HOOKLINE_RULES=from-env",
                                              "HOOKLINE_LISTEN=",
                                              "HOOKLINE_LIMITS_EVENTS=7",
                                              "HOOKLINE_LIMITS_BODY=1MiB",
                                              "HOOKLINE_ALLOW_TARGET=10.0.0.0/8, 192.168.0.0/16",
                                              "HOOKLINE_VAR_HOST=env",
                                              "HOOKLINE_VAR_ONLY_ENV=env",
                                              "HOOKLINE_SECRET_KEY=nothing to us",
                                              "HOOKLINE_LOG_LEVEL=debug",
                                              NULL};
    static const char *const allow[] = {"127.0.0.0/8"};
    const struct config_flags flags = {.rules_dir = "from-flag",
                                       .redirect_all = "http://127.0.0.1:9/x",
                                       .test_clock = "/tmp/clock",
                                       .crash_at = "somewhere",
                                       .allow = allow,
                                       .allow_count = 1};
    struct loaded l;

    write_file("hookline.conf.lua",
               "return { data = 'from-file', rules = 'from-file', listen = ':1',\n"
               "  vars = { HOST = 'file' }, network = { allow = { '172.16.0.0/12' } },\n"
               "  limits = { events = 9, connections = 3 } }\n");
    load(&l, &flags, environment);
    assert_int_equal(l.code, 0);
    assert_int_equal(l.c.message_count, 0);
    assert_string_equal(l.c.rules_dir, "from-flag");
    assert_string_equal(l.c.data_dir, "from-env");
    assert_string_equal(l.c.listen[0], ":1"); // an empty variable is none
    assert_int_equal(l.c.limits.events, 7);
    assert_int_equal(l.c.limits.connections, 3);
    assert_int_equal(l.c.limits.body_bytes, 1024 * 1024);
    assert_int_equal(l.c.allow_count, 4); // blocks add up
    assert_str(config_var(&l.c, STR("HOST")), STR("file"));
    assert_str(config_var(&l.c, STR("ONLY_ENV")), STR("env"));
    assert_string_equal(l.c.redirect_all, "http://127.0.0.1:9/x");
    assert_string_equal(l.c.test_clock, "/tmp/clock");
    assert_string_equal(l.c.crash_at, "somewhere");
    assert_int_equal(l.c.log_level, LOG_DEBUG);
    config_fini(&l.c);
}

static void paths_count_from_the_files_folder(void **state)
{
    (void)state;
    const struct config_flags flags = {.config_file = "etc/h.lua"};
    static const char *const environment[] = {"HOOKLINE_CONFIG=etc/h.lua", NULL};
    struct loaded l;

    assert_int_equal(mkdir("etc", 0777), 0);
    write_file("etc/h.lua", "return { rules = 'workflows', data = '/srv/data' }");
    load(&l, &flags, NULL);
    assert_int_equal(l.code, 0);
    assert_string_equal(l.c.rules_dir, "etc/workflows");
    assert_string_equal(l.c.data_dir, "/srv/data");
    config_fini(&l.c);
    load(&l, NULL, environment);
    assert_int_equal(l.code, 0);
    assert_string_equal(l.c.rules_dir, "etc/workflows");
    config_fini(&l.c);
}

static void a_named_file_must_be_there(void **state)
{
    (void)state;
    const struct config_flags flags = {.config_file = "missing.lua"};
    struct loaded l;

    load(&l, &flags, NULL);
    assert_int_equal(l.code, ERR_INVALID);
    assert_contains(l.e.text, "missing.lua");
    config_fini(&l.c);
}

static void wrong_files_are_refused_with_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        {"return { lisen = ':1' }",
         "hookline.conf.lua:1: lisen: there is no such key; did you mean listen?"},
        {"return { limits = { bodie = 1 } }",
         "limits.bodie: there is no such key; did you mean body?"},
        {"return { targets = { ['https://a.example'] = { in_fligth = 1 } } }",
         "targets[\"https://a.example\"].in_fligth: there is no such key; did you mean in_flight?"},
        {"return { colour = 'red' }", "colour: there is no such key (`hookline config`"},
        {"return { body = '8MiB' }", "body: there is no such key; did you mean limits.body?"},
        {"return { HOOKLINE_DATA = 'x' }",
         "HOOKLINE_DATA: there is no such key; did you mean data?"},
        {"return { ['lim its'] = {} }", "hookline.conf.lua:1: [\"lim its\"]: there is no such key"},
        {"return { 'a' }", "hookline.conf.lua: wants a table of keys, not a list"},
        {"return { log = 'debug' }", "log: wants a table of keys, not a text"},
        {"return { data = hook.secret 'A' }", "data: wants a text, not a secret"},
        {"return { data = { a = 1 } }", "data: wants a text, not a table"},
        {"return { socket_mode = 0660 }", "socket_mode: wants a text of octal digits"},
        {"return { retention = { payloads = 30 } }",
         "retention.payloads: wants a duration, such as \"30d\", not 30"},
        {"return { log = { level = true } }", "log.level: wants \"debug\", \"info\""},
        {"return { limits = { body = 1 } }", "whole number of bytes from 1KiB to 256MiB"},
        {"return { limits = { body = 0/0 } }", "hookline.conf.lua: limits.body: JSON has no"},
        {"return { mail = { password = 'hush' } }", "that the password itself is in no file"},
        {"return { mail = { server = 'smtp://h:25' } }", "hookline.conf.lua: mail: wants server"},
        {"return { limits = 3 }", "limits: wants a table of keys"},
        {"return { limits = { 3, { 4 } }, lisen = 1 }", "limits: wants a table of keys"},
        {"return { limits = { 3, { 4 } }, lisen = 1 }", "lisen: there is no such key"},
        {"return { limits = { events = 'many' } }",
         "limits.events: wants a whole number, not 'many'"},
        {"return { limits = { events = 1.5 } }", "limits.events: wants a whole number"},
        {"return { limits = { events = 0 } }", "limits.events: wants a whole number from 1"},
        {"return { limits = { body = '8MB' } }", "limits.body: wants a whole number of bytes"},
        {"return { limits = { body = '9999999999TiB' } }", "limits.body: wants"},
        {"return { limits = { body = true } }", "limits.body: wants a number of bytes"},
        {"return { listen = 8080 }", "listen: wants a text"},
        {"return { listen = 'localhost:1' }", "listen: 'localhost' is no IP address"},
        {"return { data = '' }", "data: is empty"},
        {"return { data = 'a\\0b' }", "data: a path has no NUL"},
        {"return { data = 'postgres://me:hush@db/x' }", "data: wants a path, not a URL"},
        {"return { tls = { key = '-----BEGIN PRIVATE KEY-----\\nhush' } }",
         "tls.key: wants a path"},
        {"return { vars = { ['a-b'] = '1' } }", "vars[\"a-b\"]: a name has letters"},
        {"return { vars = { A = { 1 } } }", "vars.A: wants a text, a number or a boolean"},
        {"return { network = { allow = '10.0.0.0/8' } }", "network.allow: wants a list of texts"},
        {"return { network = { allow = { 10 } } }", "network.allow: wants a list of texts"},
        {"return { network = { allow = { '10.0.0.0/99' } } }", "network.allow: "},
        {"return { network = { allow = { a = 1 } } }", "network.allow: wants a list of texts"},
        {"return { targets = { ['a.example'] = { in_flight = 1 } } }", "targets[\"a.example\"]"},
        {"return { targets = { ['https://a.example/x'] = { in_flight = 1 } } }", "without a path"},
        {"return { targets = { ['https://a.example'] = { in_flight = 0 } } }", "from 1 to 1024"},
        {"return { targets = { ['https://a.example'] = { rate = 'often' } } }", "20/s"},
        {"return { targets = { ['https://a.example'] = { proxy = 'x' } } }",
         "targets[\"https://a.example\"].proxy: a proxy is http://HOST:PORT"},
        {"return { targets = { ['https://a.example'] = { proxy = 'socks5://p:1' } } }",
         "a proxy is http://HOST:PORT"},
        {"return { targets = { ['https://a.example'] = { proxy = 'http://p:1/x' } } }",
         "without a path"},
        {"return { targets = { ['https://a.example'] = { proxy = 'http://u:pw@p:1' } } }",
         "do not belong into this file"},
        {"return { targets = { ['https://a.example'] = { proxy = { 'http://p:1' } } } }",
         "proxy: wants a text such as"},
        {"return { targets = { ['https://a.example'] = { proxy = { ['$secret'] = 'a-b' } } } }",
         "a secret's name is capital letters"},
        {"return { targets = { ['https://a.example'] = { cert = 'c' } } }",
         "hookline.conf.lua: targets[\"https://a.example:443\"].cert: is given without key"},
        {"return { targets = { ['https://a.example'] = { key = 'k' } } }",
         "targets[\"https://a.example:443\"].key: is given without cert"},
        {"return { targets = { ['http://a.example'] = { ca = 'c' } } }", "are for https://"},
        {"return { targets = { ['https://a.example'] = { ca = 3 } } }", "ca: wants a text"},
        {"return { tls = { cert = 'c' } }",
         "hookline.conf.lua: tls.cert: is given without tls.key"},
        {"return { tls = { key = 'k' } }", "hookline.conf.lua: tls.key: is given without tls.cert"},
        {"return { listen = { '127.0.0.1:0', 'https://:443' } }",
         "listen: https://:443 wants a certificate"},
        {"return { listen = { 'unix:' } }", "a path is missing after unix:"},
        {"return { socket_mode = '0x1' }", "socket_mode: wants the rights"},
        {"return { log = { level = 'loud' } }", "log.level: wants debug, info, warn or error"},
        {"return { log = { format = 'xml' } }", "log.format: wants text or json"},
        {"return {", "hookline.conf.lua:1:"},
        {"return 3", "hookline.conf.lua"},
        {"error 'no'", "hookline.conf.lua:1:"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct loaded l;
        char messages[8192];

        write_file("hookline.conf.lua", cases[i].text);
        load(&l, NULL, NULL);
        read_messages(&l, messages);
        if (l.code != ERR_INVALID)
            fail_case(i, "%s is taken", cases[i].text);
        if (!strstr(messages, cases[i].words))
            fail_case(i, "%s: \"%s\" is not in \"%s\"", cases[i].text, cases[i].words, messages);
        assert_null(strstr(messages, "hush"));
        config_fini(&l.c);
    }
}

static void the_line_is_told_where_one_place_gives_the_key(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *name;
        size_t line;
    } cases[] = {
        {"return {\n  body = 1,\n}", "body", 2},
        {"return {\n  ['a b'] = 1 }", "a b", 2},
        {"return {\n\n  [\"body\"]=1 }", "body", 3},
        {"local c = {}\nc.limits.body = 8\nreturn c", "body", 2},
        {"-- body = 1\nreturn { body = 2 } -- body = 3", "body", 2},
        {"return { nobody = 1, body_s = 2, body == 3 }", "body", 0},
        {"return { a = { key = 1 },\n b = { key = 2 } }", "key", 0},
        {"return { a = { key = 1 }, b = { key = 2 } }", "key", 0},
        {"return { body", "body", 0},
        {"return { ['https://a--b'] = 1 }", "https://a--b", 1},
        {"return { a = \"it's \\\" --\", body = 1 } -- body = 2", "body", 1},
        {"return {}", "", 0},
        {"", "body", 0},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t line = config_line_of(str_from(cases[i].text), str_from(cases[i].name));

        if (line != cases[i].line)
            fail_case(i, "%s: line %zu", cases[i].text, line);
    }
}

static void every_fault_is_told_not_the_first_alone(void **state)
{
    (void)state;
    struct loaded l;

    write_file("hookline.conf.lua",
               "return { listen = 1, limits = { body = 'x', evnts = 3 }, log = { level = 'x' } }");
    load(&l, NULL, NULL);
    assert_int_equal(l.code, ERR_INVALID);
    assert_int_equal(l.c.message_count, 4);
    config_fini(&l.c);
}

static void an_empty_table_is_no_fault(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "return {}",
        "return { limits = {}, vars = {}, network = {}, targets = {}, log = {} }",
        "return { network = { allow = {} }, targets = { ['https://a.example'] = {} } }",
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct loaded l;

        write_file("hookline.conf.lua", texts[i]);
        load(&l, NULL, NULL);
        if (l.code != 0)
            fail_case(i, "%s: %s", texts[i], l.e.text);
        config_fini(&l.c);
    }
}

static void mail_is_read(void **state)
{
    (void)state;
    struct loaded l;

    write_file("hookline.conf.lua",
               "local hook = require 'hookline'\n"
               "return { mail = { server = 'smtps://[::1]:465', from = 'Höok <a@b.example>',\n"
               "  admins = { 'c@d.example', 'ö@ü.example' }, user = 'me',\n"
               "  password = hook.secret 'MAIL' } }");
    load(&l, NULL, NULL);
    assert_int_equal(l.code, 0);
    assert_int_equal(l.c.message_count, 0);
    assert_string_equal(l.c.mail.server, "smtps://[::1]:465");
    assert_string_equal(l.c.mail.from, "Höok <a@b.example>");
    assert_int_equal(l.c.mail.tls, SMTP_TLS_REQUIRED);
    assert_int_equal(l.c.mail.admin_count, 2);
    assert_true(str_eq(l.c.mail.admins[1], STR("ö@ü.example")));
    assert_string_equal(l.c.mail.user, "me");
    assert_true(str_eq(l.c.mail.password, STR("MAIL")));
    config_fini(&l.c);
}

static void mail_that_would_not_go_is_refused(void **state)
{
    (void)state;
    static const char who[] = "from = 'a@b.example', admins = { 'c@d.example' }";
    static const struct {
        const char *keys;
        const char *fault;
    } cases[] = {
        {"server = 'http://mx:25', %s", "mail.server: wants \"smtp://HOST:PORT\""},
        {"server = 'smtp://me:pw@mx:25', %s", "user and password have keys of their own"},
        {"server = 'smtp://mx:0', %s", "mail.server: wants"},
        {"server = 'smtp://mx/x', %s", "mail.server: wants"},
        {"server = 'smtp://mx'", "mail: wants server, from and admins"},
        {"%s", "mail: wants server, from and admins"},
        {"server = 'smtp://mx', admins = { 'a@b' }, from = 'a'", "mail.from: 'a' is no mail"},
        {"server = 'smtp://mx', admins = { 'a@b, c@d' }, from = 'a@b'", "mail.admins: 'a@b, c@d'"},
        {"server = 'smtp://mx', admins = 'a@b', from = 'a@b'", "wants a list of mail addresses"},
        {"server = 'smtp://mx', tls = 'yes', %s", "mail.tls: wants required, opportunistic or"},
        {"server = 'smtps://mx', tls = 'none', %s", "has TLS from the first byte"},
        {"server = 'smtp://mx', user = 'me', %s", "user and password go together"},
        {"server = 'smtp://mx', user = 'me', password = 'pw', %s", "wants hook.secret"},
        {"server = 'smtp://mx', user = 'me', password = { a = { 1 } }, %s", "wants hook.secret"},
        {"server = 'smtp://mx', sever = 1, %s", "did you mean server?"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct loaded l;
        char messages[8192], keys[512], text[600];
        const char *place = strstr(cases[i].keys, "%s");

        snprintf(keys, sizeof(keys), "%.*s%s",
                 place ? (int)(place - cases[i].keys) : (int)strlen(cases[i].keys), cases[i].keys,
                 place ? who : "");
        snprintf(text, sizeof(text), "return { mail = { %s } }", keys);
        write_file("hookline.conf.lua", text);
        load(&l, NULL, NULL);
        read_messages(&l, messages);
        if (l.code != ERR_INVALID || !strstr(messages, cases[i].fault))
            fail_case(i, "%s: %s", keys, messages);
        assert_null(strstr(messages, "pw"));
        config_fini(&l.c);
    }
}

static void slips_in_the_environment_are_warned_of(void **state)
{
    (void)state;
    static const char *const environment[] = {"HOOKLINE_LISEN=:1",
                                              "HOOKLINE_PORT=tcp://10.0.0.1:80",
                                              "HOOKLINE_SERVICE_HOST=10.0.0.1",
                                              "HOOKLINE_URL=http://x",
                                              "HOME=/",
                                              NULL};
    static const char *const wrong[] = {"HOOKLINE_LIMITS_EVENTS=lots", NULL};
    struct loaded l;
    char messages[8192];

    load(&l, NULL, environment);
    read_messages(&l, messages);
    assert_int_equal(l.code, 0);
    assert_string_equal(messages,
                        "warning: HOOKLINE_LISEN: there is no such environment variable; did "
                        "you mean HOOKLINE_LISTEN?\n");
    config_fini(&l.c);
    load(&l, NULL, wrong);
    assert_int_equal(l.code, ERR_INVALID);
    assert_contains(l.e.text, "HOOKLINE_LIMITS_EVENTS: wants a whole number");
    config_fini(&l.c);
}

static void redirect_allows_its_own_address(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool is_known;
        const char *address;
    } cases[] = {
        {"http://127.0.0.1:9/x", true, "127.0.0.1"},
        {"http://[::1]:9/", true, "::1"},
        {"http://localhost:9/", true, "127.0.0.1"},
        {"https://hooks.example.com/", false, "127.0.0.1"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct config_flags flags = {.redirect_all = cases[i].url};
        struct loaded l;
        struct netblock block;
        struct netaddr address;

        load(&l, &flags, NULL);
        assert_int_equal(l.code, 0);
        assert_int_equal(config_redirect_block(&l.c, &block), cases[i].is_known);
        assert_int_equal(netaddr_parse(str_from(cases[i].address), &address), 0);
        assert_int_equal(netblock_holds(&block, &address), cases[i].is_known);
        config_fini(&l.c);
    }
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, setup_folder, teardown_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(defaults_need_no_file),
        in_folder(a_file_sets_everything),
        in_folder(flags_win_over_environment_over_file),
        in_folder(paths_count_from_the_files_folder),
        in_folder(a_named_file_must_be_there),
        in_folder(wrong_files_are_refused_with_the_place),
        in_folder(the_line_is_told_where_one_place_gives_the_key),
        in_folder(every_fault_is_told_not_the_first_alone),
        in_folder(an_empty_table_is_no_fault),
        in_folder(mail_is_read),
        in_folder(mail_that_would_not_go_is_refused),
        in_folder(slips_in_the_environment_are_warned_of),
        in_folder(redirect_allows_its_own_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
