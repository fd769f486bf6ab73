#include "temp.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "loop/internal.h"
#include "loop/stream.h"

enum { PATIENCE_MS = 20000, BIG_BYTES = 24 * 1024 * 1024, GOT_MAX = 4096 };

// One listener; the newest stream it gave is the one under test. The peer is a plain blocking or
// non-blocking socket of the same thread.
struct fixture {
    struct clock clock;
    struct loop *loop;
    char folder[64];
    char address[160]; // to listen on
    struct loop_listener *listener;
    struct loop_stream *stream;
    int accepted;
    int peer;

    bool echoes;
    bool closes_in_read;
    char got[GOT_MAX];
    size_t got_len;
    int reads;
    int ends;
    int breaks;
    int sents;
    int sent_code;
    int closeds;
};

static void on_read(void *ctx, char *data, long len)
{
    struct fixture *f = ctx;
    f->reads++;
    if (len == 0) {
        f->ends++;
    } else if (len < 0) {
        f->breaks++;
    } else {
        assert_true(f->got_len + (size_t)len < sizeof f->got);
        memcpy(f->got + f->got_len, data, (size_t)len);
        f->got_len += (size_t)len;
        if (f->echoes) {
            struct str pieces[] = {STR("["), {data, (size_t)len}, {NULL, 0}, STR("]")};
            assert_int_equal(loop_stream_send(f->stream, pieces, 4, NULL, NULL), 1);
        }
    }
    if (f->closes_in_read) {
        loop_stream_close(f->stream, NULL, NULL);
        f->stream = NULL;
    }
}

static void on_sent(void *ctx, int code)
{
    struct fixture *f = ctx;
    f->sents++;
    f->sent_code = code;
}

static void on_closed(void *ctx)
{
    struct fixture *f = ctx;
    f->closeds++;
}

static void on_stream(void *ctx, struct loop_stream *s)
{
    struct fixture *f = ctx;
    f->stream = s;
    f->accepted++;
    loop_stream_on_read(s, on_read, f);
    loop_stream_read_start(s);
}

static int listen_on(struct fixture *f, const char *address, struct err *e)
{
    struct loop_listener_config c = {.address = address, .on_stream = on_stream, .ctx = f};
    return loop_listen(&f->listener, f->loop, &c, e);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f) {
        return -1;
    }
    f->peer = -1;
    clock_init(&f->clock);
    temp_template(f->folder, sizeof f->folder);
    if (!mkdtemp(f->folder)) {
        return -1;
    }
    *state = f;
    return loop_new(&f->loop, &f->clock, NULL);
}

static int set_up_tcp(void **state)
{
    int rc = set_up(state);
    struct fixture *f = *state;
    snprintf(f->address, sizeof f->address, "127.0.0.1:0");
    return rc != 0 ? rc : listen_on(f, f->address, NULL);
}

static int set_up_unix(void **state)
{
    int rc = set_up(state);
    struct fixture *f = *state;
    snprintf(f->address, sizeof f->address, "unix:%s/socket", f->folder);
    return rc != 0 ? rc : listen_on(f, f->address, NULL);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->listener) {
        loop_listener_close(f->listener);
    }
    if (f->stream) {
        loop_stream_close(f->stream, NULL, NULL);
    }
    if (f->peer >= 0) {
        close(f->peer);
    }
    loop_run(f->loop);
    size_t open = loop_free(f->loop);
    int rc = rmdir(f->folder); // fails where a socket file was left
    free(f);
    return open == 0 && rc == 0 ? 0 : -1;
}

static struct sockaddr_un socket_address(const char *path)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    assert_true(strlen(path) < sizeof un.sun_path);
    memcpy(un.sun_path, path, strlen(path) + 1);
    return un;
}

