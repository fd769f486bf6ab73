#include "cli/trial.h"
#include "deliver/preview.h"

static const char *origin_word(enum trial_origin origin)
{
    switch (origin) {
    case TRIAL_EVENT_FILE:
        return "file";
    case TRIAL_EVENT_HOST:
        return "host";
    case TRIAL_EVENT_SAMPLE:
        break;
    }
    return "sample";
}

int trial_send(void *ctx, const struct client_request *q, struct err *e)
{
    return caller_send(ctx, q, e);
}

static void on_done(void *ctx, int code, const struct err *e)
{
    if (code)
        *(struct err *)ctx = *e;
}

int trial_run(struct trial *t, struct buf *out, struct err *e)
{
    struct clock clock;
    struct preview p = {
        .config =
            {
                .data_dir = t->config->data_dir,
                .target = config_curl_target,
                .target_ctx = (void *)t->config,
                .redirect_all = t->config->redirect_all,
                .redirect_allow = &t->redirect_block,
                .secrets = t->secrets,
                .oauth = t->oauth,
                .ids = &t->ids,
                .clock = &clock,
                .send = t->sends ? trial_send : NULL,
                .send_ctx = &t->caller,
            },
        .rules = t->rules,
        .event = &t->event,
        .event_from = origin_word(t->origin),
        .arena = &t->arena,
        .out = out,
        .on_done = on_done, // each request is waited for
        .ctx = e,
    };

    clock_init(&clock);
    preview_run(&p);
    t->would_fire = p.would_fire;
    t->has_failed = p.has_failed;
    return p.code;
}
