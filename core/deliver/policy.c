#include "deliver/policy.h"

#include <stdio.h>

#include "base/err.h"

// Takes what stands before the separator off the front of *rest, and the separator too.
static struct str take_part(struct str *rest, char separator)
{
    const char *end = rest->len ? memchr(rest->data, separator, rest->len) : NULL;
    size_t len = end ? (size_t)(end - rest->data) : rest->len;
    struct str part = {rest->data, len};
    len += end != NULL;
    *rest = (struct str){rest->data + len, rest->len - len};
    return part;
}

static struct str after(struct str word, struct str mark)
{
    return (struct str){word.data + mark.len, word.len - mark.len};
}

static int take_word(struct policy *p, struct str word)
{
    if (str_eq(word, STR("retry"))) {
        p->asks_retry = true;
    } else if (str_eq(word, STR("success"))) {
        p->asks_success = true;
    } else if (str_starts_with(word, STR("on="))) {
        p->retry_on = after(word, STR("on="));
    } else if (str_starts_with(word, STR("give_up="))) {
        p->give_up_on = after(word, STR("give_up="));
    } else {
        return ERR_INVALID;
    }
    return 0;
}

int policy_parse(struct str text, struct policy *out)
{
    struct str windows = take_part(&text, ';');
    *out = (struct policy){.retry_on = STR("")};
    int code = retry_parse(windows, &out->windows);
    while (code == 0 && text.len) {
        code = take_word(out, take_part(&text, ';'));
    }
    return code;
}

bool policy_asks_success(struct str text)
{
    take_part(&text, ';');
    while (text.len) {
        if (str_eq(take_part(&text, ';'), STR("success"))) {
            return true;
        }
    }
    return false;
}

bool policy_has_status(struct str list, int status)
{
    char one[16], kind[16];
    snprintf(one, sizeof one, "%d", status);
    snprintf(kind, sizeof kind, "%dxx", status / 100);
    while (list.len) {
        struct str word = take_part(&list, ',');
        if (str_eq(word, str_from(one)) || str_eq(word, str_from(kind))) {
            return true;
        }
    }
    return false;
}