static int connect_to(const char *address)
{
    struct sockaddr_storage to = {0};
    socklen_t len;
    if (strncmp(address, "unix:", 5) == 0) {
        *(struct sockaddr_un *)&to = socket_address(address + 5);
        len = sizeof(struct sockaddr_un);
    } else if (address[0] == '[') {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&to;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
        v6->sin6_addr = in6addr_loopback;
        len = sizeof *v6;
    } else {
        struct sockaddr_in *v4 = (struct sockaddr_in *)&to;
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
        v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        len = sizeof *v4;
    }
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, (struct sockaddr *)&to, len) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void turn_until(struct fixture *f, const int *count, int wanted)
{
    int64_t give_up_ms = clock_mono_ms(&f->clock) + PATIENCE_MS;
    while (*count < wanted) {
        loop_turn(f->loop);
        if (clock_mono_ms(&f->clock) > give_up_ms) {
            fail_msg("%d of %d", *count, wanted);
        }
    }
}

static void connect_peer(struct fixture *f)
{
    f->peer = connect_to(loop_listener_address(f->listener));
    assert_true(f->peer >= 0);
    turn_until(f, &f->accepted, 1);
}

static void expect_at_peer(struct fixture *f, const char *wanted)
{
    char got[GOT_MAX];
    size_t len = strlen(wanted);
    assert_int_equal(recv(f->peer, got, len, MSG_WAITALL), len);
    assert_memory_equal(got, wanted, len);
}

static void echoes(void **state)
{
    struct fixture *f = *state;
    f->echoes = true;
    connect_peer(f);
    assert_int_equal(write(f->peer, "hello", 5), 5);
    turn_until(f, &f->reads, 1);
    expect_at_peer(f, "[hello]");
    assert_int_equal(write(f->peer, "again", 5), 5);
    turn_until(f, &f->reads, 2);
    expect_at_peer(f, "[again]");
    assert_str((struct str){f->got, f->got_len}, STR("helloagain"));
    assert_int_equal(loop_stream_queued_bytes(f->stream), 0);
    assert_int_equal(loop_stream_send(f->stream, NULL, 0, on_sent, f), 1);
    assert_int_equal(f->sents, 0);
}

static void a_peer_may_end_its_side_alone(void **state)
{
    struct fixture *f = *state;
    connect_peer(f);
    assert_int_equal(write(f->peer, "last words", 10), 10);
    assert_int_equal(shutdown(f->peer, SHUT_WR), 0);
    turn_until(f, &f->ends, 1);
    assert_str((struct str){f->got, f->got_len}, STR("last words"));
    struct str answer = STR("still heard");
    assert_int_equal(loop_stream_send(f->stream, &answer, 1, NULL, NULL), 1);
    expect_at_peer(f, "still heard");
    loop_turn(f->loop);
    assert_int_equal(f->ends, 1);
    assert_int_equal(f->breaks, 0);
}

static void we_may_end_our_side_alone(void **state)
{
    struct fixture *f = *state;
    connect_peer(f);
    struct str answer = STR("refused");
    assert_int_equal(loop_stream_send(f->stream, &answer, 1, NULL, NULL), 1);
    loop_stream_end(f->stream);
    loop_turn(f->loop);
    expect_at_peer(f, "refused");
    char byte;
    assert_int_equal(recv(f->peer, &byte, 1, 0), 0);
    assert_int_equal(write(f->peer, "more", 4), 4);
    turn_until(f, &f->reads, 1);
    assert_str((struct str){f->got, f->got_len}, STR("more"));
    assert_true(loop_stream_send(f->stream, &answer, 1, NULL, NULL) < 0);
}

static void reading_stops_and_starts(void **state)
{
    struct fixture *f = *state;
    connect_peer(f);
    loop_stream_read_stop(f->stream);
    assert_int_equal(write(f->peer, "a", 1), 1);
    close(f->peer);
    f->peer = -1;
    for (int i = 0; i < 20; i++) {
        loop_turn(f->loop);
    }
    assert_int_equal(f->reads, 0);
    loop_stream_read_start(f->stream);
    turn_until(f, &f->ends, 1);
    assert_str((struct str){f->got, f->got_len}, STR("a"));
}

static unsigned char byte_at(size_t at)
{
    return (unsigned char)(at * 2654435761u >> 13);
}

