// Access tokens against a token server that the test plays: who is asked, when, and who waits.
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "deliver/oauth.h"
#include "encode/head.h"

enum { SENT_MAX = 2 * OAUTH_TOKENS_MAX, FETCHES = 3 };

struct played {
    struct clock clock;
    struct secrets *secrets;
    struct oauth *oauth;
    struct client_request sent[SENT_MAX];
    size_t sent_count;
    int refuses; // what send returns
    bool answers_at_once;
    struct oauth_listener listener;
    size_t changes;
    struct oauth_answer answer;
};

static void give(struct played *p, size_t i, int status, const char *body)
{
    struct client_response r = {.status = status, .body = str_from(body), .retry_after_ms = -1};
    p->sent[i].on_done(p->sent[i].ctx, &r);
}

static void give_token(struct played *p, size_t i, const char *token)
{
    char body[200];
    snprintf(body, sizeof body, "{\"access_token\":\"%s\",\"expires_in\":100}", token);
    give(p, i, 200, body);
}

static int send(void *ctx, const struct client_request *q, struct err *e)
{
    struct played *p = ctx;
    if (p->refuses) {
        return err_set(e, (enum err_code)p->refuses, "not now");
    }
    assert_true(p->sent_count < SENT_MAX);
    p->sent[p->sent_count++] = *q;
    if (p->answers_at_once) {
        give_token(p, p->sent_count - 1, "at-once");
    }
    return 0;
}

static void on_change(void *ctx)
{
    ((struct played *)ctx)->changes++;
}

static int set_up(void **state)
{
    struct played *p = calloc(1, sizeof *p);
    *state = p;
    clock_init_test(&p->clock);
    setenv("HOOKLINE_SECRET_KEY", "v4lue", 1);
    struct oauth_config c = {
        .clock = &p->clock, .max_fetches = FETCHES, .send = send, .send_ctx = p};
    if (secrets_new(&p->secrets, "no-such-folder", NULL)) {
        return -1;
    }
    c.secrets = p->secrets;
    p->listener = (struct oauth_listener){.on_change = on_change, .ctx = p};
    int code = oauth_new(&p->oauth, &c, NULL);
    oauth_listen(p->oauth, &p->listener);
    return code;
}

static int tear_down(void **state)
{
    struct played *p = *state;
    oauth_unlisten(p->oauth, &p->listener);
    oauth_free(p->oauth);
    secrets_free(p->secrets);
    unsetenv("HOOKLINE_SECRET_KEY");
    free(p);
    return 0;
}

static struct str spec(size_t n)
{
    static char text[100];
    int len = snprintf(text, sizeof text, "KEY basic id https://t.example/token n=%zu", n);
    return (struct str){text, (size_t)len};
}

static void assert_gets(struct played *p, size_t n, enum oauth_state wanted)
{
    enum oauth_state got = oauth_get(p->oauth, spec(n), &p->answer);
    assert_int_equal(got, wanted);
}

static void one_fetch_serves_all_until_it_expires(void **state)
{
    struct played *p = *state;
    assert_gets(p, 1, OAUTH_WAITING);
    assert_gets(p, 1, OAUTH_WAITING);
    assert_int_equal(p->sent_count, 1);
    assert_int_equal(p->changes, 0);
    give_token(p, 0, "one");
    assert_int_equal(p->changes, 1);
    clock_advance(&p->clock, 89999); // 100 s, and a tenth less
    assert_gets(p, 1, OAUTH_READY);
    assert_str_text(p->answer.token, "one");
    clock_advance(&p->clock, 1);
    assert_gets(p, 1, OAUTH_WAITING);
    assert_int_equal(p->sent_count, 2);
}

static void fetches_are_bounded_and_the_others_follow(void **state)
{
    struct played *p = *state;
    for (size_t n = 0; n < FETCHES + 1; n++) {
        assert_gets(p, n, OAUTH_WAITING);
    }
    assert_int_equal(p->sent_count, FETCHES);
    give_token(p, 0, "one");
    assert_gets(p, FETCHES, OAUTH_WAITING);
    assert_int_equal(p->sent_count, FETCHES + 1);
}

static void a_server_that_fails_is_left_alone_longer_each_time(void **state)
{
    static const int64_t waits_ms[] = {5000, 10000, 20000, 40000, 60000, 60000};
    struct played *p = *state;
    for (size_t i = 0; i < COUNT_OF(waits_ms); i++) {
        assert_gets(p, 1, OAUTH_WAITING);
        assert_int_equal(p->sent_count, i + 1);
        assert_int_equal(p->sent[i].timeout_ms, i == 0 ? 30000 : 10000);
        give(p, i, 500, "");
        clock_advance(&p->clock, waits_ms[i] - 1);
        assert_gets(p, 1, OAUTH_FAILED);
        assert_string_equal(p->answer.error, "oauth");
        assert_non_null(strstr(p->answer.detail, "https://t.example:443 answered 500"));
        clock_advance(&p->clock, 1);
    }
    assert_gets(p, 1, OAUTH_WAITING);
    give_token(p, p->sent_count - 1, "one");
    assert_gets(p, 1, OAUTH_READY);
    clock_advance(&p->clock, 100000);
    assert_gets(p, 1, OAUTH_WAITING);
    give(p, p->sent_count - 1, 500, "");
    clock_advance(&p->clock, 5000);
    assert_gets(p, 1, OAUTH_WAITING); // it began anew
}

