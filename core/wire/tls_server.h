// TLS for accepted streams (OpenSSL): from 1.2 on, HTTP/1.1 in ALPN, no renegotiation. It is a
// filter of the stream (loop/stream.h), so that whoever owns the stream need not know. A connection
// keeps the certificate that it began with. Loop thread only.
#ifndef WIRE_TLS_SERVER_H
#define WIRE_TLS_SERVER_H

#include "base/buf.h"
#include "base/log.h"
#include "loop/stream.h"

struct tls_server;

// No certificate yet: tls_server_set before the first stream. log: borrowed; NULL: none. It must
// outlive the streams that it was attached to.
int tls_server_new(struct tls_server **out, struct loop *l, const struct log *log, struct err *e);
void tls_server_free(struct tls_server *t); // may be NULL
// The certificate, perhaps with its chain, and its key, for streams from now on: PEM, copied. Where
// they are not good, ERR_INVALID with words, and what was there stays.
int tls_server_set(struct tls_server *t, struct str cert, struct str key, struct err *e);
// The public key in force, as PEM.
int tls_server_public_key(const struct tls_server *t, struct buf *out);
// Before anything is read. A handshake that takes longer than 10 s is told as a broken stream.
// ERR_NOMEM: the stream is as it was.
int tls_server_attach(struct tls_server *t, struct loop_stream *s);

#endif
