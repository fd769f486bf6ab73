#include "cli/test_report.h"

#include "cli/table.h"
#include "encode/json_writer.h"
#include "encode/xml_writer.h"

enum { REPORT_ARENA_MAX = 256 * 1024 * 1024 };

void test_report_init(struct test_report *r, FILE *text)
{
    *r = (struct test_report){.text = text, .last = &r->first};
    arena_init(&r->arena, REPORT_ARENA_MAX);
}

void test_report_fini(struct test_report *r)
{
    arena_fini(&r->arena);
}

struct test_result *test_report_begin(struct test_report *r, const char *file, int64_t line,
                                      struct str name)
{
    struct test_result *result = arena_alloc(&r->arena, sizeof(*result));

    if (!result)
        return NULL;
    result->file = arena_dup(&r->arena, str_from(file));
    result->line = line;
    result->name = arena_dup(&r->arena, name);
    return result->file.data && result->name.data ? result : NULL;
}

int test_report_say(struct test_report *r, struct test_result *result, struct str message)
{
    struct test_message *said = arena_alloc(&r->arena, sizeof(*said));
    struct test_message **tail = &result->messages;

    if (!said)
        return ERR_NOMEM;
    said->text = arena_dup(&r->arena, message);
    while (*tail)
        tail = &(*tail)->next;
    *tail = said;
    return said->text.data ? 0 : ERR_NOMEM;
}

// Each line of a text behind `margin`.
static void print_lines(FILE *out, struct str text, const char *margin)
{
    while (text.len) {
        const char *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;

        fputs(margin, out);
        table_print_safe(out, (struct str){text.data, len}, true);
        fputc('\n', out);
        len += end ? 1 : 0;
        text = (struct str){text.data + len, text.len - len};
    }
}

static void print_place(FILE *out, const struct test_result *result)
{
    table_print_safe(out, result->file, false);
    if (result->line)
        fprintf(out, ":%lld", (long long)result->line);
}

static void print_result(FILE *out, const struct test_result *result)
{
    print_place(out, result);
    fputs(result->status == TEST_FAILED ? ": FAILED: " : ": skipped: ", out);
    table_print_safe(out, result->name, false);
    fputc('\n', out);
    for (const struct test_message *m = result->messages; m; m = m->next)
        print_lines(out, m->text, "    ");
}

void test_report_add(struct test_report *r, struct test_result *result, enum test_status status,
                     int64_t elapsed_us)
{
    result->status = status;
    result->elapsed_us = elapsed_us;
    r->count[status]++;
    *r->last = result;
    r->last = &result->next;
    if (r->text && status != TEST_PASSED)
        print_result(r->text, result);
}

static void print_counts(FILE *out, const size_t count[TEST_SKIPPED + 1], bool with_failed)
{
    fprintf(out, "%zu passed", count[TEST_PASSED]);
    if (with_failed || count[TEST_FAILED])
        fprintf(out, ", %zu failed", count[TEST_FAILED]);
    if (count[TEST_SKIPPED])
        fprintf(out, ", %zu skipped", count[TEST_SKIPPED]);
}

void test_report_file_done(struct test_report *r, const char *file)
{
    size_t count[TEST_SKIPPED + 1] = {0};

    if (!r->text)
        return;
    for (const struct test_result *result = r->first; result; result = result->next)
        if (str_eq(result->file, str_from(file)))
            count[result->status]++;
    if (!count[TEST_PASSED] && !count[TEST_FAILED] && !count[TEST_SKIPPED])
        return;
    table_print_safe(r->text, str_from(file), false);
    fputs(": ", r->text);
    print_counts(r->text, count, false);
    fputc('\n', r->text);
    fflush(r->text);
}

void test_report_print_sum(const struct test_report *r, FILE *out)
{
    print_counts(out, r->count, true);
    fputc('\n', out);
}

// --- TAP -----------------------------------------------------------------------------------------

// A description may hold no "#", which begins a directive.
static void print_tap_name(FILE *out, const struct test_result *result)
{
    print_place(out, result);
    fputs(": ", out);
    for (size_t i = 0; i < result->name.len; i++) {
        struct str ch = {result->name.data + i, 1};
        size_t len = str_utf8_char_len(ch.data, result->name.len - i);

        ch.len = len ? len : 1;
        if (*ch.data == '#' || *ch.data == '\\')
            fputc('\\', out);
        table_print_safe(out, ch, false);
        i += ch.len - 1;
    }
}

static void print_tap_result(FILE *out, const struct test_result *result, size_t number)
{
    fprintf(out, "%sok %zu - ", result->status == TEST_FAILED ? "not " : "", number);
    print_tap_name(out, result);
    if (result->status == TEST_SKIPPED) {
        fputs(" # SKIP ", out);
        if (result->messages)
            table_print_safe(out, result->messages->text, false);
    }
    fputc('\n', out);
    if (result->status != TEST_FAILED)
        return;
    fputs("  ---\n  message: |\n", out);
    for (const struct test_message *m = result->messages; m; m = m->next)
        print_lines(out, m->text, "    ");
    fputs("  ...\n", out);
}

