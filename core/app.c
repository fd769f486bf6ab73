// The start order and the stop order of the host stand here, once.
#include "app.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/access.h"
#include "api/api.h"
#include "api/stats.h"
#include "app_service.h"
#include "app_sockets.h"
#include "deliver/decide.h"
#include "deliver/missing.h"
#include "deliver/oauth.h"
#include "engine/slots.h"
#include "loop/test_clock.h"
#include "store/retention.h"

enum {
    APP_FINISH_MS = 3 * 1000, // for who is connected, when told to stop
    APP_DRAIN_MS = 10 * 1000, // for what is in flight, then
    APP_STOP_CHECK_MS = 10
};

struct app {
    const struct config *config;
    struct clock clock;
    struct log log;
    struct loop *loop;
    struct store *store;
    struct id_source ids;
    struct secrets *secrets;
    struct client *client;
    struct oauth *oauth;
    struct engine *engine;
    struct slots *slots;
    struct retention *retention;
    struct notices *notices; // NULL: no mail is configured
    struct deliver *deliver;
    struct access *access;
    struct stats *stats;
    struct api *api;
    struct app_service service;
    struct loop_test_clock *test_clock;
    struct loop_timer stop_timer;
    struct netblock redirect_block;
    bool has_redirect_block;
    struct app_sockets sockets;
    int64_t finish_by_ms; // when who is still connected is waited for no longer
    bool is_stopping;
    bool is_loading_tokens;
    struct err *err;
    int code;
};

// --- the stop, last started first ---------------------------------------------------------------

static void app_on_store_closed(void *ctx)
{
    struct app *app = ctx;
    app->store = NULL;
    app_service_close_signals(&app->service);
    // Nothing is open any more: the loop ends by itself.
}

static void app_on_api_closed(void *ctx)
{
    struct app *app = ctx;
    app->api = NULL;
    app_service_unwatch(&app->service);
    store_close(app->store, app_on_store_closed, app);
}

static void app_on_client_closed(void *ctx)
{
    struct app *app = ctx;
    app->client = NULL;
    if (app->api) {
        api_close(app->api, app_on_api_closed, app);
    } else {
        app_on_api_closed(app);
    }
}

static void app_close_client(void *ctx)
{
    struct app *app = ctx;
    client_close(app->client, app_on_client_closed, app);
}

static void app_on_notices_stopped(void *ctx)
{
    struct app *app = ctx;
    api_end_spans(app->api, app_close_client, app);
}

static void app_on_drained(void *ctx)
{
    struct app *app = ctx;
    if (app->notices) {
        notices_stop(app->notices, app_on_notices_stopped, app);
    } else {
        app_on_notices_stopped(app);
    }
}

// Requests whose answer is owed are answered first: their events are being stored.
static void app_stop_when_answered(void *ctx)
{
    struct app *app = ctx;
    if (app->is_loading_tokens || engine_is_reloading(app->engine) || slots_is_busy(app->slots) ||
        retention_is_busy(app->retention) || (app->api && api_requests_under_way(app->api))) {
        loop_timer_start(&app->stop_timer, APP_STOP_CHECK_MS);
        return;
    }
    deliver_drain(app->deliver, APP_DRAIN_MS, app_on_drained, app);
}

static void app_stop_parts(struct app *app)
{
    if (app->api) {
        api_drain(app->api);
    }
    engine_stop(app->engine);
    slots_stop(app->slots);
    retention_stop(app->retention);
    loop_timer_init(&app->stop_timer, app->loop, LOOP_REAL_TIME, app_stop_when_answered, app);
    app_stop_when_answered(app);
}

// Whoever is connected is served as ever before anything that it takes stops.
static void app_stop_when_quiet(void *ctx)
{
    struct app *app = ctx;
    if (app->api && !api_is_quiet(app->api) &&
        loop_now_ms(app->loop, LOOP_REAL_TIME) < app->finish_by_ms) {
        loop_timer_start(&app->stop_timer, APP_STOP_CHECK_MS);
        return;
    }
    if (app->api && !api_is_quiet(app->api)) {
        log_info(&app->log, "some are still connected: what they ask for now is refused");
    }
    app_stop_parts(app);
}

static void app_stop(struct app *app)
{
    if (app->is_stopping) {
        return;
    }
    app->is_stopping = true;
    app_service_stopping(&app->service);
    engine_watch_stop(app->engine);
    if (app->test_clock) {
        loop_test_clock_close(app->test_clock);
        app->test_clock = NULL;
    }
    if (app->api) {
        api_finish(app->api);
    }
    app->finish_by_ms = loop_now_ms(app->loop, LOOP_REAL_TIME) + APP_FINISH_MS;
    app_stop_when_quiet(app);
}

