// What a token server answers. A token that is taken is a header's value; the words are UTF-8
// without the client's secret.
#include "deliver/oauth_answer.h"
#include "encode/head.h"
#include "fuzz.h"

static void check_answer(struct str body, int status, const struct mask *mask)
{
    struct client_response r = {.status = status, .body = body};
    struct oauth_grant grant;
    struct buf token;
    size_t at;
    buf_init(&token, OAUTH_TOKEN_BYTES_MAX);
    oauth_answer_read(&r, STR("https://t.example:443"), mask, &token, &grant);
    if (grant.is_given) {
        promise(status == 200 && token.len > 0 && head_check_value(buf_str(&token), NULL) == 0);
        promise(grant.lifetime_ms > 0 && grant.lifetime_ms <= INT64_C(24) * 60 * 60 * 1000);
    } else {
        promise(grant.detail[0] && str_is_utf8(str_from(grant.detail), &at));
        promise(strstr(grant.detail, "s3cret") == NULL);
    }
    buf_fini(&token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mask mask;
    mask_init(&mask);
    promise(mask_add(&mask, STR("s3cret")) == 0);
    check_answer(fuzz_text(data, size), 200, &mask);
    check_answer(fuzz_text(data, size), 401, &mask);
    mask_fini(&mask);
    return 0;
}
