// What `hookline top` shows: the page, from the host's overview and the failures seen. Main thread.
#ifndef CLI_TOP_PAGE_H
#define CLI_TOP_PAGE_H

#include "base/buf.h"
#include "cli/canvas.h"
#include "cli/json_tree.h"

enum { TOP_FAILURES_MAX = 20, TOP_FAILURE_TEXT_MAX = 320 };

// What the tables are ordered by.
enum top_order { TOP_BY_FAILED, TOP_BY_WORK, TOP_BY_DELIVERED, TOP_BY_NAME, TOP_ORDERS };

struct top_failure {
    char at[9]; // "09:15:00"
    char state[16];
    char text[TOP_FAILURE_TEXT_MAX];
};

struct top_page {
    struct buf overview; // JSON, as /v1/overview has it; empty: none came yet
    // From the overview before that: what came a second. -1: not known.
    double events_rate, delivered_rate;
    int64_t at_ms, events, delivered; // of the last one; 0: none
    struct top_failure failures[TOP_FAILURES_MAX];
    size_t failure_count; // ever; the last ones are kept
    enum top_order order;
    size_t skip; // rows of the tables that are scrolled past
    bool is_paused;
    char trouble[256]; // why it is not up to date; empty: it is
};

void top_page_init(struct top_page *p);
void top_page_fini(struct top_page *p);
// The next overview. What is not one is passed over.
void top_page_take(struct top_page *p, struct str overview);
// A delivery as the lists have it, or the live stream: kept where it tells of a failure.
void top_page_take_delivery(struct top_page *p, const struct json_node *delivery);
void top_page_draw(const struct top_page *p, struct canvas *c);

#endif
