// wire/client.h and wire/smtp.h: receivers that answer, fail, hang, break off and are slow, and a
// mail server. What arrives is told to the model.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"
#include "wire/client.h"
#include "wire/smtp.h"

enum { NET_TIMEOUT_MS = 30 * 1000, NET_DRAIN_MS = 10 * 1000, NET_MODE_MS = 20 * 60 * 1000 };

struct client {
    size_t in_flight;
};

struct sim_call {
    unsigned life;
    struct client *client;
    void (*on_done)(void *ctx, const struct client_response *r);
    void *ctx;
    enum model_path path;
    unsigned record, turn;
    enum sim_answer answer;
    int status; // 0: none
    int64_t sent_ms, retry_after_ms;
};

static struct {
    unsigned fail_in_ten[PATHS]; // how bad each receiver is just now
    int64_t until_ms[PATHS];
    bool is_calm;
    struct client *open; // the host's, until it closes it
} net;

void sim_net_calm(bool is_calm)
{
    net.is_calm = is_calm;
}

int client_open(struct client **out, struct loop *l, const struct client_config *c, struct err *e)
{
    (void)l, (void)c;
    net.open = *out = calloc(1, sizeof **out);
    return *out ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

// The configuration of the simulated host says nothing of targets.
int client_set_targets(struct client *c, const struct client_target *targets, size_t count)
{
    (void)c, (void)targets;
    return count == 0 ? 0 : ERR_INVALID;
}

int client_proxy_check(struct str proxy, struct err *e)
{
    (void)proxy;
    return err_set(e, ERR_INVALID, "no proxy is simulated");
}

static enum sim_answer net_choose(enum model_path path)
{
    static const unsigned badness[] = {0, 0, 1, 5, 10, 10};
    if (net.is_calm) {
        return ANSWER_OK;
    }
    if (sim_mono_ms() >= net.until_ms[path]) {
        net.fail_in_ten[path] = badness[sim_below(sizeof badness / sizeof badness[0])];
        int64_t spans = sim_chance(6) ? sim_below(200) : sim_below(12);
        net.until_ms[path] = sim_mono_ms() + spans * NET_MODE_MS;
    }
    if (sim_below(10) >= net.fail_in_ten[path]) {
        return sim_chance(4) ? ANSWER_SLOW : ANSWER_OK;
    }
    static const enum sim_answer bad[] = {ANSWER_FAIL, ANSWER_FAIL, ANSWER_HANG,   ANSWER_RESET,
                                          ANSWER_LOST, ANSWER_BUSY, ANSWER_REFUSED};
    if (sim_chance(40)) {
        return ANSWER_GONE;
    }
    return bad[sim_below(sizeof bad / sizeof bad[0])];
}

static int net_status(enum sim_answer answer)
{
    static const int refused[] = {404, 429, 500, 501};
    switch (answer) {
    case ANSWER_OK:
    case ANSWER_SLOW:
        return 200;
    case ANSWER_FAIL:
    case ANSWER_BUSY:
        return 503;
    case ANSWER_GONE:
        return 410;
    case ANSWER_REFUSED:
        return refused[sim_below(sizeof refused / sizeof refused[0])];
    default:
        return 0;
    }
}

// The host hears of it.
static void net_done(void *ctx)
{
    struct sim_call *call = ctx;
    struct client_response r = {.status = call->status,
                                .retry_after_ms = call->retry_after_ms,
                                .elapsed_ms = sim_mono_ms() - call->sent_ms};
    if (call->status == 0) {
        r.error = call->answer == ANSWER_HANG ? CLIENT_TIMEOUT : CLIENT_RESET;
        snprintf(r.detail, sizeof r.detail, "the connection broke");
    }
    if (call->client == net.open) {
        call->client->in_flight--;
        model_answered(call->path, call->record, call->turn, r.status, r.retry_after_ms);
        call->on_done(call->ctx, &r);
    }
    free(call);
}

static void net_arrive(void *ctx)
{
    struct sim_call *call = ctx;
    if (call->life == sim_life() && sim_is_up()) {
        sim_loop_enqueue(net_done, call);
    }
}

static void net_read(struct sim_call *call, const struct client_request *q)
{
    static const char *const names[PATHS] = MODEL_PATH_NAMES;
    const char *slash = strrchr(q->url, '/');
    call->path = PATHS;
    for (unsigned i = 0; slash && i < PATHS; i++) {
        if (strcmp(slash + 1, names[i]) == 0) {
            call->path = i;
        }
    }
    char body[256], cause[32], state[16];
    snprintf(body, sizeof body, "%.*s", (int)q->body.len, q->body.data);
    if (call->path == PATHS ||
        sscanf(body, "{\"id\":%u,\"turn\":%u}", &call->record, &call->turn) != 2) {
        sim_fail("the receivers got what nobody asked for: %s %s", q->url, body);
    }
    if (call->path == PATH_OUTCOME) {
        if (sscanf(body, "{\"id\":%*u,\"turn\":%*u,\"of\":\"%31[^\"]\",\"state\":\"%15[^\"]\"}",
                   cause, state) != 2) {
            sim_fail("an outcome does not say of what: %s", body);
        }
        model_told(call->record, call->turn, cause, state);
    }
}

int client_send(struct client *c, const struct client_request *q)
{
    struct sim_call *call = calloc(1, sizeof *call);
    if (!call) {
        return ERR_NOMEM;
    }
    call->life = sim_life();
    call->client = c;
    call->on_done = q->on_done;
    call->ctx = q->ctx;
    call->sent_ms = sim_mono_ms();
    net_read(call, q);
    struct str id = {0};
    for (size_t i = 0; i < q->header_count; i++) {
        if (str_eq_nocase(q->headers[i].name, STR("webhook-id"))) {
            id = q->headers[i].value;
        }
    }
    call->answer = net_choose(call->path);
    call->status = net_status(call->answer);
    call->retry_after_ms = call->answer == ANSWER_BUSY
                               ? (int64_t)sim_below(sim_chance(3) ? 80 * 3600 : 900) * 1000
                               : -1;
    sim_trace("%s of %u.%u arrives as %.*s, and will end with %d (%d)", q->url, call->record,
              call->turn, (int)id.len, id.data, (int)call->answer, call->status);
    model_received(call->path, call->record, call->turn, id);
    int64_t ms = call->answer == ANSWER_HANG   ? q->timeout_ms ? q->timeout_ms : NET_TIMEOUT_MS
                 : call->answer == ANSWER_SLOW ? 1 + (int64_t)sim_below(25000)
                                               : (int64_t)sim_below(40);
    c->in_flight++;
    sim_after(ms, net_arrive, call);
    return 0;
}

size_t client_in_flight(const struct client *c)
{
    return c->in_flight;
}

struct closing {
    struct client *client;
    void (*on_closed)(void *ctx);
    void *ctx;
};

static void net_closed(void *ctx)
{
    struct closing c = *(struct closing *)ctx;
    free(ctx);
    c.on_closed(c.ctx);
}

void client_close(struct client *c, void (*on_closed)(void *ctx), void *ctx)
{
    struct closing *closing = malloc(sizeof *closing);
    if (!closing) {
        abort();
    }
    if (c->in_flight && sim_mono_ms() - sim_signalled_ms() < NET_DRAIN_MS) {
        sim_fail("the host drains, but closes its client with %zu requests under way",
                 c->in_flight);
    }
    net.open = NULL; // what is under way is dropped
    *closing = (struct closing){c, on_closed, ctx};
    sim_loop_enqueue(net_closed, closing);
}

const char *client_error_word(enum client_error e)
{
    static const char *const words[] = {NULL,      "dns",   "connect",  "tls",
                                        "timeout", "reset", "protocol", "address_refused"};
    return words[e];
}

int64_t client_retry_after_ms(const char *value, int64_t wall_ms)
{
    (void)value, (void)wall_ms;
    return -1;
}

// --- mail
// -----------------------------------------------------------------------------------------

static void mail_done(void *ctx)
{
    struct smtp_send *s = ctx;
    s->code = s->is_cancelled || (!net.is_calm && sim_chance(3))
                  ? err_set(&s->err, ERR_IO, "the mail server does not answer")
                  : 0;
    s->on_done(s);
}

struct mail {
    unsigned life;
    struct smtp_send *send;
};

static void mail_arrive(void *ctx)
{
    struct mail *m = ctx;
    if (m->life == sim_life() && sim_is_up()) {
        sim_loop_enqueue(mail_done, m->send);
    }
    free(m);
}

int smtp_send(struct smtp_send *s)
{
    struct mail *m = malloc(sizeof *m);
    if (!m) {
        return ERR_NOMEM;
    }
    *m = (struct mail){sim_life(), s};
    s->is_cancelled = false;
    loop_expect(s->loop, 0);
    sim_after((int64_t)sim_below(20000), mail_arrive, m);
    return 0;
}

void smtp_cancel(struct smtp_send *s)
{
    s->is_cancelled = true;
}
