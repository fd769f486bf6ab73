#include "api/internal.h"

void api_set_caller(struct httpd_request *r, uint64_t id)
{
    httpd_set_user(r, (void *)(uintptr_t)id);
}

static uint64_t caller_id(const struct httpd_request *r)
{
    return (uint64_t)(uintptr_t)httpd_user(r);
}

bool api_caller_is_gone(const struct api *a, const struct httpd_request *r)
{
    return caller_id(r) && !access_is_good(a->config.access, caller_id(r));
}

struct str api_caller(const struct api *a, const struct httpd_request *r)
{
    const char *name = access_find(a->config.access, caller_id(r));
    return str_from(name ? name : "a token that is revoked");
}
