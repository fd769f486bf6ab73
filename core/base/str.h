// A borrowed run of bytes. Never owns; not NUL-terminated unless the giver says so.
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *data; // NULL only where len is 0
    size_t len;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)(s).len, (s).data

static inline struct str str_from(const char *text)
{
    return (struct str){text, text ? strlen(text) : 0};
}

// Byte for byte.
bool str_eq(struct str a, struct str b);
// For secrets: the time depends on the lengths alone, never on the content.
bool str_eq_constant_time(struct str a, struct str b);
bool str_eq_nocase(struct str a, struct str b); // ASCII case only
bool str_starts_with(struct str s, struct str prefix);
bool str_ends_with(struct str s, struct str suffix);
struct str str_trim(struct str s); // drops spaces and tabs at both ends

// A decimal integer and nothing else. ERR_INVALID, ERR_TOO_LARGE beyond int64.
int str_to_int64(struct str s, int64_t *out);

// A NUL-terminated heap copy; NULL when memory is out. The caller frees it.
char *str_dup(struct str s);

// The edit distance of a and b in bytes, at most `limit` + 1 (for "did you mean"). Texts of more
// than 128 bytes are not compared: 0 where they are equal, else limit + 1.
unsigned str_distance(struct str a, struct str b, unsigned limit);

// Whether s is valid UTF-8 (RFC 3629: no surrogates, nothing overlong); *bad_at is the first bad
// byte.
bool str_is_utf8(struct str s, size_t *bad_at);
// The length of the UTF-8 character at `at`, 0 where it is malformed or cut off. left > 0.
size_t str_utf8_char_len(const char *at, size_t left);

// The next item of a list separated by commas, without the blanks around it; text is moved behind
// it. Empty items are passed over. false at the end.
bool str_next_item(struct str *text, struct str *item);

#endif
