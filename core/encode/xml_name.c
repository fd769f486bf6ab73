#include "encode/xml_name.h"

struct range {
    uint32_t first;
    uint32_t last;
};

// Letters of the scripts in which names are written, by the productions Letter of the fourth
// edition (appendix B) and NameStartChar of the fifth.
static const struct range LETTERS[] = {
    {0x00C0, 0x00D6}, {0x00D8, 0x00F6}, {0x00F8, 0x0131}, {0x0134, 0x013E}, {0x0141, 0x0148},
    {0x014A, 0x017E}, {0x0386, 0x0386}, {0x0388, 0x038A}, {0x038C, 0x038C}, {0x038E, 0x03A1},
    {0x03A3, 0x03CE}, {0x0401, 0x040C}, {0x040E, 0x044F}, {0x0451, 0x045C}, {0x045E, 0x0481},
    {0x0490, 0x04C4}, {0x0531, 0x0556}, {0x0561, 0x0586}, {0x05D0, 0x05EA}, {0x0621, 0x063A},
    {0x0641, 0x064A}, {0x0671, 0x06B7}, {0x0905, 0x0939}, {0x0E01, 0x0E2E}, {0x0E30, 0x0E30},
    {0x0E32, 0x0E33}, {0x0E40, 0x0E45}, {0x10A0, 0x10C5}, {0x10D0, 0x10F6}, {0x1E00, 0x1E9B},
    {0x1EA0, 0x1EF9}, {0x3041, 0x3094}, {0x30A1, 0x30FA}, {0x3105, 0x312C}, {0x4E00, 0x9FA5},
    {0xAC00, 0xD7A3},
};

// What may follow a letter besides: the marks and digits of those scripts.
static const struct range FOLLOWERS[] = {
    {0x00B7, 0x00B7}, {0x0300, 0x0345}, {0x064B, 0x0652}, {0x0660, 0x0669},
    {0x0901, 0x0903}, {0x093C, 0x093C}, {0x093E, 0x094D}, {0x0966, 0x096F},
    {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x0E46, 0x0E4E}, {0x0E50, 0x0E59},
};

static bool is_in(uint32_t code, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count && code >= ranges[i].first; i++) {
        if (code <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

static bool may_stand(uint32_t code, bool is_first)
{
    uint32_t lower = code | 0x20;
    if (code < 0x80) {
        bool is_start = (lower >= 'a' && lower <= 'z') || code == '_';
        return is_start ||
               (!is_first && ((code >= '0' && code <= '9') || code == '-' || code == '.'));
    }
    return is_in(code, LETTERS, sizeof LETTERS / sizeof *LETTERS) ||
           (!is_first && is_in(code, FOLLOWERS, sizeof FOLLOWERS / sizeof *FOLLOWERS));
}

// len: of the well-formed character at `at`.
static uint32_t code_at(const char *at, size_t len)
{
    unsigned char first = (unsigned char)*at;
    uint32_t code = len == 1   ? first
                    : len == 2 ? first & 0x1Fu
                    : len == 3 ? first & 0xFu
                               : first & 7u;
    for (size_t i = 1; i < len; i++) {
        code = code << 6 | ((unsigned char)at[i] & 0x3Fu);
    }
    return code;
}

void xml_name_append(struct buf *out, struct str name)
{
    const char *at = name.data;
    const char *stop = name.len > 0 ? name.data + name.len : name.data;
    if (name.len == 0) {
        buf_append_char(out, '_');
    }
    for (bool is_first = true; at < stop && !out->failed; is_first = false) {
        size_t len = str_utf8_char_len(at, (size_t)(stop - at));
        if (len > 0 && may_stand(code_at(at, len), is_first)) {
            buf_append(out, at, len);
        } else {
            buf_append_char(out, '_');
        }
        at += len > 0 ? len : 1;
    }
}
