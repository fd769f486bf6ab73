// The chunked coding of a request's body (RFC 9112 7.1), read to the letter: no bare LF, no space
// in a size, extensions and trailers bounded, checked and dropped. Part of httpd; a machine over
// memory.
#ifndef WIRE_HTTPD_CHUNKS_H
#define WIRE_HTTPD_CHUNKS_H

#include "base/buf.h"
#include "wire/httpd_head.h"

struct httpd_chunks {
    int state;         // zeroed at the start of each body
    uint64_t left;     // of the chunk
    size_t line_bytes; // of the line with the size
    size_t trailer_bytes;
};

enum httpd_chunks_result { HTTPD_CHUNKS_MORE, HTTPD_CHUNKS_END, HTTPD_CHUNKS_REFUSED };

// Takes what is there: data goes to body, whose maximum is the limit (413 as soon as a size passes
// it). *used bytes were read; behind END the rest is the next request's.
enum httpd_chunks_result httpd_chunks_take(struct httpd_chunks *k, const char *data, size_t len,
                                           struct buf *body, size_t *used,
                                           struct httpd_refusal *why);

#endif
