#include "cli/send_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "cli/json_tree.h"

enum { STATE_MAX_BYTES = 4096, TREE_MAX_BYTES = 64 * 1024 };

static int64_t integer(const struct json_node *root, const char *name)
{
    int64_t n;

    return str_to_int64(json_tree_text(json_tree_get(root, name)), &n) == 0 ? n : -1;
}

static int parse(struct send_state *s, struct str text)
{
    struct arena arena;
    struct json_node *root;
    int code = ERR_INVALID;

    arena_init(&arena, TREE_MAX_BYTES);
    if (json_tree_read(&root, text, &arena, NULL) == 0) {
        struct str run = json_tree_text(json_tree_get(root, "run"));

        s->events = integer(root, "events");
        s->line = integer(root, "line");
        s->size = integer(root, "size");
        s->modified_ns = integer(root, "modified_ns");
        if (run.len == SEND_RUN_LEN && s->events >= 0 && s->line >= 0) {
            memcpy(s->run, run.data, run.len);
            code = 0;
        }
    }
    arena_fini(&arena);
    return code;
}

// ERR_NOT_FOUND where nothing was left.
static int read_left(struct send_state *s, struct err *e)
{
    char *text;
    size_t len;
    int code = file_read(s->path, STATE_MAX_BYTES, &text, &len, e);

    if (code)
        return code;
    if (parse(s, (struct str){text, len}) != 0)
        code =
            err_set(e, ERR_INVALID,
                    "%s does not say how far the file was sent: look with `hookline events` what "
                    "was taken, then go on with --from-line",
                    s->path);
    free(text);
    return code;
}

static int keep(const struct send_state *s, struct err *e)
{
    char text[256];
    int len = snprintf(text, sizeof(text),
                       "{\"run\":\"%s\",\"events\":%lld,\"line\":%lld,\"size\":%lld,"
                       "\"modified_ns\":%lld}\n",
                       s->run, (long long)s->events, (long long)s->line, (long long)s->size,
                       (long long)s->modified_ns);

    return file_write(s->path, (struct str){text, (size_t)len}, 0600, e);
}

static void make_run(struct send_state *s)
{
    unsigned char bytes[SEND_RUN_LEN / 2];

    random_bytes(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(s->run + 2 * i, 3, "%02x", bytes[i]);
}

static int begin_anew(struct send_state *s, const struct stat *st, struct err *e)
{
    s->events = 0;
    s->line = 1;
    s->size = st->st_size;
    s->modified_ns = st->st_mtim.tv_sec * INT64_C(1000000000) + st->st_mtim.tv_nsec;
    s->is_kept = keep(s, e) == 0;
    return 0;
}

static int resume(struct send_state *s, const char *file, const struct stat *st, struct err *e)
{
    int64_t modified_ns = st->st_mtim.tv_sec * INT64_C(1000000000) + st->st_mtim.tv_nsec;

    if (s->size != st->st_size || s->modified_ns != modified_ns)
        return err_set(e, ERR_REFUSED,
                       "%s has changed since its first %lld events, up to line %lld, were sent: go "
                       "on with --from-line",
                       file, (long long)s->events, (long long)s->line);
    s->is_kept = true;
    return 0;
}

int send_state_begin(struct send_state *s, const char *file, int fd, enum send_begin how,
                     struct err *e)
{
    struct stat st;
    int code;

    *s = (struct send_state){0};
    make_run(s);
    if (fstat(fd, &st) != 0)
        return err_set(e, ERR_IO, "%s: %s", file, strerror(errno));
    if (!S_ISREG(st.st_mode)) {
        if (how == SEND_RESUME)
            return err_set(e, ERR_REFUSED,
                           "only a file can be resumed; of a pipe --from-line leaves out what was "
                           "sent");
        return 0;
    }
    if (snprintf(s->path, sizeof(s->path), "%s.sending", file) >= (int)sizeof(s->path))
        return err_set(e, ERR_TOO_LARGE, "the path is too long");
    code = how == SEND_OVER ? ERR_NOT_FOUND : read_left(s, e);
    if (code == ERR_NOT_FOUND && how == SEND_RESUME)
        return err_set(
            e, ERR_REFUSED,
            "there is nothing to resume: %s is not there, so it was sent whole, or never", s->path);
    if (code == ERR_NOT_FOUND) {
        *e = (struct err){0};
        return begin_anew(s, &st, e);
    }
    if (code == 0 && how == SEND_ANEW)
        return err_set(e, ERR_REFUSED,
                       "its first %lld events, up to line %lld, were sent before, and then it "
                       "stopped: go on with --resume, or send all of it with --from-line 1",
                       (long long)s->events, (long long)s->line);
    return code ? code : resume(s, file, &st, e);
}

int send_state_advance(struct send_state *s, int64_t events, int64_t line, struct err *e)
{
    s->events = events;
    s->line = line;
    return s->is_kept ? keep(s, e) : 0;
}

void send_state_end(struct send_state *s)
{
    if (s->is_kept)
        unlink(s->path);
}

void send_state_id(const struct send_state *s, int64_t n, char out[SEND_ID_MAX])
{
    snprintf(out, SEND_ID_MAX, "send-%s-%lld", s->run, (long long)n);
}
