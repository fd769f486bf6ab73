// Secrets by name: DATA/secrets/NAME, else the environment (HOOKLINE_SECRET_NAME), read when a
// request is sent, cached until secrets_forget (SIGHUP). Their values are in no row, log or answer.
// Loop thread only.
#ifndef DELIVER_SECRETS_H
#define DELIVER_SECRETS_H

#include "base/err.h"
#include "base/str.h"

enum { SECRET_MAX_BYTES = 16 * 1024 };

struct secrets;

// data_dir: copied. Nothing is read before a secret is asked for. 0 or ERR_NOMEM.
int secrets_new(struct secrets **out, const char *data_dir, struct err *e);
void secrets_free(struct secrets *s); // wipes them
// The value, borrowed until secrets_forget. ERR_NOT_FOUND or ERR_IO with words that say how to set
// it.
int secrets_get(struct secrets *s, struct str name, struct str *value, struct err *e);
// Whether such a fault is the secret's ("secret_missing"), not this machine's own trouble.
bool secrets_is_missing(int code);
void secrets_forget(struct secrets *s);
// How many times that was: what was got with a secret is no good any more when it has changed.
uint64_t secrets_forget_count(const struct secrets *s);

// Whether this process can tell a secret that is set from one that is not: there is a data folder,
// and its secrets are not somebody else's.
bool secrets_are_readable(const struct secrets *s);

// Whether text may be a secret's name: [A-Z][A-Z0-9_]*, 64 bytes at most.
bool secrets_is_name(struct str name);

#endif
