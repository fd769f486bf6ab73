// A stored head becomes what goes out; without secrets it shows none.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deliver/request.h"
#include "temp.h"

static const char HEAD[] = "POST https://a.example/x?y=1\n"
                           "Content-Type: application/json\n"
                           ":basic PASSWORD crm\n"
                           ":header KEY X-Key: pre-\n"
                           ":query KEY api_key\n";

struct fixture {
    char dir[64];
    struct secrets *secrets;
    struct arena arena;
    struct mask mask;
};

static void write_secret(const struct fixture *f, const char *name, const char *value)
{
    char path[200];
    snprintf(path, sizeof path, "%s/secrets/%s", f->dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(value, file);
    fclose(file);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char path[100];
    temp_template(f->dir, sizeof f->dir);
    assert_non_null(mkdtemp(f->dir));
    snprintf(path, sizeof path, "%s/secrets", f->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(secrets_new(&f->secrets, f->dir, NULL), 0);
    arena_init(&f->arena, 1 << 20);
    mask_init(&f->mask);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[200];
    secrets_free(f->secrets);
    arena_fini(&f->arena);
    mask_fini(&f->mask);
    snprintf(command, sizeof command, "rm -r %s", f->dir);
    assert_int_equal(system(command), 0);
    unsetenv("HOOKLINE_SECRET_KEY");
    free(f);
    return 0;
}

static struct str header(const struct request *q, const char *name)
{
    for (size_t i = 0; i < q->header_count; i++) {
        if (str_eq(q->headers[i].name, str_from(name))) {
            return q->headers[i].value;
        }
    }
    return (struct str){0};
}

static void assert_text(struct str got, const char *wanted)
{
    assert_int_equal(got.len, strlen(wanted));
    assert_memory_equal(got.data, wanted, got.len);
}

static void secrets_go_where_they_belong(void **state)
{
    struct fixture *f = *state;
    struct request q;
    struct err e;
    write_secret(f, "PASSWORD", "s3cret\n");
    setenv("HOOKLINE_SECRET_KEY", "k&y", 1);
    struct request_input in = {.head = str_from(HEAD), .delivery = 1, .at_ms = 1795000000123};
    assert_int_equal(request_build(&q, &in, f->secrets, &f->mask, &f->arena, &e), 0);
    assert_string_equal(q.url, "https://a.example/x?y=1&api_key=k%26y");
    assert_text(header(&q, "Authorization"), "Basic Y3JtOnMzY3JldA==");
    assert_text(header(&q, "X-Key"), "pre-k&y");
    assert_text(header(&q, "Content-Type"), "application/json");
    assert_text(header(&q, "webhook-id"), "dlv_0000000000001");
    assert_text(header(&q, "webhook-timestamp"), "1795000000");
    assert_text(header(&q, "hookline-depth"), "1");
    struct buf out;
    buf_init(&out, 1000);
    mask_apply(&f->mask, &out, STR("Basic Y3JtOnMzY3JldA==, s3cret, k&y, k%26y, crm"), false);
    assert_text(buf_str(&out), "Basic ****, ****, ****, ****, crm");
    buf_fini(&out);
}

static void without_secrets_none_is_shown(void **state)
{
    struct fixture *f = *state;
    struct buf out;
    struct json_writer w;
    buf_init(&out, 1 << 16);
    json_writer_init(&w, &out);
    struct request_input in = {.head = str_from(HEAD), .delivery = 1, .at_ms = 1795000000123};
    assert_int_equal(request_write_json(&w, NULL, &in, STR("{\"a\":1}"), &f->arena), 0);
    struct str text = buf_str(&out);
    assert_non_null(memmem(text.data, text.len, "\"Basic ****\"", 12));
    assert_non_null(memmem(text.data, text.len, "api_key=****", 12));
    assert_non_null(memmem(text.data, text.len, "\"pre-****\"", 10));
    assert_non_null(memmem(text.data, text.len, "\"{\\\"a\\\":1}\"", 11));
    buf_fini(&out);
}

static void a_token_stands_behind_bearer_and_is_masked(void **state)
{
    struct fixture *f = *state;
    struct request q;
    struct err e;
    struct buf out;
    struct request_input in = {
        .head = STR("GET https://a.example/x\n:oauth2 K basic id https://t.example/ a=b\n"),
        .token = STR("t0ken"),
        .delivery = 1};
    assert_int_equal(request_build(&q, &in, f->secrets, &f->mask, &f->arena, &e), 0);
    assert_text(header(&q, "Authorization"), "Bearer t0ken");
    buf_init(&out, 100);
    mask_apply(&f->mask, &out, STR("a t0ken!"), false);
    assert_text(buf_str(&out), "a ****!");
    buf_fini(&out);
    assert_int_equal(request_build(&q, &in, NULL, NULL, &f->arena, &e), 0);
    assert_text(header(&q, "Authorization"), "Bearer ****");
    in.token = (struct str){0};
    assert_int_equal(request_build(&q, &in, f->secrets, NULL, &f->arena, &e), 0);
    assert_text(header(&q, "Authorization"), "Bearer ****");
}

static void a_missing_secret_says_how_to_set_it(void **state)
{
    struct fixture *f = *state;
    struct request q;
    struct err e;
    write_secret(f, "PASSWORD", "x");
    struct request_input in = {.head = str_from(HEAD), .delivery = 1};
    assert_int_equal(request_build(&q, &in, f->secrets, NULL, &f->arena, &e), ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, "hookline secrets set KEY"));
}

static void a_secret_is_cached_until_it_is_forgotten(void **state)
{
    struct fixture *f = *state;
    struct str value;
    write_secret(f, "PASSWORD", "one");
    assert_int_equal(secrets_get(f->secrets, STR("PASSWORD"), &value, NULL), 0);
    write_secret(f, "PASSWORD", "two");
    assert_int_equal(secrets_get(f->secrets, STR("PASSWORD"), &value, NULL), 0);
    assert_text(value, "one");
    secrets_forget(f->secrets);
    assert_int_equal(secrets_get(f->secrets, STR("PASSWORD"), &value, NULL), 0);
    assert_text(value, "two");
}

static void a_secret_with_control_characters_or_an_odd_name_is_refused(void **state)
{
    struct fixture *f = *state;
    struct str value;
    struct err e;
    write_secret(f, "PASSWORD", "a\r\nX: y");
    assert_true(secrets_get(f->secrets, STR("PASSWORD"), &value, &e) < 0);
    assert_true(secrets_get(f->secrets, STR("../admin.token"), &value, &e) < 0);
    assert_false(secrets_is_name(STR("lower")));
    assert_false(secrets_is_name(STR("1ST")));
    assert_true(secrets_is_name(STR("A_1")));
}

static void redirect_all_names_the_original(void **state)
{
    struct fixture *f = *state;
    struct request q;
    struct err e;
    struct request_input in = {.head = STR("GET https://a.example/x\n"),
                               .delivery = 1,
                               .redirect_all = "http://127.0.0.1:9/all"};
    assert_int_equal(request_build(&q, &in, f->secrets, NULL, &f->arena, &e), 0);
    assert_string_equal(q.url, "http://127.0.0.1:9/all");
    assert_text(header(&q, "hookline-original-url"), "https://a.example/x");
}

static void the_depth_goes_out_as_the_head_says(void **state)
{
    struct fixture *f = *state;
    struct request q;
    struct err e;
    struct request_input in = {.head = STR("GET https://a.example/x\n:depth 4\n"), .delivery = 1};
    assert_int_equal(request_build(&q, &in, f->secrets, NULL, &f->arena, &e), 0);
    assert_text(header(&q, "hookline-depth"), "4");
}

// What is shown is what goes out: the rule's own User-Agent in place of ours.
static void a_custom_user_agent_is_shown_alone(void **state)
{
    struct fixture *f = *state;
    struct buf out;
    struct json_writer w;
    struct request_input in = {.head = STR("GET https://a.example/x\nuser-agent: mine\n"),
                               .delivery = 1};
    buf_init(&out, 4096);
    json_writer_init(&w, &out);
    assert_int_equal(request_write_json(&w, NULL, &in, STR(""), &f->arena), 0);
    buf_append_char(&out, '\0');
    assert_non_null(strstr(out.data, "\"user-agent\":\"mine\""));
    assert_null(strstr(out.data, "hookline/"));
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(secrets_go_where_they_belong, setup, teardown),
        cmocka_unit_test_setup_teardown(without_secrets_none_is_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(a_token_stands_behind_bearer_and_is_masked, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_missing_secret_says_how_to_set_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_secret_is_cached_until_it_is_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(a_secret_with_control_characters_or_an_odd_name_is_refused,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(redirect_all_names_the_original, setup, teardown),
        cmocka_unit_test_setup_teardown(the_depth_goes_out_as_the_head_says, setup, teardown),
        cmocka_unit_test_setup_teardown(a_custom_user_agent_is_shown_alone, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