static void app_fail(struct app *app, int code)
{
    app->code = code;
    app_stop(app);
}

// --- signals ----------------------------------------------------------------------------------

static void app_on_reloaded(void *ctx, int code, const struct err *e)
{
    struct app *app = ctx;
    (void)code; // the engine has logged it
    (void)e;
    app_service_reloaded(&app->service);
}

// What is not part of a generation: secrets, and the files of targets and of the listener.
static void app_read_again(void *ctx)
{
    struct app *app = ctx;
    struct err e = {0};
    secrets_forget(app->secrets);
    if (config_give_targets(app->config, app->secrets, app->client, &e) != 0) {
        log_error(&app->log, "%s; what was read before stays in force", e.text);
    }
    app_service_read_tls_again(&app->service, app->api);
}

static void app_on_signal(void *ctx, int signum)
{
    struct app *app = ctx;
    if (signum == SIGHUP) {
        if (!app->is_stopping) {
            log_info(&app->log, "SIGHUP: the workflows, the secrets and the certificates are read "
                                "again");
            app_service_reloading(&app->service);
            app_read_again(app);
            engine_reload(app->engine,
                          audit_new_own(&app->ids, clock_wall_ms(&app->clock), "SIGHUP", "reload"),
                          app_on_reloaded, app);
        }
        return;
    }
    if (app->is_stopping) {
        _exit(1); // told twice
    }
    log_info(&app->log, "stopping: what is in flight has %d s to end", APP_DRAIN_MS / 1000);
    app_stop(app);
}

// --- the start --------------------------------------------------------------------------------

static bool app_is_settled(void *ctx)
{
    const struct app *app = ctx;
    return retention_is_settled(app->retention) && slots_is_settled(app->slots) &&
           deliver_is_settled(app->deliver);
}

static int app_open_test_clock(struct app *app)
{
    if (app->config->test_clock == NULL) {
        return 0;
    }
    struct loop_test_clock_config c = {
        .path = app->config->test_clock, .is_settled = app_is_settled, .ctx = app};
    return loop_test_clock_open(&app->test_clock, app->loop, &c, app->err);
}

static void app_curl_target(void *ctx, struct str target, struct curl_command_target *out)
{
    const struct app *app = ctx;
    config_curl_target((void *)app->config, target, out);
}

static int app_open_api(struct app *app)
{
    const struct config_limits *l = &app->config->limits;
    struct httpd_listen listens[HTTPD_LISTENERS_MAX];
    struct api_config c = {
        .stats = app->stats,
        .loop = app->loop,
        .store = app->store,
        .engine = app->engine,
        .deliver = app->deliver,
        .access = app->access,
        .slots = app->slots,
        .secrets = app->secrets,
        .oauth = app->oauth,
        .client = app->client,
        .read_again = app_read_again,
        .curl_target = app_curl_target,
        .ctx = app,
        .ids = &app->ids,
        .log = &app->log,
        .listens = listens,
        .listen_count = app_service_listens(&app->service, app->config, listens),
        .tls = app->service.tls,
        .data_dir = app->config->data_dir,
        .redirect_all = app->config->redirect_all,
        .redirect_allow = app->has_redirect_block ? &app->redirect_block : NULL,
        .crash_at = app->config->crash_at,
        .otlp = &app->config->otlp,
        .max_body_bytes = (size_t)l->body_bytes,
        .max_connections = app->sockets.from_clients,
        .batch = {.events = (size_t)l->events, .depth = (unsigned)l->depth},
        .max_owed = l->owed,
        .min_free_bytes = l->free_disk_bytes,
    };
    return api_open(&app->api, &c, app->err);
}

// It is known who may call, and the first generation is in force: the host can take events.
static void app_on_tokens(void *ctx, int code)
{
    struct app *app = ctx;
    app->is_loading_tokens = false;
    if (app->is_stopping) {
        return;
    }
    if (code) {
        err_set(app->err, (enum err_code)code, "the tokens cannot be read: %s",
                err_word((enum err_code)code));
    } else {
        code = app_open_api(app);
    }
    if (code == 0) {
        code = app_open_test_clock(app);
    }
    if (code) {
        app_fail(app, code);
        return;
    }
    deliver_start(app->deliver);
    slots_start(app->slots);
    retention_start(app->retention);
    app_service_watch(&app->service, app->loop, app->store);
    app_service_ready(&app->service, app->api);
}

static void app_on_first_load(void *ctx, int code, const struct err *e)
{
    struct app *app = ctx;
    if (app->is_stopping) {
        return;
    }
    if (code) {
        err_set(app->err, (enum err_code)code, "%s", e->text);
        app_fail(app, code);
    } else {
        app->is_loading_tokens = true;
        access_load(app->access, app_on_tokens, app);
    }
}

