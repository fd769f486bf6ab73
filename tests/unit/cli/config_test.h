// A configuration that a test loads, and what is said of it.
#ifndef CONFIG_TEST_H
#define CONFIG_TEST_H

#include "cli_test.h"

#include "config.h"
#include "config_keys.h"

struct loaded {
    struct config c;
    int code;
    struct err e;
};

static inline void load(struct loaded *l, const struct config_flags *flags,
                        const char *const *environment)
{
    static const struct config_flags none = {0};
    static const char *const empty[] = {NULL};

    memset(l, 0, sizeof(*l));
    l->code = config_load(&l->c, flags ? flags : &none,
                          (char *const *)(environment ? environment : empty), &l->e);
}

// All errors and warnings, one a line.
static inline void read_messages(const struct loaded *l, char out[8192])
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < l->c.message_count && len < 8192; i++)
        len += (size_t)snprintf(
            out + len, 8192 - len, "%s%s\n",
            l->c.messages[i].is_error ? "error: " : "warning: ", l->c.messages[i].text);
}

#endif
