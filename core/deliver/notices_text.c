// The words of notices: what happened, to what, what hookline does next, what to do, where to look.
#include <stdio.h>

#include "base/id.h"
#include "base/rfc3339.h"
#include "deliver/notices_internal.h"
#include "deliver/request.h"

enum { URL_MAX_BYTES = 2000, WORDS_MAX_BYTES = 600, WORKFLOWS_SHOWN = 10 };

// --- what one notice tells of --------------------------------------------------------------------

static struct str cut(struct str text, size_t most)
{
    size_t len = text.len < most ? text.len : most;
    while (len < text.len && len && ((unsigned char)text.data[len] & 0xc0) == 0x80) {
        len--; // not in the middle of a character
    }
    return (struct str){text.data, len};
}

// One line, whatever is in it.
static void write_line(struct buf *out, const char *label, struct str text, size_t most)
{
    struct str shown = cut(text, most);
    buf_printf(out, "  %-13s ", label);
    for (size_t i = 0; i < shown.len; i++) {
        unsigned char c = (unsigned char)shown.data[i];
        buf_append_char(out, c < 0x20 || c == 0x7f ? ' ' : (char)c);
    }
    buf_append_text(out, shown.len < text.len ? "...\n" : "\n");
}

static void write_time(struct buf *out, int64_t wall_ms)
{
    char text[RFC3339_LEN + 1];
    rfc3339_format(text, wall_ms);
    buf_printf(out, "%.19sZ", text); // a person needs no milliseconds
}

static void write_id(struct buf *out, const char *label, const char *kind, uint64_t id)
{
    char text[ID_SHOWN_LEN + 1];
    id_show(text, kind, id);
    buf_printf(out, "  %-13s %s\n", label, text);
}

static void write_url(struct buf *out, const struct notice_failure *f)
{
    struct request request;
    struct request_input in = {.head = f->head, .delivery = f->delivery};
    struct arena arena;
    struct err e;
    arena_init(&arena, 1 << 20);
    if (request_build(&request, &in, NULL, NULL, &arena, &e) == 0) {
        struct buf url;
        buf_init(&url, 1 << 20);
        buf_printf(&url, STR_FMT " %s", STR_ARG(request.method), request.url);
        write_line(out, "Callback URL:", buf_str(&url), URL_MAX_BYTES);
        buf_fini(&url);
    }
    arena_fini(&arena);
}

void notice_write_failure(struct buf *out, const struct notice_failure *f)
{
    write_url(out, f);
    write_line(out, "Workflow:", f->workflow, WORDS_MAX_BYTES);
    write_id(out, "Delivery:", ID_DELIVERY, f->delivery);
    if (f->status) {
        buf_printf(out, "  %-13s attempt %d was answered with status %d\n", "Failure:", f->attempt,
                   f->status);
    } else {
        buf_printf(out, "  %-13s attempt %d had no answer: " STR_FMT "\n", "Failure:", f->attempt,
                   STR_ARG(f->error));
    }
    if (f->detail.len) {
        write_line(out, "In words:", f->detail, WORDS_MAX_BYTES);
    }
    if (f->is_end) {
        write_line(out, "Given up:", f->reason, WORDS_MAX_BYTES);
    } else {
        buf_printf(out, "  %-13s ", "Next try:");
        write_time(out, f->next_ms);
        buf_append_char(out, '\n');
    }
}

