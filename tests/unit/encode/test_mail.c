#include "unit.h"

#include <stdlib.h>

#include "encode/mail.h"

static void addresses_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_valid;
    } cases[] = {
        {"a@example.com", true},
        {"first.last+tag@mail.example.co.uk", true},
        {"root@localhost", true},
        {"jörg@bücher.example", true},
        {"", false},
        {"a", false},
        {"@example.com", false},
        {"a@", false},
        {"a@b@c", false},
        {"a b@example.com", false},
        {"a@example.com, b@example.com", false},
        {"<a@example.com>", false},
        {"Name <a@example.com>", false},
        {"\"a\"@example.com", false},
        {"a@example.com\r\nBcc: b@example.com", false},
        {"a@example.com\n", false},
        {"a@.example.com", false},
        {"a@example.com.", false},
        {"a\xff@example.com", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (mail_address_is_valid(str_from(cases[i].text)) != cases[i].is_valid) {
            fail_case(i, "%s", cases[i].text);
        }
    }
}

static void a_sender_may_have_a_name(void **state)
{
    (void)state;
    struct str name, address;
    struct err e = {0};
    assert_int_equal(mail_address_parse(STR("\"Hook line\" <a@b.example>"), &name, &address, &e),
                     0);
    assert_true(str_eq(name, STR("Hook line")));
    assert_true(str_eq(address, STR("a@b.example")));
    assert_int_equal(mail_address_parse(STR("a@b.example"), &name, &address, &e), 0);
    assert_int_equal(name.len, 0);
    assert_int_equal(mail_address_parse(STR("A <a@b.example"), &name, &address, &e), ERR_INVALID);
}

static char *written(struct str subject, struct str body)
{
    struct buf out;
    struct str to[] = {STR("c@d.example"), STR("e@f.example")};
    struct mail_message m = {.from_name = STR("Höok\r\nX: y"),
                             .from = STR("a@b.example"),
                             .to = to,
                             .to_count = 2,
                             .id = STR("id1"),
                             .at_ms = 1764118800000,
                             .subject = subject,
                             .body = body};
    buf_init(&out, 1 << 20);
    assert_int_equal(mail_write(&out, &m), 0);
    return buf_take(&out, NULL);
}

static void a_plain_mail_to_the_byte(void **state)
{
    (void)state;
    char *text = written(STR("fails"), STR("one\n.\nFrom x\n"));
    assert_string_equal(text, "Date: Wed, 26 Nov 2025 01:00:00 +0000\r\n"
                              "From: =?utf-8?B?SMO2b2sgIFg6IHk=?=\r\n <a@b.example>\r\n"
                              "To: c@d.example,\r\n e@f.example\r\n"
                              "Subject: fails\r\n"
                              "Message-ID: <id1@b.example>\r\n"
                              "Auto-Submitted: auto-generated\r\n"
                              "MIME-Version: 1.0\r\n"
                              "Content-Type: text/plain; charset=utf-8\r\n"
                              "Content-Transfer-Encoding: 7bit\r\n\r\n"
                              "one\r\n.\r\nFrom x\r\n\r\n");
    free(text);
}

static void no_text_makes_a_header_or_a_long_line(void **state)
{
    (void)state;
    char hostile[4096];
    for (size_t i = 0; i + 1 < sizeof hostile; i++) {
        hostile[i] = "\r\nBcc: evil@example.com\r\n.\r\n\xc3\xbc=\t\x01"[i % 33];
    }
    hostile[sizeof hostile - 1] = '\0';
    char *text = written(str_from(hostile), str_from(hostile));
    char *body = strstr(text, "\r\n\r\n");
    assert_non_null(body);
    *body = '\0';
    assert_null(strstr(text, "\nBcc"));
    assert_non_null(strstr(text, "quoted-printable"));
    for (char *at = body + 2; *at;) {
        char *end = strstr(at, "\r\n");
        assert_non_null(end);
        assert_true(end - at <= 76);
        assert_true(memchr(at, '\r', (size_t)(end - at)) == NULL);
        at = end + 2;
    }
    free(text);
}

static void a_subject_that_is_not_ascii_is_encoded_words(void **state)
{
    (void)state;
    char *text = written(STR("Ärger über Ärger über Ärger über Ärger über"), STR("x"));
    char *subject = strstr(text, "Subject: =?utf-8?B?");
    assert_non_null(subject);
    assert_non_null(strstr(subject, "?=\r\n =?utf-8?B?"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_checked),
        cmocka_unit_test(a_sender_may_have_a_name),
        cmocka_unit_test(a_plain_mail_to_the_byte),
        cmocka_unit_test(no_text_makes_a_header_or_a_long_line),
        cmocka_unit_test(a_subject_that_is_not_ascii_is_encoded_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
