#include "api/exposition.h"

enum { US = 1000000 };

void exposition_family(struct exposition *x, const char *name, const char *type, const char *help)
{
    x->name = name;
    buf_printf(x->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void append_value(struct buf *out, struct str value)
{
    while (value.len) {
        size_t len = str_utf8_char_len(value.data, value.len);
        char c = value.data[0];
        if (len == 0) {
            buf_append_text(out, "\xEF\xBF\xBD");
            len = 1;
        } else if (c == '\n') {
            buf_append_text(out, "\\n");
        } else {
            if (c == '"' || c == '\\') {
                buf_append_char(out, '\\');
            }
            buf_append(out, value.data, len);
        }
        value = (struct str){value.data + len, value.len - len};
    }
}

void exposition_integer(struct exposition *x, const struct exposition_label *labels, size_t count,
                        int64_t value)
{
    buf_append_text(x->out, x->name);
    for (size_t i = 0; i < count; i++) {
        buf_printf(x->out, "%c%s=\"", i ? ',' : '{', labels[i].name);
        append_value(x->out, labels[i].value);
        buf_append_char(x->out, '"');
    }
    buf_printf(x->out, "%s %lld\n", count ? "}" : "", (long long)value);
}

// "0.0025", "5", "86400": no more digits than it takes.
static void append_seconds(struct buf *out, int64_t us)
{
    long long whole = us / US, rest = us % US;
    int digits = 6;
    buf_printf(out, "%lld", whole);
    while (rest && rest % 10 == 0) {
        rest /= 10;
        digits--;
    }
    if (rest) {
        buf_printf(out, ".%0*lld", digits, rest);
    }
}

void exposition_seconds(struct exposition *x, int64_t us)
{
    buf_printf(x->out, "%s ", x->name);
    append_seconds(x->out, us > 0 ? us : 0);
    buf_append_char(x->out, '\n');
}

void exposition_histogram(struct exposition *x, const struct histogram *h)
{
    uint64_t below = 0;
    for (size_t i = 0; i < h->bound_count; i++) {
        below += h->count[i];
        buf_printf(x->out, "%s_bucket{le=\"", x->name);
        append_seconds(x->out, h->bounds_us[i]);
        buf_printf(x->out, "\"} %llu\n", (unsigned long long)below);
    }
    buf_printf(x->out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum ", x->name,
               (unsigned long long)h->total, x->name);
    append_seconds(x->out, (int64_t)h->sum_us);
    buf_printf(x->out, "\n%s_count %llu\n", x->name, (unsigned long long)h->total);
}

void exposition_counter(struct exposition *x, const char *name, const char *help, uint64_t value)
{
    exposition_family(x, name, "counter", help);
    exposition_integer(x, NULL, 0, (int64_t)value);
}

void exposition_gauge(struct exposition *x, const char *name, const char *help, int64_t value)
{
    exposition_family(x, name, "gauge", help);
    exposition_integer(x, NULL, 0, value);
}
