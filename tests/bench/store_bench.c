// What the store costs: accept one event with one delivery, then finish the delivery, with a number
// of such pairs in flight.
//
//   store_bench [EVENTS [IN_FLIGHT [KEYED [RECORDS]]]]     20000 64 1 5000
//
// CPU is that of the whole process, and of it what the bench's own loop thread took.
#include "base/id.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const char PAYLOAD[] =
    "{\"id\":\"crm-88121\",\"type\":\"deal.updated\",\"time\":\"2026-11-23T09:15:00Z\",\"source\":"
    "\"ui\","
    "\"actor\":{\"id\":7,\"email\":\"rep@example.com\"},\"record\":{\"id\":4021,\"name\":\"Acme "
    "renewal\","
    "\"amount\":12500.50,\"deal_stage\":\"Default Pipeline:Won\",\"closed_date\":\"2026-11-23\","
    "\"created_at\":\"2026-10-01T08:00:00Z\",\"product\":\"Gold "
    "plan\",\"sales_account\":{\"id\":88,"
    "\"name\":\"Acme Inc\"}},\"previous\":{\"deal_stage\":\"Default Pipeline:Negotiation\"}}";
static const char BODY[] = "{\"amount\":12500.50,\"closed_date\":\"2026-11-23\",\"created_at\":"
                           "\"2026-10-01T08:00:00Z\",\"product\":\"Gold plan\",\"sales_account\":"
                           "{\"name\":\"Acme Inc\"}}";
static const char HEAD[] =
    "{\"method\":\"POST\",\"url\":\"https://invoices.example.com/api/invoices\","
    "\"headers\":[[\"Content-Type\",\"application/json\"],"
    "[\"X-Sample-CustomHeader1\",\"VALUE\"]]}";
static const char ANSWER_HEADERS[] =
    "server: nginx/1.22.1\ndate: Mon, 23 Nov 2026 09:15:00 GMT\ncontent-type: text/plain\n"
    "content-length: 3\nconnection: keep-alive\n";

struct bench;

struct pair {
    struct bench *bench;
    struct store_accept accept;
    struct store_event event;
    struct store_run run;
    struct store_delivery delivery;
    struct store_finish finish;
    struct arena arena;
    char key[32];
    char record[32];
    double accept_from_us;
};

struct bench {
    struct store *store;
    struct loop *loop;
    struct clock clock;
    struct id_source ids;
    long wanted, begun, ended;
    double *accept_us; // how long each waited for its accept
    long accepted;
    long records; // different ones, in no order
    bool is_keyed;
};

static void pair_begin(struct pair *p);

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void on_closed(void *ctx)
{
    (void)ctx;
}

static void on_finished(struct store_finish *f)
{
    struct pair *p = f->ctx;
    if (f->code != 0) {
        fprintf(stderr, "finish: %s\n", err_word((enum err_code)f->code));
        exit(1);
    }
    struct bench *b = p->bench;
    if (++b->ended == b->wanted) {
        store_close(b->store, on_closed, NULL);
    } else if (b->begun < b->wanted) {
        pair_begin(p);
    }
}

static void on_accepted(struct store_accept *a)
{
    struct pair *p = a->ctx;
    if (a->code != 0) {
        fprintf(stderr, "accept: %s\n", a->err.text);
        exit(1);
    }
    p->bench->accept_us[p->bench->accepted++] = now_us() - p->accept_from_us;
    p->finish = (struct store_finish){
        .delivery = p->delivery.id,
        .state = DELIVERY_DELIVERED,
        .attempt = {.number = 1,
                    .at_ms = p->event.received_at_ms,
                    .elapsed_ms = 3,
                    .status = 200,
                    .headers = {ANSWER_HEADERS, sizeof ANSWER_HEADERS - 1},
                    .body = STR("ok\n")},
        .on_done = on_finished,
        .ctx = p,
    };
    store_finish(p->bench->store, &p->finish);
}