void test_report_print_tap(const struct test_report *r, FILE *out)
{
    size_t number = 0;

    fprintf(out, "TAP version 14\n1..%zu\n",
            r->count[TEST_PASSED] + r->count[TEST_FAILED] + r->count[TEST_SKIPPED]);
    for (const struct test_result *result = r->first; result; result = result->next)
        print_tap_result(out, result, ++number);
    fputs("# ", out);
    test_report_print_sum(r, out);
}

// --- JSON ----------------------------------------------------------------------------------------

static const char *status_word(enum test_status status)
{
    return status == TEST_PASSED ? "passed" : status == TEST_FAILED ? "failed" : "skipped";
}

void test_report_write_json(const struct test_report *r, const struct test_cover *cover,
                            struct buf *out)
{
    struct json_writer w;

    json_writer_init(&w, out);
    json_object_begin(&w);
    for (enum test_status s = TEST_PASSED; s <= TEST_SKIPPED; s++)
        json_member_integer(&w, status_word(s), (int64_t)r->count[s]);
    json_key(&w, STR("cases"));
    json_array_begin(&w);
    for (const struct test_result *result = r->first; result; result = result->next) {
        json_object_begin(&w);
        json_member_string(&w, "file", result->file);
        if (result->line)
            json_member_integer(&w, "line", result->line);
        else
            json_member_null(&w, "line");
        json_member_string(&w, "name", result->name);
        json_member_text(&w, "status", status_word(result->status));
        json_key(&w, STR("messages"));
        json_array_begin(&w);
        for (const struct test_message *m = result->messages; m; m = m->next)
            json_string(&w, m->text);
        json_array_end(&w);
        json_object_end(&w);
    }
    json_array_end(&w);
    if (cover)
        test_cover_write_json(cover, &w);
    json_object_end(&w);
    buf_append_char(out, '\n');
}

// --- JUnit ---------------------------------------------------------------------------------------

static void attribute_count(struct xml_writer *w, const char *name, size_t count)
{
    char text[24];

    snprintf(text, sizeof(text), "%zu", count);
    xml_attribute(w, name, str_from(text));
}

static void attribute_time(struct xml_writer *w, int64_t us)
{
    char text[32];

    snprintf(text, sizeof(text), "%lld.%06lld", (long long)(us / 1000000),
             (long long)(us % 1000000));
    xml_attribute(w, "time", str_from(text));
}

static void write_junit_outcome(struct xml_writer *w, const struct test_result *result)
{
    const struct test_message *first = result->messages;

    if (result->status == TEST_PASSED)
        return;
    xml_element_begin(w, result->status == TEST_FAILED ? STR("failure") : STR("skipped"));
    if (first) {
        const char *end = memchr(first->text.data, '\n', first->text.len);
        size_t len = end ? (size_t)(end - first->text.data) : first->text.len;

        xml_attribute(w, "message", (struct str){first->text.data, len});
    }
    for (const struct test_message *m = first; m && result->status == TEST_FAILED; m = m->next) {
        xml_text(w, m->text);
        xml_text(w, STR("\n"));
    }
    xml_element_end(w);
}

static void write_junit_case(struct xml_writer *w, const struct test_result *result)
{
    xml_element_begin(w, STR("testcase"));
    xml_attribute(w, "classname", result->file);
    xml_attribute(w, "name", result->name);
    xml_attribute(w, "file", result->file);
    if (result->line)
        attribute_count(w, "line", (size_t)result->line);
    attribute_time(w, result->elapsed_us);
    write_junit_outcome(w, result);
    xml_element_end(w);
}

static void attribute_counts(struct xml_writer *w, const struct test_result *first,
                             const struct test_result *end)
{
    size_t count[TEST_SKIPPED + 1] = {0};
    int64_t us = 0;

    for (const struct test_result *result = first; result != end; result = result->next) {
        count[result->status]++;
        us += result->elapsed_us;
    }
    attribute_count(w, "tests", count[TEST_PASSED] + count[TEST_FAILED] + count[TEST_SKIPPED]);
    attribute_count(w, "failures", count[TEST_FAILED]);
    attribute_count(w, "errors", 0);
    attribute_count(w, "skipped", count[TEST_SKIPPED]);
    attribute_time(w, us);
}

void test_report_write_junit(const struct test_report *r, struct buf *out)
{
    struct xml_writer w;
    const struct test_result *end;

    buf_append_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    xml_writer_init(&w, out);
    xml_element_begin(&w, STR("testsuites"));
    attribute_counts(&w, r->first, NULL);
    for (const struct test_result *first = r->first; first; first = end) {
        for (end = first; end && str_eq(end->file, first->file);)
            end = end->next;
        xml_element_begin(&w, STR("testsuite"));
        xml_attribute(&w, "name", first->file);
        attribute_counts(&w, first, end);
        for (const struct test_result *result = first; result != end; result = result->next)
            write_junit_case(&w, result);
        xml_element_end(&w);
    }
    xml_element_end(&w);
    buf_append_char(out, '\n');
}
