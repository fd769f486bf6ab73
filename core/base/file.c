#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"

int file_read(const char *path, size_t max_bytes, char **text, size_t *len, struct err *e)
{
    *text = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path,
                       strerror(errno));
    }
    struct buf b;
    buf_init(&b, max_bytes);
    int code = 0;
    for (;;) {
        char piece[16384];
        ssize_t got = read(fd, piece, sizeof piece);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            code = err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
        }
        if (got <= 0) {
            break;
        }
        if (buf_append(&b, piece, (size_t)got)) {
            code = err_set(e, (enum err_code)b.failed, "%s: over %zu bytes", path, max_bytes);
            break;
        }
    }
    close(fd);
    if (code == 0) {
        *text = buf_take(&b, len);
        code = *text ? 0 : err_set(e, ERR_NOMEM, "%s: out of memory", path);
    }
    buf_fini(&b);
    return code;
}

static int file_fault(const char *path, struct err *e)
{
    return err_set(e, errno == ENOSPC ? ERR_FULL : ERR_IO, "%s: %s", path, strerror(errno));
}

static int file_write_all(int fd, struct str text)
{
    while (text.len) {
        ssize_t put = write(fd, text.data, text.len);
        if (put < 0 && errno != EINTR) {
            return -1;
        }
        size_t done = put > 0 ? (size_t)put : 0;
        text = (struct str){text.data + done, text.len - done};
    }
    return fsync(fd);
}

int file_sync_folder(const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int code = fd >= 0 && fsync(fd) == 0 ? 0 : file_fault(path, e);
    if (fd >= 0) {
        close(fd);
    }
    return code;
}

int file_sync_folder_of(const char *path, struct err *e)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path + 1)) : strdup(".");
    int code =
        folder ? file_sync_folder(folder, e) : err_set(e, ERR_NOMEM, "%s: out of memory", path);
    free(folder);
    return code;
}

int file_write(const char *path, struct str text, unsigned mode, struct err *e)
{
    char *beside = NULL;
    if (asprintf(&beside, "%s.new", path) < 0) {
        return err_set(e, ERR_NOMEM, "%s: out of memory", path);
    }
    int code = 0;
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) {
        code = file_fault(beside, e);
    } else {
        bool is_written = file_write_all(fd, text) == 0;
        code = is_written ? 0 : file_fault(beside, e);
        if (close(fd) && code == 0) {
            code = file_fault(beside, e);
        }
        if (code == 0 && rename(beside, path)) {
            code = file_fault(path, e);
        }
        if (code) {
            unlink(beside);
        } else {
            code = file_sync_folder_of(path, e);
        }
    }
    free(beside);
    return code;
}
