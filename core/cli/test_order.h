// Orders in the world of a test case, as store/sqlite/order.c has them: of the deliveries with one
// key one is under way, the others wait for it, and what is `latest` supersedes those before it.
// Main thread.
#ifndef CLI_TEST_ORDER_H
#define CLI_TEST_ORDER_H

#include "cli/test_world.h"

// d has come to be owed, and is the last of the world's. Words are on the world's arena. ERR_NOMEM.
int test_order_enter(struct world *w, struct world_delivery *d);
// An attempt of d has failed, and it would be tried again: it is superseded where a newer one that
// is `latest` waits.
int test_order_look_newer(struct world *w, struct world_delivery *d);
// d is not owed any more: the next one of its order may go.
void test_order_release(struct world *w, const struct world_delivery *d);
// Whether its end passed while its order let nothing of it through.
bool test_order_is_over(const struct world *w, const struct world_delivery *d);

#endif
