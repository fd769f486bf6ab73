#include "store/store.h"

#include "base/hash.h"

static const char *const STATE_WORDS[] = {
    [DELIVERY_PENDING] = "pending",
    [DELIVERY_RETRYING] = "retrying",
    [DELIVERY_HELD] = "held",
    [DELIVERY_DELIVERED] = "delivered",
    [DELIVERY_TERMINATED] = "terminated",
    [DELIVERY_INVALID] = "invalid",
    [DELIVERY_CANCELLED] = "cancelled",
    [DELIVERY_SUPERSEDED] = "superseded",
};

static const char *const OUTCOME_WORDS[] = {
    [RUN_SENT] = "sent",
    [RUN_DRY] = "dry",
    [RUN_ERROR] = "error",
    [RUN_SUPPRESSED] = "suppressed",
};

enum {
    STATE_COUNT = sizeof STATE_WORDS / sizeof STATE_WORDS[0],
    OUTCOME_COUNT = sizeof OUTCOME_WORDS / sizeof OUTCOME_WORDS[0]
};

static int word_find(const char *const *words, size_t count, struct str word, size_t *at)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(word, str_from(words[i]))) {
            *at = i;
            return 0;
        }
    }
    return ERR_INVALID;
}

const char *delivery_state_word(enum delivery_state s)
{
    return (size_t)s < STATE_COUNT ? STATE_WORDS[s] : "unknown";
}

int delivery_state_parse(struct str word, enum delivery_state *out)
{
    size_t at;
    int rc = word_find(STATE_WORDS, STATE_COUNT, word, &at);
    if (rc == 0) {
        *out = (enum delivery_state)at;
    }
    return rc;
}

int delivery_states_parse(struct str word, unsigned *out)
{
    enum delivery_state state;
    if (str_eq(word, STR("owed"))) {
        *out = 1u << DELIVERY_PENDING | 1u << DELIVERY_RETRYING | 1u << DELIVERY_HELD;
        return 0;
    }
    int rc = delivery_state_parse(word, &state);
    if (rc == 0) {
        *out = 1u << state;
    }
    return rc;
}

const char *run_outcome_word(enum run_outcome o)
{
    return (size_t)o < OUTCOME_COUNT ? OUTCOME_WORDS[o] : "unknown";
}

int run_outcome_parse(struct str word, enum run_outcome *out)
{
    size_t at;
    int rc = word_find(OUTCOME_WORDS, OUTCOME_COUNT, word, &at);
    if (rc == 0) {
        *out = (enum run_outcome)at;
    }
    return rc;
}

// Shards are stored and must agree between hosts, so the key of the hash is fixed, and an id is
// hashed as the same bytes on every machine.
unsigned store_shard(struct str order_key, uint64_t id)
{
    unsigned char bytes[8];
    if (order_key.len == 0) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            bytes[i] = (unsigned char)(id >> (8 * i));
        }
        order_key = (struct str){(const char *)bytes, sizeof bytes};
    }
    uint64_t hash = hash_bytes(&HASH_KEY_FIXED, order_key.data, order_key.len);
    return (unsigned)(hash % STORE_SHARDS);
}
