#include "api/live.h"

#include <stdlib.h>

enum {
    MESSAGE_MAX_BYTES = 1 << 20,
    CHANGE_ARENA_BYTES = 1 << 20,
    WHOLE = 1000, // one message, in thousandths
    TICK_MS = 1000,
};

enum live_topic { LIVE_DELIVERIES, LIVE_RUNS, LIVE_EVENTS, LIVE_OVERVIEW, LIVE_TOPICS };

static const struct {
    struct str topic;  // in the query
    const char *event; // of a message
} TOPICS[LIVE_TOPICS] = {
    [LIVE_DELIVERIES] = {STR("deliveries"), "delivery"},
    [LIVE_RUNS] = {STR("runs"), "run"},
    [LIVE_EVENTS] = {STR("events"), "event"},
    [LIVE_OVERVIEW] = {STR("overview"), "overview"},
};

struct live_stream {
    struct live_stream *next;
    struct httpd_request *request;
    unsigned topics;             // a bit each
    int64_t rate;                // messages a second of each topic
    int64_t room[LIVE_OVERVIEW]; // thousandths of messages; a second's worth at most
    int64_t filled_ms;
    int64_t skipped; // messages that it was not told of yet
};

struct live {
    struct api *api;
    struct live_stream *streams;
    size_t stream_count;
    size_t reads; // under way, of deliveries that changed
    struct loop_timer timer;
    unsigned ticks;
    struct json_writer writer;
    struct buf message;
};

// A delivery that changed, while it is read.
struct live_change {
    struct live *live;
    uint64_t delivery;
    struct store_read read;
    struct arena arena;
    struct store_attempt attempt; // its texts are on the arena; number 0: none
};

static int64_t live_now_ms(const struct live *l)
{
    return loop_now_ms(l->api->config.loop, LOOP_REAL_TIME);
}

// --- who gets what -------------------------------------------------------------------------------

static bool stream_watches(const struct live_stream *s, enum live_topic topic)
{
    return s->topics >> topic & 1;
}

static void stream_fill(struct live_stream *s, int64_t now_ms)
{
    int64_t more = (now_ms - s->filled_ms) * s->rate;
    for (int topic = 0; topic < LIVE_OVERVIEW; topic++) {
        int64_t room = s->room[topic] + more;
        s->room[topic] = room < s->rate * WHOLE ? room : s->rate * WHOLE;
    }
    s->filled_ms = now_ms;
}

// Whether a message is worth being made, beside `others` that are under way; if not, those who
// would have got it have missed it.
static bool live_wants(struct live *l, enum live_topic topic, size_t others)
{
    int64_t now_ms = live_now_ms(l);
    int64_t needed = ((int64_t)others + 1) * WHOLE;
    bool is_wanted = false;
    for (struct live_stream *s = l->streams; s; s = s->next) {
        stream_fill(s, now_ms);
        is_wanted |= stream_watches(s, topic) && s->room[topic] >= needed;
    }
    for (struct live_stream *s = l->streams; s && !is_wanted; s = s->next) {
        s->skipped += stream_watches(s, topic);
    }
    return is_wanted;
}

static struct json_writer *message_begin(struct live *l, const char *event)
{
    buf_reset(&l->message);
    buf_printf(&l->message, "event: %s\ndata: ", event);
    json_writer_init(&l->writer, &l->message);
    return &l->writer;
}

static bool stream_take(struct live_stream *s, struct live *l)
{
    return !l->message.failed && httpd_stream_write(s->request, buf_str(&l->message));
}

// The message is whole: to all that watch its topic and have room for it.
static void message_end(struct live *l, enum live_topic topic)
{
    buf_append_str(&l->message, STR("\n\n"));
    for (struct live_stream *s = l->streams; s; s = s->next) {
        if (!stream_watches(s, topic)) {
            continue;
        }
        bool is_limited = topic != LIVE_OVERVIEW; // of which there are few, and a newer one comes
        if (is_limited && (s->room[topic] < WHOLE || !stream_take(s, l))) {
            s->skipped++;
        } else if (is_limited) {
            s->room[topic] -= WHOLE;
        } else {
            stream_take(s, l);
        }
    }
}

