#include "api/tries.h"

#include "base/netaddr.h"

enum { TRIES_PER_MINUTE = 30, NETWORK_BYTES = 8 };

void tries_init(struct tries *t)
{
    *t = (struct tries){.rate = {TRIES_PER_MINUTE, 60 * 1000}};
    random_bytes(&t->key, sizeof t->key);
}

static uint64_t hash_peer(const struct tries *t, struct str peer)
{
    struct netaddr a;
    uint64_t hash;
    if (netaddr_parse(peer, &a) == 0 && a.is_v6) {
        hash = hash_bytes(&t->key, a.bytes, NETWORK_BYTES);
    } else {
        hash = hash_bytes(&t->key, peer.len ? peer.data : "", peer.len);
    }
    return hash ? hash : 1;
}

static struct try_slot *find_slot(struct tries *t, uint64_t peer)
{
    struct try_slot *set = t->slots[peer % TRIES_SETS];
    struct try_slot *found = &set[0];
    for (size_t i = 0; i < TRIES_WAYS; i++) {
        if (set[i].peer == peer) {
            return &set[i];
        }
        if (set[i].meter.next_us < found->meter.next_us) {
            found = &set[i];
        }
    }
    *found = (struct try_slot){.peer = peer};
    return found;
}

int64_t tries_count(struct tries *t, struct str peer, int64_t now_ms, bool *is_news)
{
    struct try_slot *slot = find_slot(t, hash_peer(t, peer));
    bool is_full = slot->meter.next_us <= now_ms * 1000;
    int64_t wait_ms = rate_take(&slot->meter, t->rate, now_ms);
    *is_news = wait_ms && !slot->is_told;
    slot->is_told = wait_ms || (slot->is_told && !is_full);
    return wait_ms;
}