static void big_sends_wait_for_the_peer(void **state)
{
    struct fixture *f = *state;
    connect_peer(f);
    char *big = malloc(BIG_BYTES);
    assert_non_null(big);
    for (size_t i = 0; i < BIG_BYTES; i++) {
        big[i] = (char)byte_at(i);
    }
    // In pieces of which the socket takes some, and cuts one.
    struct str pieces[] = {
        {big, 100}, {big + 100, BIG_BYTES / 2 - 100}, {big + BIG_BYTES / 2, BIG_BYTES / 2}};
    assert_int_equal(loop_stream_send(f->stream, pieces, 3, on_sent, f), 0);
    free(big); // what is queued was copied
    size_t queued = loop_stream_queued_bytes(f->stream);
    assert_true(queued > 0 && queued < BIG_BYTES);
    struct str tail = STR("tail");
    assert_int_equal(loop_stream_send(f->stream, &tail, 1, on_sent, f), 0);
    assert_int_equal(loop_stream_queued_bytes(f->stream), queued + 4);

    static char got[256 * 1024];
    assert_int_equal(fcntl(f->peer, F_SETFL, O_NONBLOCK), 0);
    size_t at = 0;
    int64_t give_up_ms = clock_mono_ms(&f->clock) + PATIENCE_MS;
    while (at < BIG_BYTES + 4) {
        assert_true(clock_mono_ms(&f->clock) < give_up_ms);
        ssize_t len = recv(f->peer, got, sizeof got, 0);
        if (len < 0) {
            assert_int_equal(errno, EAGAIN);
            assert_true(f->sents < 2);
            loop_turn(f->loop);
            continue;
        }
        assert_true(len > 0);
        for (ssize_t i = 0; i < len; i++, at++) {
            unsigned char wanted =
                at < BIG_BYTES ? byte_at(at) : (unsigned char)"tail"[at - BIG_BYTES];
            if ((unsigned char)got[i] != wanted) {
                fail_case(at, "another byte");
            }
        }
    }
    turn_until(f, &f->sents, 2);
    assert_int_equal(f->sent_code, 0);
    assert_int_equal(loop_stream_queued_bytes(f->stream), 0);
}

static void a_closed_stream_never_calls_back(void **state)
{
    struct fixture *f = *state;
    connect_peer(f);
    char *big = calloc(1, BIG_BYTES);
    assert_non_null(big);
    struct str piece = {big, BIG_BYTES};
    assert_int_equal(loop_stream_send(f->stream, &piece, 1, on_sent, f), 0);
    free(big);
    assert_int_equal(write(f->peer, "unread", 6), 6);
    loop_stream_close(f->stream, on_closed, f);
    f->stream = NULL;
    assert_int_equal(f->closeds, 0);
    turn_until(f, &f->closeds, 1);
    for (int i = 0; i < 10; i++) {
        loop_turn(f->loop);
    }
    assert_int_equal(f->sents, 0);
    assert_int_equal(f->reads, 0);
    assert_int_equal(f->closeds, 1);
}

static void a_stream_may_be_closed_while_it_reads(void **state)
{
    struct fixture *f = *state;
    f->closes_in_read = true;
    connect_peer(f);
    assert_int_equal(write(f->peer, "bye", 3), 3);
    turn_until(f, &f->reads, 1);
    char byte;
    loop_turn(f->loop);
    assert_int_equal(recv(f->peer, &byte, 1, 0), 0);
}