// --- messages ------------------------------------------------------------------------------------

static void live_tell_event(struct live *l, const struct store_event *ev, struct str key)
{
    struct json_writer *w = message_begin(l, TOPICS[LIVE_EVENTS].event);
    json_object_begin(w);
    json_member_string(w, "id", key);
    json_member_string(w, "type", ev->type);
    api_write_record(w, ev->record_type, ev->record_id);
    json_member_time(w, "received_at", ev->received_at_ms);
    json_object_end(w);
    message_end(l, LIVE_EVENTS);
}

static void live_tell_run(struct live *l, const struct store_event *ev, const struct store_run *run,
                          struct str key)
{
    struct json_writer *w = message_begin(l, TOPICS[LIVE_RUNS].event);
    struct store_run_row row = {.event_key = key,
                                .workflow = run->workflow,
                                .generation = run->generation,
                                .outcome = run->outcome,
                                .reason = run->reason,
                                .is_replay = ev->is_replay};
    events_write_run_head(w, &row);
    api_write_run_deliveries(w, run);
    json_member_string(w, "type", ev->type);
    api_write_record(w, ev->record_type, ev->record_id);
    json_object_end(w);
    message_end(l, LIVE_RUNS);
}

static void live_tell_owed(struct live *l, const struct store_event *ev,
                           const struct store_run *run, const struct store_delivery *d,
                           struct str key)
{
    struct json_writer *w = message_begin(l, TOPICS[LIVE_DELIVERIES].event);
    struct store_delivery_row row = {.owed = {.id = d->id,
                                              .event_key = key,
                                              .workflow = run->workflow,
                                              .record_type = ev->record_type,
                                              .record_id = ev->record_id,
                                              .action = d->action,
                                              .state = d->is_waiting ? DELIVERY_HELD : d->state,
                                              .target = d->target,
                                              .due_at_ms = d->due_at_ms,
                                              .retry = d->retry},
                                     .event_type = ev->type,
                                     .created_at_ms = id_time_ms(d->id),
                                     .reason = d->reason};
    json_object_begin(w);
    api_write_delivery(w, l->api, &row);
    json_object_end(w);
    message_end(l, LIVE_DELIVERIES);
}

// s: to this one alone, NULL: to all that watch it.
static void live_tell_overview(struct live *l, struct live_stream *s)
{
    bool is_watched = s != NULL;
    for (const struct live_stream *each = l->streams; each && !is_watched; each = each->next) {
        is_watched = stream_watches(each, LIVE_OVERVIEW);
    }
    if (!is_watched) {
        return;
    }
    api_write_overview(message_begin(l, TOPICS[LIVE_OVERVIEW].event), l->api);
    if (s) {
        buf_append_str(&l->message, STR("\n\n"));
        stream_take(s, l);
    } else {
        message_end(l, LIVE_OVERVIEW);
    }
}

// --- a delivery that changed ---------------------------------------------------------------------

static void change_free(struct live_change *c)
{
    c->live->reads--;
    api_end(c->live->api);
    arena_fini(&c->arena);
    free(c);
}

static void change_write_attempt(struct json_writer *w, const struct store_attempt *at)
{
    json_key(w, STR("attempt"));
    if (at->number == 0) {
        json_null(w);
        return;
    }
    json_object_begin(w);
    json_member_integer(w, "number", at->number);
    json_member_time(w, "at", at->at_ms);
    json_member_integer(w, "elapsed_ms", at->elapsed_ms);
    json_key(w, STR("status"));
    if (at->status) {
        json_integer(w, at->status);
    } else {
        json_null(w);
    }
    json_member_string_or_null(w, "error", at->error);
    json_member_string_or_null(w, "detail", at->detail);
    json_object_end(w);
}

static void change_on_read(struct store_read *read)
{
    struct live_change *c = read->ctx;
    struct live *l = c->live;
    // It may be gone by now, and the page begins with an older one.
    if (l->streams && read->code == 0 && read->count == 1 &&
        read->deliveries[0].owed.id == c->delivery) {
        struct json_writer *w = message_begin(l, TOPICS[LIVE_DELIVERIES].event);
        json_object_begin(w);
        api_write_delivery(w, l->api, &read->deliveries[0]);
        change_write_attempt(w, &c->attempt);
        json_object_end(w);
        message_end(l, LIVE_DELIVERIES);
    }
    change_free(c);
}

