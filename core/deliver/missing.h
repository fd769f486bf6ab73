// The secrets that rules name and that cannot be got: told when the rules are loaded, not first by
// a webhook that fails. Which ones a function of a rule will name is not known.
// Loop thread, or the main thread of a command.
#ifndef DELIVER_MISSING_H
#define DELIVER_MISSING_H

#include "base/log.h"
#include "base/map.h"
#include "deliver/secrets.h"
#include "script/rules.h"

struct missing {      // borrowed for the call
    const char *file; // the first that names it: "rules/welcome.lua"
    struct str name;
    const char *message; // what is wrong with it, and how to set it
};

// Tells each such secret once: of the workflows in their order, then of the sources.
void missing_each(const struct rules *r, struct secrets *s,
                  void (*tell)(void *ctx, const struct missing *m), void *ctx);

// Warns of each.
void missing_warn(const struct rules *r, struct secrets *s, struct log *log);

// Those of one workflow, likewise.
void missing_each_of(const struct rules_workflow *w, struct secrets *s,
                     void (*tell)(void *ctx, const struct missing *m), void *ctx);

// Names that were looked up and cannot be got, so that each is looked up once, however many
// workflows name it: for the length of one answer, as what is missing may be set at any time.
struct missing_names {
    struct secrets *secrets;
    struct map absent; // names; borrowed until fini
};

void missing_names_init(struct missing_names *n, struct secrets *s); // s: borrowed
void missing_names_fini(struct missing_names *n);
// Whether the secret cannot be got; *e says why the first time.
bool missing_look(struct missing_names *n, struct str name, struct err *e);

#endif
