// The yardstick of `make bench`: the least that can post a body with these libraries. One thread,
// libcurl's multi interface on a libuv loop, nothing stored, nothing decided. Usage: yardstick URL
// COUNT IN_FLIGHT BODY_FILE Prints one line: requests failed seconds cpu_us_per_request
// requests_per_second.
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>

struct sender {
    uv_loop_t loop;
    uv_timer_t timer;
    CURLM *multi;
    struct curl_slist *headers;
    const char *url;
    char body[65536];
    long body_length;
    long to_start, done, failed;
};

struct watched {
    uv_poll_t poll;
    struct sender *sender;
    curl_socket_t fd;
};

static size_t drop_body(char *data, size_t size, size_t count, void *ctx)
{
    (void)data;
    (void)ctx;
    return size * count;
}

static void start_request(struct sender *s, CURL *easy)
{
    s->to_start--;
    curl_easy_setopt(easy, CURLOPT_URL, s->url);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, s->body);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, s->body_length);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, s->headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop_body);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 30000L);
    curl_multi_add_handle(s->multi, easy);
}

// An easy handle that is done posts the next request: none is made after the first IN_FLIGHT.
static void collect(struct sender *s)
{
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(s->multi, &left)) != NULL;) {
        CURL *easy = m->easy_handle;
        long status = 0;
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        s->done++;
        if (m->data.result != CURLE_OK || status != 200)
            s->failed++;
        curl_multi_remove_handle(s->multi, easy);
        if (s->to_start > 0)
            start_request(s, easy);
        else
            curl_easy_cleanup(easy);
    }
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watched *w = poll->data;
    int flags = status < 0 ? CURL_CSELECT_ERR : 0, running;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    struct sender *s = w->sender;
    curl_multi_socket_action(s->multi, w->fd, flags, &running);
    collect(s);
}

static void on_timer(uv_timer_t *timer)
{
    struct sender *s = timer->data;
    int running;
    curl_multi_socket_action(s->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(s);
}

static int set_timer(CURLM *multi, long ms, void *ctx)
{
    struct sender *s = ctx;
    (void)multi;
    if (ms < 0)
        uv_timer_stop(&s->timer);
    else
        uv_timer_start(&s->timer, on_timer, (uint64_t)ms, 0);
    return 0;
}

static void free_watched(uv_handle_t *handle)
{
    free(handle->data);
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
    struct sender *s = ctx;
    struct watched *w = socket_ctx;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w) {
            uv_poll_stop(&w->poll);
            uv_close((uv_handle_t *)&w->poll, free_watched);
            curl_multi_assign(s->multi, fd, NULL);
        }
        return 0;
    }
    if (!w) {
        w = calloc(1, sizeof *w);
        if (!w || uv_poll_init_socket(&s->loop, &w->poll, fd) != 0)
            abort();
        w->sender = s;
        w->fd = fd;
        w->poll.data = w;
        curl_multi_assign(s->multi, fd, w);
    }
    int events =
        (what != CURL_POLL_OUT ? UV_READABLE : 0) | (what != CURL_POLL_IN ? UV_WRITABLE : 0);
    uv_poll_start(&w->poll, events, on_poll);
    return 0;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    static struct sender s;
    FILE *body = argc == 5 ? fopen(argv[4], "rb") : NULL;
    if (!body) {
        fprintf(stderr, "usage: yardstick URL COUNT IN_FLIGHT BODY_FILE\n");
        return 2;
    }
    s.body_length = (long)fread(s.body, 1, sizeof s.body, body);
    fclose(body);
    s.url = argv[1];
    s.to_start = atol(argv[2]);
    curl_global_init(CURL_GLOBAL_ALL);
    uv_loop_init(&s.loop);
    uv_timer_init(&s.loop, &s.timer);
    s.timer.data = &s;
    s.multi = curl_multi_init();
    curl_multi_setopt(s.multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(s.multi, CURLMOPT_SOCKETDATA, &s);
    curl_multi_setopt(s.multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(s.multi, CURLMOPT_TIMERDATA, &s);
    curl_multi_setopt(s.multi, CURLMOPT_MAXCONNECTS, 4096L);
    s.headers = curl_slist_append(NULL, "Content-Type: application/json");
    s.headers = curl_slist_append(s.headers, "Expect:");
    uint64_t began = uv_hrtime();
    for (long i = 0, n = atol(argv[3]); i < n && s.to_start > 0; i++)
        start_request(&s, curl_easy_init());
    uv_run(&s.loop, UV_RUN_DEFAULT);
    double wall = (double)(uv_hrtime() - began) / 1e9;
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu_us = (seconds(used.ru_utime) + seconds(used.ru_stime)) * 1e6;
    printf("%ld %ld %.3f %.2f %.1f\n", s.done, s.failed, wall, cpu_us / (double)s.done,
           (double)s.done / wall);
    curl_multi_cleanup(s.multi);
    curl_slist_free_all(s.headers);
    curl_global_cleanup();
    return s.failed ? 1 : 0;
}
