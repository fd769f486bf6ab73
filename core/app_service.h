// The host as a service: where it listens, with which certificate, and what systemd is told of it
// (the start, reloads, the stop, signs of life). Main thread.
#ifndef APP_SERVICE_H
#define APP_SERVICE_H

#include "api/api.h"
#include "base/service.h"
#include "config.h"
#include "store/targets.h"

enum { APP_SIGNALS = 3 };

struct app_service {
    struct service service;
    struct loop_signal *signals[APP_SIGNALS];
    const struct config *config;
    const struct log *log;
    struct tls_server *tls; // NULL: the host listens without
    struct store *store;    // while signs of life are given
    struct loop_timer watchdog;
    struct store_due probe; // asks for nothing: that it comes back shows that the writer lives
    struct arena arena;     // of the probe
    bool is_probing;
};

// Where the host is to listen: on what systemd passed, else as configured. Returns the count.
size_t app_service_listens(const struct app_service *s, const struct config *c,
                           struct httpd_listen out[HTTPD_LISTENERS_MAX]);
// The certificate, if one is configured, for the start and again by a reload: a bad one is refused
// with a line in the log then, and the one in force stays. api may be NULL.
int app_service_open_tls(struct app_service *s, const struct config *c, struct loop *l,
                         const struct log *log, struct err *e);
void app_service_read_tls_again(const struct app_service *s, const struct api *api);
// Opens the store. Where systemd passed sockets, the process before this one may still be about to
// end: its lock is waited for.
int app_service_open_store(const struct app_service *s, struct store **out,
                           const struct store_config *c, struct err *e);
// SIGTERM and SIGINT (stop) and SIGHUP (read again) go to on_signal; others that would end the
// process are ignored. ERR_IO.
int app_service_open_signals(struct app_service *s, struct loop *l,
                             void (*on_signal)(void *ctx, int signum), void *ctx, struct err *e);
void app_service_close_signals(struct app_service *s);
// The host is ready: tells systemd, and stdout, where it listens.
void app_service_ready(struct app_service *s, const struct api *a);
// Signs of life, while both the loop and the store's writer give them.
void app_service_watch(struct app_service *s, struct loop *l, struct store *store);
void app_service_unwatch(struct app_service *s); // before the store closes
void app_service_reloading(const struct app_service *s);
void app_service_reloaded(const struct app_service *s);
void app_service_stopping(const struct app_service *s);

#endif
