// What every backend of store.h must keep to. A backend's test defines contract_setup, which says
// how to open it, and runs CONTRACT_TESTS, next to what is its own.
#ifndef TESTS_STORE_CONTRACT_H
#define TESTS_STORE_CONTRACT_H

#include "store/contract_accept.h"
#include "store/contract_deliver.h"
#include "store/contract_notice.h"
#include "store/contract_pause.h"
#include "store/contract_read.h"
#include "store/contract_retain.h"
#include "store/contract_slot.h"
#include "store/contract_time.h"
#include "store/contract_token.h"
#include "store/contract_workflow.h"

// Each test has a new, empty store.
static inline int contract_setup_with(void **state, open_backend *backend)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    fixture_init(f, backend);
    fixture_open(f);
    *state = f;
    return 0;
}

// What a test did, the counts were kept up with: they say what they say after a start.
static inline void assert_counts_were_kept(struct fixture *f)
{
    struct store_owed_states kept, anew;
    store_owed_states(f->store, &kept);
    fixture_reopen(f);
    store_owed_states(f->store, &anew);
    assert_memory_equal(kept.count, anew.count, sizeof kept.count);
}

static inline int contract_teardown(void **state)
{
    struct fixture *f = *state;
    if (f->store) {
        assert_counts_were_kept(f);
    }
    fixture_fini(f);
    free(f);
    return 0;
}

#define CONTRACT_TEST(name) cmocka_unit_test_setup_teardown(name, contract_setup, contract_teardown)