static void pair_begin(struct pair *p)
{
    struct bench *b = p->bench;
    long n = b->begun++;
    int64_t now_ms = clock_wall_ms(&b->clock);
    int key_len = snprintf(p->key, sizeof p->key, "crm-%ld", n);
    int record_len = snprintf(p->record, sizeof p->record, "%ld", n * 7919 % b->records);
    uint64_t id = id_next(&b->ids, now_ms);
    p->delivery = (struct store_delivery){.id = id_next(&b->ids, now_ms),
                                          .action = 1,
                                          .target = STR("https://invoices.example.com:443"),
                                          .due_at_ms = now_ms,
                                          .head = {HEAD, sizeof HEAD - 1},
                                          .body = {BODY, sizeof BODY - 1}};
    p->run = (struct store_run){.workflow = STR("invoice_on_won_deal"),
                                .generation = 1,
                                .deliveries = &p->delivery,
                                .delivery_count = 1};
    p->event = (struct store_event){.id = id,
                                    .key = {p->key, b->is_keyed ? (size_t)key_len : 0},
                                    .digest = (uint64_t)n,
                                    .type = STR("deal.updated"),
                                    .record_type = STR("deal"),
                                    .record_id = {p->record, (size_t)record_len},
                                    .time_ms = now_ms,
                                    .received_at_ms = now_ms,
                                    .payload = {PAYLOAD, sizeof PAYLOAD - 1},
                                    .runs = &p->run,
                                    .run_count = 1};
    p->accept = (struct store_accept){.events = &p->event,
                                      .event_count = 1,
                                      .arena = &p->arena,
                                      .on_done = on_accepted,
                                      .ctx = p};
    p->accept_from_us = now_us();
    store_accept(b->store, &p->accept);
}

static double cpu_us(int who)
{
    struct rusage u;
    getrusage(who, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

int main(int argc, char **argv)
{
    struct bench b = {.wanted = argc > 1 ? atol(argv[1]) : 20000};
    long in_flight = argc > 2 ? atol(argv[2]) : 64;
    b.is_keyed = argc > 3 ? atol(argv[3]) != 0 : true;
    b.records = argc > 4 ? atol(argv[4]) : 5000;

    char dir[] = "store_bench.XXXXXX";
    struct log log;
    struct err e;
    clock_init(&b.clock);
    log_init(&log, 2, &b.clock);
    if (!mkdtemp(dir) || loop_new(&b.loop, &b.clock, &e) != 0) {
        return 1;
    }
    struct store_config config = {.dir = dir, .loop = b.loop, .log = &log, .host_name = "bench"};
    if (store_open(&b.store, &config, &e) != 0) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    id_source_init(&b.ids, 0, store_last_id(b.store));

    b.accept_us = calloc((size_t)b.wanted, sizeof *b.accept_us);
    double from_us = now_us();
    double cpu_from = cpu_us(RUSAGE_SELF), own_from = cpu_us(RUSAGE_THREAD);
    struct pair *pairs = calloc((size_t)in_flight, sizeof *pairs);
    for (long i = 0; i < in_flight && b.begun < b.wanted; i++) {
        pairs[i].bench = &b;
        arena_init(&pairs[i].arena, 1 << 16);
        pair_begin(&pairs[i]);
    }
    loop_run(b.loop);
    double cpu = cpu_us(RUSAGE_SELF) - cpu_from, own = cpu_us(RUSAGE_THREAD) - own_from;
    double seconds = (now_us() - from_us) / 1e6;

    double n = (double)b.wanted;
    printf("store: %ld events, %ld in flight: %.0f events/s, CPU %.1f us/event (of it the loop's "
           "thread %.1f)\n",
           b.wanted, in_flight, n / seconds, cpu / n, own / n);
    qsort(b.accept_us, (size_t)b.wanted, sizeof *b.accept_us, compare_doubles);
    printf("an accept waits: median %.1f ms, 99 of 100 under %.1f ms, at most %.1f ms\n",
           b.accept_us[b.wanted / 2] / 1e3, b.accept_us[b.wanted * 99 / 100] / 1e3,
           b.accept_us[b.wanted - 1] / 1e3);
    free(b.accept_us);
    free(pairs);
    loop_free(b.loop);
    char command[64];
    snprintf(command, sizeof command, "rm -r '%s'", dir);
    return system(command) == 0 ? 0 : 1;
}