// The address that --redirect-all names is allowed for it, and for it alone.
static void app_allow_redirect(struct app *app)
{
    const char *to = app->config->redirect_all;
    if (to) {
        log_warn(&app->log, "every webhook goes to %s instead of its own URL (--redirect-all)", to);
    }
    app->has_redirect_block = config_redirect_block(app->config, &app->redirect_block);
}

static void app_on_generation(void *ctx)
{
    struct app *app = ctx;
    missing_warn(engine_generation(app->engine)->rules, app->secrets, &app->log);
    slots_reload(app->slots);
}

static void app_on_slot_event(void *ctx, const struct store_event *ev)
{
    struct app *app = ctx;
    deliver_take_event(app->deliver, ev);
}

static void app_on_event(void *ctx, const struct store_event *ev)
{
    const struct app *app = ctx;
    if (app->api) {
        api_saw_event(app->api, ev);
    }
}

static void app_on_state(void *ctx, const struct deliver_change *c)
{
    const struct app *app = ctx;
    if (app->api) {
        api_saw_state(app->api, c);
    }
}

static void app_on_reload(void *ctx, bool is_good)
{
    const struct app *app = ctx;
    stats_saw_reload(app->stats, is_good, clock_wall_ms(&app->clock));
}

static void app_target_limits(void *ctx, struct str target, struct deliver_limits *out)
{
    const struct app *app = ctx;
    const struct config_target *t = config_target(app->config, target);
    *out =
        (struct deliver_limits){.in_flight = (size_t)t->in_flight, .interval_us = t->interval_us};
}

static void app_on_owed(void *ctx, struct str workflow, bool is_held_back)
{
    const struct app *app = ctx;
    deliver_hold_back(app->deliver, workflow, is_held_back);
}

static void app_on_suspended(void *ctx, struct str workflow, struct str reason)
{
    const struct app *app = ctx;
    notices_suspended(app->notices, workflow, reason);
}

static void app_on_looping(void *ctx, struct str workflow, struct str reason)
{
    const struct app *app = ctx;
    notices_looping(app->notices, workflow, reason);
}

static int app_open_notices(struct app *app)
{
    if (app->config->mail.server == NULL) {
        log_warn(&app->log, "no mail is configured: nobody is told by mail when webhooks fail; "
                            "mail = { server, from, admins } in the configuration");
        return 0;
    }
    struct notices_config c = {.loop = app->loop,
                               .store = app->store,
                               .secrets = app->secrets,
                               .engine = app->engine,
                               .log = &app->log};
    config_notices(app->config, &c);
    return notices_open(&app->notices, &c, app->err);
}

static int app_open_retention(struct app *app)
{
    const struct config_retention *r = &app->config->retention;
    struct retention_config c = {.loop = app->loop,
                                 .store = app->store,
                                 .log = &app->log,
                                 .payloads_ms = r->payloads_ms,
                                 .attempts_ms = r->attempts_ms,
                                 .ids_ms = r->ids_ms,
                                 .audit_ms = r->audit_ms,
                                 .max_bytes = r->size_bytes};
    int code = retention_new(&app->retention, &c);
    return code ? err_set(app->err, (enum err_code)code, "out of memory") : 0;
}

static int app_send_token_request(void *ctx, const struct client_request *q, struct err *e)
{
    const struct app *app = ctx;
    int code = client_send(app->client, q);
    return code ? err_set(e, (enum err_code)code, "a token server cannot be asked: %s",
                          err_word((enum err_code)code))
                : 0;
}

static int app_open_oauth(struct app *app)
{
    struct oauth_config c = {.secrets = app->secrets,
                             .clock = &app->clock,
                             .log = &app->log,
                             .send = app_send_token_request,
                             .send_ctx = app};
    return oauth_new(&app->oauth, &c, app->err);
}