void notice_write_run(struct buf *out, const struct store_event *ev, const struct store_run *run,
                      enum notice_kind kind)
{
    if (ev->key.len) {
        write_line(out, "Event:", ev->key, WORDS_MAX_BYTES);
    } else {
        write_id(out, "Event:", ID_EVENT, ev->id);
    }
    struct buf record;
    buf_init(&record, 2 * WORDS_MAX_BYTES);
    buf_append_str(&record, cut(ev->record_type, WORDS_MAX_BYTES));
    buf_append_char(&record, ' ');
    buf_append_str(&record, cut(ev->record_id, WORDS_MAX_BYTES - 1));
    write_line(out, "Record:", buf_str(&record), WORDS_MAX_BYTES);
    buf_fini(&record);
    if (kind == NOTICE_ERROR) {
        const char *end = memchr(run->reason.data, '\n', run->reason.len); // without the frames
        size_t len = end ? (size_t)(end - run->reason.data) : run->reason.len;
        write_line(out, "Error:", (struct str){run->reason.data, len}, WORDS_MAX_BYTES);
    }
    for (size_t i = 0; kind == NOTICE_INVALID && i < run->delivery_count; i++) {
        const struct store_delivery *d = &run->deliveries[i];
        if (d->state == DELIVERY_INVALID) {
            write_id(out, "Delivery:", ID_DELIVERY, d->id);
            write_line(out, "Fault:", d->reason, WORDS_MAX_BYTES);
            break;
        }
    }
}

// --- the whole mail ------------------------------------------------------------------------------

static bool has(const struct topic *t, enum notice_kind kind)
{
    return t->kinds[kind] && t->kinds[kind]->in_mail;
}

static const char *subject_words(const struct topic *t)
{
    bool is_failing = t->kinds[NOTICE_FAILURE] && t->kinds[NOTICE_FAILURE]->is_open;
    if (has(t, NOTICE_RECOVERY) && !is_failing) {
        return "takes webhooks again";
    }
    if (has(t, NOTICE_TERMINATION)) {
        return "fails, and webhooks to it were given up";
    }
    if (has(t, NOTICE_FAILURE) || has(t, NOTICE_RECOVERY)) {
        return "fails to take webhooks";
    }
    if (has(t, NOTICE_SUSPENSION)) {
        return "is suspended";
    }
    if (has(t, NOTICE_LOOP)) {
        return "runs too often for one record";
    }
    return has(t, NOTICE_ERROR) ? "fails" : "made a webhook that is not valid";
}

static const char *topic_name(const struct topic *t)
{
    return strcmp(t->key, NOTICE_OTHERS) == 0 ? "others" : t->key;
}

void notice_write_subject(struct buf *out, struct topic *const *topics, size_t count)
{
    const struct topic *t = topics[0];
    if (count == 1) {
        buf_printf(out, "[hookline] %s%.150s %s", topic_is_workflow(t) ? "workflow " : "",
                   topic_name(t), subject_words(t));
    } else {
        buf_printf(out, "[hookline] news of %zu targets and workflows", count);
    }
}

struct words { // of each kind
    const char *one;
    const char *many; // has the count before it
    const char *advice;
};

static const struct words WORDS[NOTICE_KINDS] = {
    [NOTICE_FAILURE] =
        {"An attempt to send a webhook failed", "attempts to send webhooks failed",
         "hookline tries again by itself until the webhook arrives or its retry windows end.\n"
         "Look whether the receiver is up and takes this request.\n"
         "  hookline deliveries --state retrying     what waits\n"
         "  hookline deliveries show ID              each attempt, and what was answered\n"},
    [NOTICE_TERMINATION] =
        {"A webhook was given up", "webhooks were given up",
         "These are not tried again by themselves. When the receiver is mended, replay their\n"
         "events:\n"
         "  hookline deliveries --state terminated   what was given up, with the events\n"
         "  hookline events replay EVENT --workflow WORKFLOW --force\n"},
    [NOTICE_RECOVERY] = {"It took a webhook again", "times it took webhooks again",
                         "What is still owed is sent by itself. There is nothing to do.\n"},
    [NOTICE_INVALID] =
        {"A webhook was not legal where it was rendered, and is not sent",
         "webhooks were not legal where they were rendered, and are not sent",
         "Mend the workflow's content, then replay the events:\n"
         "  hookline deliveries --state invalid      what is not sent, with the events\n"
         "  hookline events replay EVENT --workflow WORKFLOW\n"},
    [NOTICE_ERROR] =
        {"The workflow failed, and sends nothing for that event",
         "times the workflow failed, and sends nothing for those events",
         "The event is kept, other workflows went on. Mend the workflow, then replay the event:\n"
         "  hookline explain rules/WORKFLOW.lua --event FILE\n"
         "  hookline events replay EVENT --workflow WORKFLOW\n"},
    [NOTICE_SUSPENSION] =
        {"The workflow was suspended", "times the workflow was suspended",
         "It takes part in no event until its file is changed or it is activated. Its events are\n"
         "kept, and can be replayed:\n"
         "  hookline workflows show WORKFLOW\n"
         "  hookline workflows activate WORKFLOW\n"
         "  hookline events replay EVENT --workflow WORKFLOW\n"},
    [NOTICE_LOOP] = {"The workflow ran more often for one record than it may, and the runs beyond "
                     "that owe nothing",
                     "times the workflow ran more often for one record than it may",
                     "Does the app that takes its webhooks change the record, so that the workflow "
                     "fires again?\n"
                     "Let the workflow watch fewer fields, or give it a cooldown. Its events are "
                     "kept, and can be\n"
                     "replayed:\n"
                     "  hookline events replay EVENT --workflow WORKFLOW\n"},
};