static void a_reset_breaks_the_stream(void **state)
{
    struct fixture *f = *state;
    connect_peer(f);
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(setsockopt(f->peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close(f->peer);
    f->peer = -1;
    turn_until(f, &f->breaks, 1);
    assert_int_equal(f->ends, 0);
    struct str answer = STR("to nobody");
    int rc = 0;
    for (int i = 0; i < 3 && rc >= 0; i++) {
        rc = loop_stream_send(f->stream, &answer, 1, on_sent, f);
    }
    assert_true(rc < 0); // and no SIGPIPE
    assert_int_equal(f->sents, 0);
}

static void many_streams_share_the_read_buffer(void **state)
{
    struct fixture *f = *state;
    enum { PEERS = 30 };
    struct loop_stream *streams[PEERS];
    int peers[PEERS];
    for (int i = 0; i < PEERS; i++) {
        peers[i] = connect_to(loop_listener_address(f->listener));
        assert_true(peers[i] >= 0);
        turn_until(f, &f->accepted, i + 1);
        streams[i] = f->stream;
        assert_int_equal(write(peers[i], "0123456789", 10), 10);
    }
    int64_t give_up_ms = clock_mono_ms(&f->clock) + PATIENCE_MS;
    while (f->got_len < 10 * PEERS) {
        loop_turn(f->loop);
        assert_true(clock_mono_ms(&f->clock) < give_up_ms);
    }
    for (int i = 0; i < PEERS; i++) {
        assert_memory_equal(f->got + 10 * i, "0123456789", 10);
        close(peers[i]);
        loop_stream_close(streams[i], on_closed, f);
    }
    f->stream = NULL;
    turn_until(f, &f->closeds, PEERS);
}

// --- addresses
// --------------------------------------------------------------------------------------

static void refuses_what_is_no_address(void **state)
{
    struct fixture *f = *state;
    static const char *const cases[] = {
        "",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:http",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1: 80",
        "localhost:80",
        "::1:80",
        "[::1]",
        "[::1]:",
        "[127.0.0.1]:80",
        "[]:80",
        "256.0.0.1:80",
        "unix:",
        "8080",
        "[0123456789012345678901234567890123456789012345678]:80",
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err e = {.text = ""};
        if (listen_on(f, cases[i], &e) != ERR_INVALID || !strstr(e.text, "not an address")) {
            fail_case(i, "%s: %s", cases[i], e.text);
        }
    }
    f->listener = NULL;
}

static void tells_the_address_in_force(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *address, *start;
    } cases[] = {{"127.0.0.1:0", "127.0.0.1:"}, {":0", ""}, {"[::1]:0", "[::1]:"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err e = {.text = ""};
        if (listen_on(f, cases[i].address, &e) != 0) {
            f->listener = NULL;
            assert_int_equal(cases[i].address[0], '['); // a machine without IPv6
            continue;
        }
        const char *address = loop_listener_address(f->listener);
        assert_true(str_starts_with(str_from(address), str_from(cases[i].start)));
        assert_int_not_equal(atoi(strrchr(address, ':') + 1), 0);
        connect_peer(f);
        close(f->peer);
        f->peer = -1;
        loop_stream_close(f->stream, NULL, NULL);
        f->stream = NULL;
        f->accepted = 0;
        loop_listener_close(f->listener);
        f->listener = NULL;
        loop_run(f->loop);
    }
}

static void tells_of_a_port_in_use(void **state)
{
    struct fixture *f = *state;
    struct loop_listener *first = f->listener;
    struct err e = {.text = ""};
    assert_int_equal(listen_on(f, loop_listener_address(first), &e), ERR_BUSY);
    assert_non_null(strstr(e.text, loop_listener_address(first)));
    f->listener = first;
}

static void a_socket_file_goes_with_its_listener(void **state)
{
    struct fixture *f = *state;
    const char *path = f->address + 5;
    assert_string_equal(loop_listener_address(f->listener), f->address);
    assert_int_equal(access(path, F_OK), 0);
    loop_listener_close(f->listener);
    f->listener = NULL;
    assert_int_not_equal(access(path, F_OK), 0);
}

static void a_live_socket_file_is_refused(void **state)
{
    struct fixture *f = *state;
    struct loop_listener *first = f->listener;
    struct err e = {.text = ""};
    assert_int_equal(listen_on(f, f->address, &e), ERR_BUSY);
    assert_non_null(strstr(e.text, "another process"));
    f->listener = first;
    turn_until(f, &f->ends, 1); // of the connection that asked
    loop_stream_close(f->stream, NULL, NULL);
    f->accepted = 0;
    connect_peer(f); // and the first still answers
}

static void a_stale_socket_file_is_replaced(void **state)
{
    struct fixture *f = *state;
    char address[128];
    snprintf(address, sizeof address, "unix:%s/stale", f->folder);
    struct sockaddr_un un = socket_address(address + 5);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
    assert_int_equal(listen(fd, 1), 0);
    close(fd); // the file stays, as after a kill
    assert_int_equal(access(address + 5, F_OK), 0);
    assert_int_equal(listen_on(f, address, NULL), 0);
    connect_peer(f);
}

static void another_file_is_not_replaced(void **state)
{
    struct fixture *f = *state;
    char address[128];
    snprintf(address, sizeof address, "unix:%s/precious", f->folder);
    FILE *file = fopen(address + 5, "w");
    assert_non_null(file);
    fclose(file);
    struct err e = {.text = ""};
    assert_int_equal(listen_on(f, address, &e), ERR_REFUSED);
    assert_int_equal(access(address + 5, F_OK), 0);
    assert_int_equal(unlink(address + 5), 0);

    snprintf(address, sizeof address, "unix:%s/missing/socket", f->folder);
    assert_true(listen_on(f, address, &e) < 0);
    assert_non_null(strstr(e.text, "no such folder"));

    char path_too_long[200] = "unix:/";
    memset(path_too_long + 6, 'x', 150);
    assert_int_equal(listen_on(f, path_too_long, &e), ERR_TOO_LARGE);
    f->listener = NULL;
}

// The reserve that libuv keeps for this is gone: it would call accept over and over.
static void without_descriptors_connections_wait(void **state)
{
    struct fixture *f = *state;
    int taken[64];
    size_t count = 0;
    f->peer = connect_to(loop_listener_address(f->listener));
    close(f->loop->uv.emfile_fd);
    f->loop->uv.emfile_fd = -1;
    struct rlimit before;
    getrlimit(RLIMIT_NOFILE, &before);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){64, before.rlim_max});
    for (int fd = 0; count < 64 && (fd = dup(f->peer)) >= 0; count++) {
        taken[count] = fd;
    }
    assert_true(count > 0 && count < 64);
    alarm(PATIENCE_MS / 1000); // ends the program where it does call accept for ever
    for (int i = 0; i < 20; i++) {
        loop_turn(f->loop);
    }
    alarm(0);
    assert_int_equal(f->accepted, 0);
    setrlimit(RLIMIT_NOFILE, &before);
    while (count > 0) {
        close(taken[--count]);
    }
    turn_until(f, &f->accepted, 1);
}