void live_saw_delivery(struct live *l, uint64_t delivery, const struct store_attempt *attempt)
{
    struct live_change *c =
        l->streams && live_wants(l, LIVE_DELIVERIES, l->reads) ? calloc(1, sizeof *c) : NULL;
    if (c == NULL) {
        return; // a message less
    }
    arena_init(&c->arena, CHANGE_ARENA_BYTES);
    c->live = l;
    c->delivery = delivery;
    if (attempt) {
        c->attempt = (struct store_attempt){.number = attempt->number,
                                            .at_ms = attempt->at_ms,
                                            .elapsed_ms = attempt->elapsed_ms,
                                            .status = attempt->status,
                                            .error = arena_dup(&c->arena, attempt->error),
                                            .detail = arena_dup(&c->arena, attempt->detail)};
    }
    // A page of one that begins with it, so that it is read as a list has it.
    c->read = (struct store_read){.kind = STORE_READ_DELIVERIES,
                                  .before = delivery + 1,
                                  .limit = 1,
                                  .arena = &c->arena,
                                  .on_done = change_on_read,
                                  .ctx = c};
    l->reads++;
    api_begin(l->api); // the store is not closed before it is back
    store_read(l->api->config.store, &c->read);
}

void live_saw_event(struct live *l, const struct store_event *ev)
{
    char shown[ID_SHOWN_LEN + 1];
    if (l->streams == NULL || ev->is_duplicate) {
        return;
    }
    struct str key = ev->key.len ? ev->key : id_show(shown, ID_EVENT, ev->id);
    if (!ev->is_replay && live_wants(l, LIVE_EVENTS, 0)) {
        live_tell_event(l, ev, key);
    }
    for (size_t r = 0; r < ev->run_count; r++) {
        const struct store_run *run = &ev->runs[r];
        if (run->was_marked) {
            continue;
        }
        if (live_wants(l, LIVE_RUNS, 0)) {
            live_tell_run(l, ev, run, key);
        }
        for (size_t i = 0; i < run->delivery_count; i++) {
            if (run->is_held_back) { // the store alone says what became of it
                live_saw_delivery(l, run->deliveries[i].id, NULL);
            } else if (live_wants(l, LIVE_DELIVERIES, 0)) {
                live_tell_owed(l, ev, run, &run->deliveries[i], key);
            }
        }
    }
}

// --- streams -------------------------------------------------------------------------------------

static void stream_remove(struct live *l, struct live_stream **link)
{
    struct live_stream *s = *link;
    *link = s->next;
    l->stream_count--;
    httpd_stream_close(s->request);
    free(s);
    if (l->streams == NULL) {
        loop_timer_stop(&l->timer);
    }
}

void live_gone(struct live *l, struct httpd_request *r)
{
    for (struct live_stream **link = &l->streams; *link; link = &(*link)->next) {
        if ((*link)->request == r) {
            stream_remove(l, link);
            return;
        }
    }
}

void live_end(struct live *l)
{
    while (l->streams) {
        stream_remove(l, &l->streams);
    }
}

// A stream is as good as the token that it came with.
static void live_end_of_the_gone(struct live *l)
{
    struct live_stream **link = &l->streams;
    while (*link) {
        if (api_caller_is_gone(l->api, (*link)->request)) {
            stream_remove(l, link);
        } else {
            link = &(*link)->next;
        }
    }
}

static void live_tell_skipped(struct live *l, struct live_stream *s)
{
    if (s->skipped == 0) {
        return;
    }
    struct json_writer *w = message_begin(l, "skipped");
    json_object_begin(w);
    json_member_integer(w, "count", s->skipped);
    json_object_end(w);
    buf_append_str(&l->message, STR("\n\n"));
    if (stream_take(s, l)) {
        s->skipped = 0;
    }
}

