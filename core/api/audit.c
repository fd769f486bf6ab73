// GET /v1/audit, and what the acts of operators give to it.
#include "api/internal.h"

struct store_audit_put *api_audit_new(struct api *a, struct httpd_request *r, const char *act,
                                      struct str subject, struct str before, struct str after)
{
    char from[LOOP_PEER_MAX];
    int64_t now_ms = clock_wall_ms(loop_clock(a->config.loop));
    httpd_peer(r, from);
    struct store_audit row = {.id = id_next(a->config.ids, now_ms),
                              .at_ms = now_ms,
                              .who = api_caller(a, r),
                              .from = str_from(from),
                              .act = str_from(act),
                              .subject = subject,
                              .before = before,
                              .after = after};
    struct store_audit_put *p = audit_new(&row);
    if (p == NULL) {
        api_send_problem(r, 500, "out of memory", NULL);
    }
    return p;
}

static void audit_write(struct json_writer *w, const struct store_read *read, size_t i)
{
    const struct store_audit *row = &read->audits[i];
    json_object_begin(w);
    json_member_time(w, "at", row->at_ms);
    json_member_string(w, "who", row->who);
    json_member_string_or_null(w, "from", row->from);
    json_member_string(w, "act", row->act);
    json_member_string_or_null(w, "subject", row->subject);
    json_member_string_or_null(w, "before", row->before);
    json_member_string_or_null(w, "after", row->after);
    json_object_end(w);
}

static void audit_on_page(struct store_read *read)
{
    api_send_list(read, "audit", audit_write);
}

void api_list_audit(struct api *a, struct httpd_request *r, struct str id)
{
    (void)id;
    api_list(a, r, STORE_READ_AUDIT, audit_on_page);
}
