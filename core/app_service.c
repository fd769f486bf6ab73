#include "app_service.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

enum { LOCK_WAIT_MS = 30 * 1000, LOCK_STEP_MS = 20, PROBE_ARENA_BYTES = 4096 };

// --- where to listen
// ---------------------------------------------------------------------------------

size_t app_service_listens(const struct app_service *s, const struct config *c,
                           struct httpd_listen out[HTTPD_LISTENERS_MAX])
{
    _Static_assert(SERVICE_SOCKETS_MAX <= (int)HTTPD_LISTENERS_MAX, "each has a listener");
    size_t count = s->service.socket_count;

    if (count == 0)
        return config_listens(c, out);
    for (size_t i = 0; i < count; i++) {
        const struct service_socket *one = &s->service.sockets[i];
        out[i] = (struct httpd_listen){.inherited_fd = one->fd,
                                       .is_tls = config_socket_is_tls(c, one->fd, one->name)};
    }
    return count;
}

int app_service_open_tls(struct app_service *s, const struct config *c, struct loop *l,
                         const struct log *log, struct err *e)
{
    s->config = c;
    s->log = log;
    if (!c->tls_cert)
        return 0;
    int code = tls_server_new(&s->tls, l, log, e);

    return code ? code : config_give_tls(c, s->tls, log, e);
}

void app_service_read_tls_again(const struct app_service *s, const struct api *api)
{
    struct err e = {0};

    if (!s->tls)
        return;
    if (config_give_tls(s->config, s->tls, s->log, &e) != 0)
        log_error(s->log, "%s; the listener keeps its certificate", e.text);
    else if (api && api_write_key(api, &e) != 0)
        log_error(s->log, "%s", e.text);
}

int app_service_open_store(const struct app_service *s, struct store **out,
                           const struct store_config *c, struct err *e)
{
    const struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000L};
    int code = store_open(out, c, e);

    for (int waited_ms = 0; code == ERR_BUSY && s->service.socket_count && waited_ms < LOCK_WAIT_MS;
         waited_ms += LOCK_STEP_MS) {
        if (waited_ms == 0)
            log_info(c->log, "the data folder is still another host's: waiting for its end");
        nanosleep(&step, NULL);
        code = store_open(out, c, e);
    }
    return code;
}

// --- signs of life
// -----------------------------------------------------------------------------------

static void on_probed(struct store_due *d)
{
    struct app_service *s = d->ctx;

    s->is_probing = false;
    arena_fini(&s->arena);
    if (s->store)
        service_tell(&s->service, "WATCHDOG=1");
}

static void on_watchdog(void *ctx)
{
    struct app_service *s = ctx;

    loop_timer_start(&s->watchdog, s->service.watchdog_ms / 2);
    if (s->is_probing)
        return; // the writer has not come to the last one yet
    s->is_probing = true;
    arena_init(&s->arena, PROBE_ARENA_BYTES);
    s->probe = (struct store_due){.arena = &s->arena, .on_done = on_probed, .ctx = s};
    store_due(s->store, &s->probe);
}

void app_service_watch(struct app_service *s, struct loop *l, struct store *store)
{
    if (s->service.watchdog_ms == 0)
        return;
    s->store = store;
    loop_timer_init(&s->watchdog, l, LOOP_REAL_TIME, on_watchdog, s);
    on_watchdog(s);
}

void app_service_unwatch(struct app_service *s)
{
    if (s->store) {
        loop_timer_stop(&s->watchdog);
        s->store = NULL;
    }
}

// --- what is told
// ------------------------------------------------------------------------------------

void app_service_ready(struct app_service *s, const struct api *a)
{
    char url[HTTPD_URL_MAX];
    char all[512] = "";
    size_t len = 0;

    for (size_t i = 0; api_url(a, i, url); i++) {
        printf("hookline listens on %s\n", url);
        if (len < sizeof all)
            len += (size_t)snprintf(all + len, sizeof all - len, "%s%s", i ? ", " : "", url);
    }
    fflush(stdout);
    service_tell(&s->service, "READY=1\nSTATUS=Listening on %s", all);
}

void app_service_reloading(const struct app_service *s)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    service_tell(&s->service, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
                 (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void app_service_reloaded(const struct app_service *s)
{
    service_tell(&s->service, "READY=1");
}

void app_service_stopping(const struct app_service *s)
{
    service_tell(&s->service, "STOPPING=1\nSTATUS=Finishing what is in flight");
}

int app_service_open_signals(struct app_service *s, struct loop *l,
                             void (*on_signal)(void *ctx, int signum), void *ctx, struct err *e)
{
    static const int numbers[APP_SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
    for (int i = 0; i < APP_SIGNALS; i++) {
        if (loop_signal_open(&s->signals[i], l, numbers[i], on_signal, ctx)) {
            return err_set(e, ERR_IO, "a signal handler could not be set");
        }
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); // a limit on file sizes is an error of the store, not our end
    return 0;
}

void app_service_close_signals(struct app_service *s)
{
    for (int i = 0; i < APP_SIGNALS; i++) {
        if (s->signals[i]) {
            loop_signal_close(s->signals[i]);
        }
    }
}
