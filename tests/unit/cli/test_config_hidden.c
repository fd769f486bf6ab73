// What no message of the configuration may show.
#include "config_test.h"

static void hides_it(const char *text, const char *const *environment)
{
    struct loaded l;
    char messages[8192];

    write_file("hookline.conf.lua", text);
    load(&l, NULL, environment);
    read_messages(&l, messages);
    if (strstr(messages, "hunter2"))
        fail_msg("%s, %s: %s", text, environment ? environment[0] : "", messages);
    config_fini(&l.c);
}

// What is wrong at a key that takes a number, a word of a few or an address is shown, as long as it
// is no URL with a password.
static bool is_shown(const struct config_key *k)
{
    static const enum config_kind kinds[] = {
        CONFIG_COUNT,       CONFIG_TARGET_COUNT, CONFIG_BYTES,          CONFIG_AGE,
        CONFIG_TARGET_RATE, CONFIG_MODE,         CONFIG_LOG_LEVEL,      CONFIG_LOG_FORMAT,
        CONFIG_MAIL_TLS,    CONFIG_BLOCKS,       CONFIG_LISTEN_ADDRESS, CONFIG_MAIL_FROM,
        CONFIG_MAIL_ADMIN};

    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (k->kind == kinds[i])
            return true;
    return false;
}

// Gives it as what the first `depth` names of the key's path lead to.
static void plant(const struct config_key *k, size_t depth, const char *given)
{
    bool is_target = strncmp(k->pattern, "targets", 7) == 0;
    const char *at = k->pattern;
    char text[1024];
    size_t len = (size_t)snprintf(text, sizeof(text), "return ");

    for (size_t i = 0; i < depth; i++) {
        int name_len = (int)strcspn(at, ".");
        const char *name = *at != '*' ? at : is_target ? "https://a.example" : "A";

        len += (size_t)snprintf(text + len, sizeof(text) - len,
                                "{ ['%.*s'] = ", name == at ? name_len : (int)strlen(name), name);
        at += name_len + 1;
    }
    len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", given);
    for (size_t i = 0; i < depth; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, " }");
    hides_it(text, NULL);
}

static void no_message_has_a_password(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_url;
    } values[] = {{"http://me:hunter2@h.example", true},
                  {"smtp://me:hunter2@h.example:25/x", true},
                  {"me:hunter2@h.example", true},
                  {"Authorization: Bearer hunter2", false},
                  {"-----BEGIN PRIVATE KEY-----\\nhunter2", false},
                  {"hunter2", false}};
    static const char *const forms[] = {"'%s'",         "{ '%s' }",       "{ { '%s' } }",
                                        "{ a = '%s' }", "{ ['%s'] = 1 }", "{ ['$secret'] = '%s' }"};

    for (const struct config_key *k = config_keys; k->pattern || k->environment; k++) {
        size_t most = 1;

        for (const char *at = k->pattern; at && (at = strchr(at, '.')) != NULL; at++)
            most++;
        for (size_t v = 0; v < COUNT_OF(values); v++) {
            char given[128], variable[192];
            const char *environment[] = {variable, NULL};

            for (size_t depth = 1; k->pattern && depth <= most; depth++) {
                for (size_t f = 0; f < COUNT_OF(forms); f++) {
                    bool is_name = strstr(forms[f], "['%s']") != NULL;

                    if (!values[v].is_url && (is_name || (depth == most && is_shown(k))))
                        continue;
                    snprintf(given, sizeof(given), forms[f], values[v].text);
                    plant(k, depth, given);
                }
            }
            snprintf(variable, sizeof(variable), "%s=%s", k->environment ? k->environment : "X",
                     values[v].text);
            // HOOKLINE_CONFIG is the file's name, which every message begins with.
            if (k->kind != CONFIG_ELSEWHERE && (values[v].is_url || !is_shown(k)))
                hides_it("return {}", environment);
        }
    }
    hides_it("return { targets = { ['https://me:hunter2@h.example'] = { rate = 'x' } } }", NULL);
    hides_it("return { targets = { ['https://me:hunter2/2@h.example'] = { rate = '1/s' } } }",
             NULL);
    hides_it("return { targets = { ['me:hunter2@h.example'] = { in_fligth = 1 } } }", NULL);
    hides_it("return { mail = { user = 'me' 'smtp://me:hunter2@h.example' } }", NULL);
}

static void the_proxy_of_a_secret_is_not_told(void **state)
{
    (void)state;
    struct secrets *secrets;
    struct loaded l;

    write_file("hookline.conf.lua", "return { targets = { ['https://a.example'] = { proxy = "
                                    "hook.secret 'PROXY' } } }");
    assert_int_equal(mkdir("secrets", 0700), 0);
    write_file("secrets/PROXY", "me:hunter2");
    load(&l, NULL, NULL);
    assert_int_equal(secrets_new(&secrets, ".", NULL), 0);
    assert_int_equal(config_give_targets(&l.c, secrets, NULL, &l.e), ERR_INVALID);
    assert_contains(l.e.text,
                    "targets[\"https://a.example:443\"].proxy: the secret PROXY: a proxy");
    assert_null(strstr(l.e.text, "hunter2"));
    secrets_free(secrets);
    config_fini(&l.c);
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, setup_folder, teardown_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(no_message_has_a_password),
        in_folder(the_proxy_of_a_secret_is_not_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