#define TEST(name, set_up_name) cmocka_unit_test_setup_teardown(name, set_up_name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(echoes, set_up_tcp),
        TEST(echoes, set_up_unix),
        TEST(a_peer_may_end_its_side_alone, set_up_tcp),
        TEST(a_peer_may_end_its_side_alone, set_up_unix),
        TEST(we_may_end_our_side_alone, set_up_tcp),
        TEST(we_may_end_our_side_alone, set_up_unix),
        TEST(reading_stops_and_starts, set_up_tcp),
        TEST(big_sends_wait_for_the_peer, set_up_tcp),
        TEST(big_sends_wait_for_the_peer, set_up_unix),
        TEST(a_closed_stream_never_calls_back, set_up_tcp),
        TEST(a_closed_stream_never_calls_back, set_up_unix),
        TEST(a_stream_may_be_closed_while_it_reads, set_up_tcp),
        TEST(a_reset_breaks_the_stream, set_up_tcp),
        TEST(many_streams_share_the_read_buffer, set_up_tcp),
        TEST(refuses_what_is_no_address, set_up),
        TEST(tells_the_address_in_force, set_up),
        TEST(tells_of_a_port_in_use, set_up_tcp),
        TEST(a_socket_file_goes_with_its_listener, set_up_unix),
        TEST(a_live_socket_file_is_refused, set_up_unix),
        TEST(a_stale_socket_file_is_replaced, set_up),
        TEST(another_file_is_not_replaced, set_up),
        TEST(without_descriptors_connections_wait, set_up_tcp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