#define CONTRACT_TESTS                                                                             \
    CONTRACT_TEST(accept_stores_all_of_an_event),                                                  \
        CONTRACT_TEST(accept_names_an_event_without_key_by_its_id),                                \
        CONTRACT_TEST(accept_answers_a_duplicate_with_the_first_deliveries),                       \
        CONTRACT_TEST(accept_refuses_another_value_under_a_known_key),                             \
        CONTRACT_TEST(accept_sees_duplicates_within_a_body),                                       \
        CONTRACT_TEST(accept_gives_a_mark_to_one_of_many_at_once),                                 \
        CONTRACT_TEST(accept_keeps_marks_apart), CONTRACT_TEST(accept_tells_of_marks),             \
        CONTRACT_TEST(accept_lets_a_mark_run_out),                                                 \
        CONTRACT_TEST(accept_gives_a_mark_once_within_a_body),                                     \
        CONTRACT_TEST(accept_refuses_what_was_judged_against_an_old_state),                        \
        CONTRACT_TEST(accept_judges_against_earlier_events_of_the_body),                           \
        CONTRACT_TEST(accept_tells_what_is_known_behind_a_stale_event),                            \
        CONTRACT_TEST(accept_points_a_record_to_its_latest_state),                                 \
        CONTRACT_TEST(accept_of_a_copy_is_no_state), CONTRACT_TEST(slots_are_what_was_put),        \
        CONTRACT_TEST(a_slot_moves_on_with_its_events), CONTRACT_TEST(records_are_read_in_pages),  \
        CONTRACT_TEST(accept_takes_ten_thousand_events), CONTRACT_TEST(accept_fails_alone),        \
        CONTRACT_TEST(accept_stores_blobs_to_the_byte), CONTRACT_TEST(finish_keeps_every_attempt), \
        CONTRACT_TEST(finish_without_an_attempt_changes_the_state),                                \
        CONTRACT_TEST(finish_of_an_unknown_delivery_fails_alone),                                  \
        CONTRACT_TEST(finish_stores_its_events_with_what_they_owe),                                \
        CONTRACT_TEST(finish_takes_the_marks_of_its_events),                                       \
        CONTRACT_TEST(finish_of_an_unknown_delivery_stores_no_event),                              \
        CONTRACT_TEST(a_recheck_is_wanted_until_it_was_made),                                      \
        CONTRACT_TEST(an_order_lets_one_go_after_another),                                         \
        CONTRACT_TEST(a_newer_one_supersedes_what_waits_for_its_retry),                            \
        CONTRACT_TEST(an_operator_resends_and_cancels),                                            \
        CONTRACT_TEST(owed_count_follows_every_change),                                            \
        CONTRACT_TEST(due_gives_the_heads_of_each_target),                                         \
        CONTRACT_TEST(due_has_what_is_pending_or_retrying),                                        \
        CONTRACT_TEST(what_is_over_is_found_wherever_it_stands),                                   \
        CONTRACT_TEST(due_keeps_to_the_shards_asked_for),                                          \
        CONTRACT_TEST(due_sees_what_was_given_before_it),                                          \
        CONTRACT_TEST(due_stops_where_the_arena_is_full),                                          \
        CONTRACT_TEST(targets_has_each_that_is_owed_something),                                    \
        CONTRACT_TEST(lease_of_a_lone_host_is_whole),                                              \
        CONTRACT_TEST(list_of_deliveries_is_filtered_and_paged),                                   \
        CONTRACT_TEST(list_of_deliveries_has_the_last_attempt),                                    \
        CONTRACT_TEST(list_of_events_is_filtered_and_paged),                                       \
        CONTRACT_TEST(list_of_events_oldest_first_with_payloads),                                  \
        CONTRACT_TEST(list_of_runs_by_outcome), CONTRACT_TEST(read_needs_room_on_its_arena),       \
        CONTRACT_TEST(generations_are_kept_as_texts), CONTRACT_TEST(restart_finds_everything),     \
        CONTRACT_TEST(restart_knows_the_last_id_of_all), CONTRACT_TEST(callbacks_come_in_order),   \
        CONTRACT_TEST(close_finishes_what_is_queued),                                              \
        CONTRACT_TEST(the_running_time_goes_on_over_a_restart),                                    \
        CONTRACT_TEST(a_test_clock_goes_on_where_it_stood),                                        \
        CONTRACT_TEST(delays_go_on_while_the_host_is_down),                                        \
        CONTRACT_TEST(delays_are_moved_in_bounded_steps),                                          \
        CONTRACT_TEST(what_a_breaker_held_up_and_why_is_told_with_the_lease),                      \
        CONTRACT_TEST(workflows_are_kept_as_they_were_put),                                        \
        CONTRACT_TEST(notices_are_kept_until_they_are_gone),                                       \
        CONTRACT_TEST(tokens_are_kept_until_they_are_revoked),                                     \
        CONTRACT_TEST(a_token_is_listed_with_its_last_use),                                        \
        CONTRACT_TEST(retention_takes_revoked_tokens_with_the_acts_of_their_time),                 \
        CONTRACT_TEST(a_pause_of_everything_is_a_mark),                                            \
        CONTRACT_TEST(a_pause_moves_what_waits_in_an_order),                                       \
        CONTRACT_TEST(what_is_owed_is_held_and_let_go),                                            \
        CONTRACT_TEST(what_is_owed_is_cancelled_in_bounded_steps),                                 \
        CONTRACT_TEST(a_failed_attempt_leaves_what_was_held_or_cancelled),                         \
        CONTRACT_TEST(a_mark_is_forgotten_for_one_record),                                         \
        CONTRACT_TEST(a_replay_adds_to_the_event),                                                 \
        CONTRACT_TEST(an_event_keeps_what_it_was_compared_with),                                   \
        CONTRACT_TEST(retention_takes_payloads_and_attempts_and_keeps_ids),                        \
        CONTRACT_TEST(an_event_is_known_after_its_payload_is_gone),                                \
        CONTRACT_TEST(retention_takes_ids_with_all_that_is_theirs),                                \
        CONTRACT_TEST(retention_counts_from_the_last_that_happened),                               \
        CONTRACT_TEST(retention_keeps_what_is_owed_latest_states_and_marks),                       \
        CONTRACT_TEST(retention_goes_in_bounded_steps),                                            \
        CONTRACT_TEST(retention_takes_the_oldest_where_the_size_is_over),                          \
        cmocka_unit_test(shards_are_the_same_on_every_machine),                                    \
        cmocka_unit_test(words_of_states_and_outcomes)

#endif