static void live_on_tick(void *ctx)
{
    struct live *l = ctx;
    bool is_comment_due = ++l->ticks % LIVE_COMMENT_S == 0;
    live_end_of_the_gone(l);
    if (l->streams == NULL) {
        return;
    }
    live_tell_overview(l, NULL);
    for (struct live_stream *s = l->streams; s; s = s->next) {
        live_tell_skipped(l, s);
        if (is_comment_due) {
            // Long enough for clients that want so many bytes a second, over a while.
            httpd_stream_write(s->request, STR(": nothing is wrong, the host is there\n\n"));
        }
    }
    loop_timer_start(&l->timer, TICK_MS);
}

// A bit for each of "deliveries,runs"; all without the parameter; 0: one that there is not.
static unsigned live_topics(struct httpd_request *r)
{
    enum { LIST_MAX_BYTES = 128, ALL = (1 << LIVE_TOPICS) - 1 };
    struct buf list;
    unsigned topics = 0;
    buf_init(&list, LIST_MAX_BYTES);
    bool is_known = httpd_query_get(r, "topics", &list);
    if (!is_known) {
        topics = ALL;
    }
    struct str rest = buf_str(&list);
    while (is_known && !list.failed) {
        const char *comma = rest.len ? memchr(rest.data, ',', rest.len) : NULL;
        struct str word = {rest.data, comma ? (size_t)(comma - rest.data) : rest.len};
        unsigned topic = 0;
        while (topic < LIVE_TOPICS && !str_eq(TOPICS[topic].topic, word)) {
            topic++;
        }
        topics |= 1u << topic;
        if (!comma) {
            break;
        }
        rest = (struct str){comma + 1, rest.len - word.len - 1};
    }
    bool is_wrong = list.failed || topics > ALL;
    buf_fini(&list);
    return is_wrong ? 0 : topics;
}

static size_t live_streams_max(const struct api *a)
{
    size_t half = a->config.max_connections / 2; // the rest is for those who ask and go
    return half > 0 && half < LIVE_STREAMS_MAX ? half : LIVE_STREAMS_MAX;
}

void api_get_live(struct api *a, struct httpd_request *r, struct str id)
{
    (void)id;
    struct live *l = a->live;
    struct httpd_answer answer = {.status = 200,
                                  .content_type = "text/event-stream",
                                  .extra_headers = "Cache-Control: no-store\r\n"
                                                   "X-Accel-Buffering: no\r\n"};
    unsigned topics = live_topics(r);
    if (topics == 0) {
        api_send_problem(r, 400, "topics: some of deliveries,runs,events,overview", NULL);
        return;
    }
    if (str_eq(httpd_method(r), STR("HEAD"))) {
        httpd_send(r, &answer);
        return;
    }
    struct live_stream *s = l->stream_count < live_streams_max(a) ? calloc(1, sizeof *s) : NULL;
    if (s == NULL) {
        api_send_unavailable(r, "there are as many live streams as there may be");
        return;
    }
    unsigned limited = topics & ~(1u << LIVE_OVERVIEW);
    s->request = r;
    s->topics = topics;
    s->rate = LIVE_PER_SECOND / (limited ? __builtin_popcount(limited) : 1);
    s->filled_ms = live_now_ms(l) - TICK_MS;
    s->next = l->streams;
    l->streams = s;
    if (l->stream_count++ == 0) {
        loop_timer_start(&l->timer, TICK_MS);
    }
    answer.body = STR(": live\n\n"); // at once, so that the client knows that it watches
    httpd_stream_open(r, &answer, LIVE_UNSENT_MAX_BYTES);
    if (stream_watches(s, LIVE_OVERVIEW)) {
        live_tell_overview(l, s); // the first one is not waited for
    }
}

// --- life ----------------------------------------------------------------------------------------

int live_new(struct live **out, struct api *a)
{
    struct live *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return ERR_NOMEM;
    }
    l->api = a;
    loop_timer_init(&l->timer, a->config.loop, LOOP_REAL_TIME, live_on_tick, l);
    buf_init(&l->message, MESSAGE_MAX_BYTES);
    *out = l;
    return 0;
}

void live_free(struct live *l)
{
    while (l && l->streams) {
        struct live_stream *s = l->streams;
        l->streams = s->next;
        free(s);
    }
    if (l) {
        loop_timer_stop(&l->timer);
        buf_fini(&l->message);
    }
    free(l);
}