static void write_workflows(struct buf *out, const struct notice *one)
{
    struct str left = buf_str(&one->workflows);
    size_t count = 0;
    buf_append_text(out, "  Workflows:   ");
    while (left.len && count < WORKFLOWS_SHOWN) {
        const char *end = memchr(left.data, '\n', left.len);
        size_t len = end ? (size_t)(end - left.data) : left.len;
        buf_append_text(out, count++ ? ", " : " ");
        buf_append_str(out, (struct str){left.data, len});
        len += end != NULL;
        left = (struct str){left.data + len, left.len - len};
    }
    buf_append_text(out, left.len ? ", ...\n" : "\n");
}

static void write_notice(struct buf *out, const struct notice *one, bool is_short)
{
    const struct words *w = &WORDS[one->kind];
    if (one->in_mail == 1) {
        buf_printf(out, "%s, at ", w->one);
    } else {
        buf_printf(out, "%lld %s, the first at ", (long long)one->in_mail, w->many);
        write_time(out, one->first_at_ms);
        buf_append_text(out, ", the last at ");
    }
    write_time(out, one->last_at_ms);
    if (is_short) {
        buf_append_text(out, ".\n");
        return;
    }
    buf_append_text(out, one->text.len == 0  ? ".\n"
                         : one->in_mail == 1 ? ":\n\n"
                                             : ". The first:\n\n");
    buf_append_str(out, buf_str(&one->text));
    if (one->workflows.len && (one->in_mail > 1 || one->text.len == 0)) {
        write_workflows(out, one);
    }
    buf_printf(out, "\n%s\n", w->advice);
}

void notice_write_body(struct buf *out, struct topic *const *topics, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct topic *t = topics[i];
        buf_printf(out, "%s: %s\n%s",
                   topic_is_workflow(t)                 ? "Workflow"
                   : strcmp(t->key, NOTICE_OTHERS) == 0 ? "Targets and workflows"
                                                        : "Target",
                   topic_name(t), count == 1 ? "\n" : "");
        for (int kind = 0; kind < NOTICE_KINDS; kind++) {
            if (has(t, (enum notice_kind)kind)) {
                write_notice(out, t->kinds[kind], count > 1);
            }
        }
        buf_append_text(out, count == 1 ? "" : "\n");
    }
    if (count > 1) {
        buf_append_text(out, "Look:\n"
                             "  hookline deliveries --state retrying\n"
                             "  hookline deliveries --state terminated\n"
                             "  hookline workflows\n\n");
    }
    buf_append_text(out, "Of a target or workflow the first notice of a kind comes at once, the "
                         "rest in a digest\n15 minutes later or more.\n");
}
