// What the commands share that ask a running host and show its answer. Main thread; blocks.
#ifndef CLI_LISTING_H
#define CLI_LISTING_H

#include "cli/remote.h"
#include "cli/table.h"

struct listing {
    const struct invocation *in;
    struct arena arena;     // of the answer's tree and the tables
    struct json_node *root; // the answer
    struct remote *remote;  // who gave it, to be asked for more
};

// Asks the host for `path`. With --json the answer is printed as it came, and `show` is not called;
// else show prints it for people. `judge` gives the exit status of an answer that was printed;
// NULL: done. Returns the exit status.
int listing_run(const struct invocation *in, const char *method, const char *path,
                int (*show)(struct listing *l), int (*judge)(struct listing *l));

// The same for a POST with a JSON body.
int listing_send(const struct invocation *in, const char *path, struct str body,
                 int (*show)(struct listing *l));

// The path of a list with the filters that the invocation's options give
// ("/v1/deliveries?state=..."), NUL-terminated. Option names are the API's parameters.
int listing_path(const struct invocation *in, const char *base, struct buf *out);
// "/v1/deliveries/ID", the id percent-encoded.
int listing_path_of(const char *base, const char *id, struct buf *out);

// Whether the answer's array `name` has nothing in it, which is said then; the answer is gone then.
bool listing_is_empty(struct listing *l, const char *name);
// A row for each element of the answer's array `name`: cells are the members at `paths`.
void listing_print_table(struct listing *l, const char *name, const char *const *titles,
                         const char *const *paths, size_t count);
// Says on in->messages how to get the next page, where there is one.
void listing_say_more(const struct listing *l);

// "VERB ID": POST BASE/ID/VERB.
struct listing_action {
    const char *verb;    // NULL: behind the last
    const char *options; // the options that it takes: " workflow force "
    const char *needed;  // the one of them that it needs, or NULL
    int (*show)(struct listing *l);
};

// "list" (or nothing) and "show ID", as `events` and `deliveries` take them, and what else can be
// done with one.
struct listing_verb {
    const char *base; // "/v1/deliveries"
    int (*list)(struct listing *l);
    int (*show)(struct listing *l);       // NULL: there is no show
    const struct listing_action *actions; // NULL: none
    const char *list_options;             // where there are actions: the options that list takes
};
int listing_act(const struct invocation *in, const struct listing_verb *v);

#endif
