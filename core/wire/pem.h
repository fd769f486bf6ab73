// Certificates and keys in PEM, judged before a connection needs them: what is wrong is said in
// words, and nothing ever asks a terminal for a passphrase. Any thread.
#ifndef WIRE_PEM_H
#define WIRE_PEM_H

#include "base/err.h"
#include "base/str.h"

enum { PEM_MAX_BYTES = 1024 * 1024 }; // of one file

// At least one certificate, and each can be read. ERR_INVALID, ERR_NOMEM.
int pem_check_certificates(struct str pem, struct err *e);
// A private key without a passphrase. ERR_INVALID, ERR_NOMEM.
int pem_check_key(struct str pem, struct err *e);
// The key is that of the first certificate; both are good by themselves. ERR_INVALID, ERR_NOMEM.
int pem_check_pair(struct str cert, struct str key, struct err *e);

#endif
