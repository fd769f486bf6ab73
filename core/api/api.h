// The host's HTTP API (docs/reference.md, Routes): routes, who may call them, events in, what can
// be asked. Loop thread only.
#ifndef API_API_H
#define API_API_H

#include "deliver/curl_command.h"
#include "deliver/deliver.h"
#include "engine/batch.h"
#include "engine/engine.h"
#include "engine/slots.h"
#include "wire/httpd.h"

struct api;

struct stats;

struct api_config {
    struct stats *stats; // counts what happens; borrowed
    struct loop *loop;
    struct store *store;
    struct engine *engine;
    struct deliver *deliver;
    struct access *access; // loaded (api/access.h)
    struct slots *slots;   // held while an operator drains the host
    struct oauth *oauth;   // of tests that send
    struct secrets *secrets;
    void (*read_again)(void *ctx); // by a reload, beside the workflows: secrets, files of targets
    void (*curl_target)(void *ctx, struct str target, struct curl_command_target *out);
    void *ctx;             // of both
    struct client *client; // sends tests of workflows; closed before the api is
    struct id_source *ids;
    const struct log *log;
    const struct httpd_listen *listens; // borrowed while opening
    size_t listen_count;
    struct tls_server *tls;                // NULL: none
    const char *data_dir;                  // address is a file in it
    const char *redirect_all;              // shown by /readyz; or NULL
    const struct netblock *redirect_allow; // as deliver_config has it
    const char *crash_at;
    const struct spans_config *otlp; // where spans go; borrowed
    size_t max_body_bytes;
    struct batch_limits batch;
    int64_t max_owed;       // deliveries: at that mark events are refused with 503
    int64_t min_free_bytes; // on the disk
    size_t max_connections;
};

// Listens, writes DATA/address (a line for each listener; commands use the first) and, for one with
// TLS, DATA/address.pem: its public key.
int api_open(struct api **out, const struct api_config *c, struct err *e);
// The URLs in force, from 0 on (wire/httpd.h).
bool api_url(const struct api *a, size_t index, char out[HTTPD_URL_MAX]);
// What is stored, for those who watch (GET /v1/live) and for the figures: as a deliver_observer is
// told.
void api_saw_event(struct api *a, const struct store_event *ev);
void api_saw_state(struct api *a, const struct deliver_change *c);
// The last spans are sent; on_done, perhaps at once, and soon whatever becomes of them. a may be
// NULL.
void api_end_spans(struct api *a, void (*on_done)(void *ctx), void *ctx);
// Writes DATA/address.pem: the certificate is another one.
int api_write_key(const struct api *a, struct err *e);
// Accepts no more, ends live streams; who is connected may still ask, once. Returns at once:
// api_is_quiet, later, when all have gone.
void api_finish(struct api *a);
bool api_is_quiet(const struct api *a);
// Every request that is complete from now on is refused with 503: those under way only become
// fewer.
void api_drain(struct api *a);
size_t api_requests_under_way(const struct api *a);
// Nothing of the api calls back after on_closed; DATA/address is removed.
void api_close(struct api *a, void (*on_closed)(void *ctx), void *ctx);

#endif
