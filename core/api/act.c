// POST /v1/deliveries/ID/resend and /cancel: answered with the delivery as it is then.
#include <stdio.h>
#include <stdlib.h>

#include "api/internal.h"
#include "api/live.h"

enum { ACT_ARENA_MAX = 64 * 1024 };

struct act_request {
    struct api *api;
    struct httpd_request *request;
    struct arena arena;
    struct store_act act;
};

static void act_on_done(struct store_act *act)
{
    struct act_request *q = act->ctx;
    struct api *a = q->api;
    if (act->code == ERR_NOT_FOUND) {
        api_send_problem(q->request, 404, "there is no such delivery", NULL);
    } else if (act->code == ERR_CONFLICT) {
        api_send_problem(q->request, 409, act->err.text, NULL);
    } else if (act->code) {
        api_send_unavailable(q->request, act->err.text);
    } else {
        char id[ID_SHOWN_LEN + 1];
        id_show(id, ID_DELIVERY, act->delivery);
        live_saw_delivery(a->live, act->delivery, NULL);
        if (act->kind == STORE_CANCEL) {
            deliver_cancelled(a->config.deliver, act->delivery);
            deliver_freed(a->config.deliver, &act->freed);
        }
        api_get_delivery(a, q->request, str_from(id));
        if (act->kind == STORE_RESEND) {
            deliver_resent(a->config.deliver, act->target);
        }
    }
    arena_fini(&q->arena);
    free(q);
    api_end(a);
}

static void act_on(struct api *a, struct httpd_request *r, struct str id, enum store_act_kind kind)
{
    uint64_t number = 0;
    if (id_read_shown(id, ID_DELIVERY, &number)) {
        api_send_problem(r, 404, "there is no such delivery: an id is dlv_ and 13 characters",
                         NULL);
        return;
    }
    struct act_request *q = calloc(1, sizeof *q);
    if (q == NULL) {
        api_send_problem(r, 500, "out of memory", NULL);
        return;
    }
    struct store_audit_put *audit =
        api_audit_new(a, r, kind == STORE_RESEND ? "delivery.resend" : "delivery.cancel", id,
                      (struct str){0}, (struct str){0});
    if (audit == NULL) {
        free(q);
        return;
    }
    q->api = a;
    q->request = r;
    arena_init(&q->arena, ACT_ARENA_MAX);
    q->act = (struct store_act){.kind = kind,
                                .delivery = number,
                                .now_ms = clock_running_ms(loop_clock(a->config.loop)),
                                .arena = &q->arena,
                                .on_done = act_on_done,
                                .ctx = q};
    api_begin(a);
    store_act(a->config.store, &q->act);
    audit->code_of_act = &q->act.code;
    audit->before = &q->act.before;
    audit->after = &q->act.after;
    audit_give(a->config.store, audit);
}

void api_resend_delivery(struct api *a, struct httpd_request *r, struct str id)
{
    act_on(a, r, id, STORE_RESEND);
}

void api_cancel_delivery(struct api *a, struct httpd_request *r, struct str id)
{
    act_on(a, r, id, STORE_CANCEL);
}