static void a_request_that_cannot_be_sent_is_a_failure_like_others(void **state)
{
    struct played *p = *state;
    p->refuses = ERR_NOMEM;
    assert_gets(p, 1, OAUTH_FAILED);
    assert_string_equal(p->answer.detail, "not now");
    p->refuses = 0;
    assert_gets(p, 1, OAUTH_FAILED);
    clock_advance(&p->clock, 5000);
    assert_gets(p, 1, OAUTH_WAITING);
}

static void a_missing_secret_is_looked_for_each_time(void **state)
{
    struct played *p = *state;
    unsetenv("HOOKLINE_SECRET_KEY");
    assert_gets(p, 1, OAUTH_FAILED);
    assert_string_equal(p->answer.error, "secret_missing");
    setenv("HOOKLINE_SECRET_KEY", "v4lue", 1);
    assert_gets(p, 1, OAUTH_WAITING);
}

static void an_answer_within_the_call_is_given_at_once(void **state)
{
    struct played *p = *state;
    p->answers_at_once = true;
    assert_gets(p, 1, OAUTH_READY);
    assert_str_text(p->answer.token, "at-once");
}

static void secrets_that_are_read_again_end_what_was_got_with_the_old_ones(void **state)
{
    struct played *p = *state;
    assert_gets(p, 1, OAUTH_WAITING);
    give_token(p, 0, "old");
    assert_gets(p, 1, OAUTH_READY);
    secrets_forget(p->secrets);
    assert_gets(p, 1, OAUTH_WAITING);
    secrets_forget(p->secrets); // while it is asked for
    give_token(p, 1, "old, too");
    assert_gets(p, 1, OAUTH_WAITING);
    assert_int_equal(p->sent_count, 3);
    give(p, 2, 500, "");
    assert_gets(p, 1, OAUTH_FAILED);
    secrets_forget(p->secrets); // a failure is forgotten, too
    assert_gets(p, 1, OAUTH_WAITING);
    give_token(p, 3, "new");
    assert_gets(p, 1, OAUTH_READY);
    assert_str_text(p->answer.token, "new");
}

static void a_token_that_is_rejected_is_renewed_but_not_over_and_over(void **state)
{
    struct played *p = *state;
    assert_gets(p, 1, OAUTH_WAITING);
    give_token(p, 0, "one");
    assert_gets(p, 1, OAUTH_READY);
    uint64_t first = p->answer.serial;
    assert_true(oauth_reject(p->oauth, spec(1), first));
    assert_true(oauth_reject(p->oauth, spec(1), first)); // another one is on its way
    assert_gets(p, 1, OAUTH_WAITING);
    give_token(p, 1, "two");
    assert_true(oauth_reject(p->oauth, spec(1), first)); // it is there
    assert_gets(p, 1, OAUTH_READY);
    assert_str_text(p->answer.token, "two");
    assert_int_equal(p->sent_count, 2);
    uint64_t second = p->answer.serial;
    assert_false(oauth_reject(p->oauth, spec(1), second));
    assert_gets(p, 1, OAUTH_READY);
    clock_advance(&p->clock, 5000);
    assert_true(oauth_reject(p->oauth, spec(1), second));
    assert_gets(p, 1, OAUTH_WAITING);
}

static void what_was_not_used_for_longest_makes_room(void **state)
{
    struct played *p = *state;
    p->answers_at_once = true;
    for (size_t n = 0; n < OAUTH_TOKENS_MAX; n++) {
        assert_gets(p, n, OAUTH_READY);
        clock_advance(&p->clock, 1);
    }
    assert_gets(p, 0, OAUTH_READY); // used again
    assert_int_equal(p->sent_count, OAUTH_TOKENS_MAX);
    assert_gets(p, OAUTH_TOKENS_MAX, OAUTH_READY);
    assert_gets(p, 0, OAUTH_READY);
    assert_int_equal(p->sent_count, OAUTH_TOKENS_MAX + 1);
    assert_gets(p, 1, OAUTH_READY); // that one had gone
    assert_int_equal(p->sent_count, OAUTH_TOKENS_MAX + 2);
}

static void what_waits_for_its_turn_takes_no_room(void **state)
{
    struct played *p = *state;
    p->answers_at_once = true;
    for (size_t n = FETCHES; n < OAUTH_TOKENS_MAX; n++) {
        assert_gets(p, n, OAUTH_READY);
    }
    p->answers_at_once = false;
    for (size_t n = 0; n < FETCHES; n++) {
        assert_gets(p, n, OAUTH_WAITING);
    }
    for (size_t n = OAUTH_TOKENS_MAX; n < 2 * OAUTH_TOKENS_MAX; n++) {
        assert_gets(p, n, OAUTH_WAITING);
    }
    for (size_t n = FETCHES; n < OAUTH_TOKENS_MAX; n++) {
        assert_gets(p, n, OAUTH_READY);
    }
    assert_int_equal(p->sent_count, OAUTH_TOKENS_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_fetch_serves_all_until_it_expires),
        TEST(fetches_are_bounded_and_the_others_follow),
        TEST(a_server_that_fails_is_left_alone_longer_each_time),
        TEST(a_request_that_cannot_be_sent_is_a_failure_like_others),
        TEST(a_missing_secret_is_looked_for_each_time),
        TEST(an_answer_within_the_call_is_given_at_once),
        TEST(secrets_that_are_read_again_end_what_was_got_with_the_old_ones),
        TEST(a_token_that_is_rejected_is_renewed_but_not_over_and_over),
        TEST(what_was_not_used_for_longest_makes_room),
        TEST(what_waits_for_its_turn_takes_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