static int app_open_parts(struct app *app)
{
    const struct config *c = app->config;
    int code = secrets_new(&app->secrets, c->data_dir, app->err);
    if (code == 0) {
        struct access_config access = {.loop = app->loop,
                                       .store = app->store,
                                       .ids = &app->ids,
                                       .log = &app->log,
                                       .data_dir = c->data_dir};
        code = access_new(&app->access, &access, app->err);
    }
    if (code == 0) {
        struct client_config client = {.max_connections = app->sockets.to_targets,
                                       .allow = c->allow,
                                       .allow_count = c->allow_count,
                                       .user_agent = "hookline/" HOOKLINE_VERSION,
                                       .log = &app->log};
        code = client_open(&app->client, app->loop, &client, app->err);
    }
    if (code == 0) {
        code = config_give_targets(c, app->secrets, app->client, app->err);
    }
    if (code == 0) {
        code = app_open_oauth(app);
    }
    if (code == 0) {
        struct engine_config engine = {.loop = app->loop,
                                       .store = app->store,
                                       .log = &app->log,
                                       .rules = config_rules(c),
                                       .ids = &app->ids,
                                       .crash_at = c->crash_at,
                                       .on_owed = app_on_owed,
                                       .on_generation = app_on_generation,
                                       .on_reload = app_on_reload,
                                       .on_suspended = app_on_suspended,
                                       .on_looping = app_on_looping,
                                       .window_ms = decide_window_ms,
                                       .ctx = app,
                                       .traces_all = c->otlp.url != NULL};
        code = engine_new(&app->engine, &engine, app->err);
    }
    if (code == 0) {
        struct slots_config slots = {.loop = app->loop,
                                     .store = app->store,
                                     .engine = app->engine,
                                     .log = &app->log,
                                     .ids = &app->ids,
                                     .max_owed = c->limits.owed,
                                     .on_stored = app_on_slot_event,
                                     .ctx = app,
                                     .crash_at = c->crash_at};
        code = slots_new(&app->slots, &slots, app->err);
    }
    if (code == 0) {
        code = app_open_retention(app);
    }
    if (code == 0) {
        code = app_open_notices(app);
    }
    if (code == 0) {
        struct deliver_config deliver = {.loop = app->loop,
                                         .store = app->store,
                                         .client = app->client,
                                         .secrets = app->secrets,
                                         .oauth = app->oauth,
                                         .engine = app->engine,
                                         .notices = app->notices,
                                         .ids = &app->ids,
                                         .log = &app->log,
                                         .max_in_flight = app->sockets.to_targets,
                                         .target_limits = app_target_limits,
                                         .observer = {app_on_event, app_on_state, app},
                                         .ctx = app,
                                         .redirect_all = c->redirect_all,
                                         .redirect_allow =
                                             app->has_redirect_block ? &app->redirect_block : NULL,
                                         .crash_at = c->crash_at};
        code = deliver_open(&app->deliver, &deliver, app->err);
    }
    return code;
}

// A part could not be opened: closes those that are.
static void app_abandon(struct app *app)
{
    if (app->client) {
        app_on_drained(app);
    } else {
        app_on_api_closed(app);
    }
    loop_run(app->loop);
}

int app_run(const struct config *c, struct err *e)
{
    struct app app = {.config = c, .err = e};
    if (c->test_clock) {
        clock_init_test(&app.clock);
    } else {
        clock_init(&app.clock);
    }
    signal(SIGHUP, SIG_IGN); // until there is something to read again
    config_open_log(c, &app.log, &app.clock);
    app_share_sockets(&app.sockets, (size_t)c->limits.connections, &app.log);
    app_allow_redirect(&app);
    app.code = service_init(&app.service.service, e);
    if (app.code) {
        return app.code;
    }
    app.code = loop_new(&app.loop, &app.clock, e);
    if (app.code) {
        return app.code;
    }
    loop_timer_init(&app.stop_timer, app.loop, LOOP_REAL_TIME, app_stop_when_quiet, &app);
    struct store_config store = {
        .dir = c->data_dir, .loop = app.loop, .log = &app.log, .host_name = "local"};
    app.code = app_service_open_store(&app.service, &app.store, &store, e);
    if (app.code == 0 && stats_new(&app.stats, clock_wall_ms(&app.clock))) {
        app.code = err_set(e, ERR_NOMEM, "out of memory");
    }
    if (app.code == 0) {
        id_source_init(&app.ids, 0, store_last_id(app.store));
        app.code = app_open_parts(&app);
    }
    if (app.code == 0) {
        app.code = app_service_open_tls(&app.service, c, app.loop, &app.log, e);
    }
    if (app.code == 0) {
        app.code = app_service_open_signals(&app.service, app.loop, app_on_signal, &app, e);
    }
    if (app.code == 0 && !c->no_watch) {
        app.code = engine_watch(app.engine);
    }
    if (app.code == 0) {
        engine_reload(app.engine, NULL, app_on_first_load, &app);
        loop_run(app.loop);
    } else if (app.store) {
        app_abandon(&app);
    }
    deliver_free(app.deliver);
    retention_free(app.retention);
    slots_free(app.slots);
    notices_free(app.notices);
    engine_free(app.engine);
    oauth_free(app.oauth);
    secrets_free(app.secrets);
    access_free(app.access);
    tls_server_free(app.service.tls);
    stats_free(app.stats);
    size_t left = loop_free(app.loop);
    if (left) {
        log_error(&app.log, "%zu handles were still open at the end", left);
    }
    return app.code;
}
