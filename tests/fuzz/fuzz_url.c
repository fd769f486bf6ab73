// Callback URLs, targets and addresses: what is checked is what is sent.
#include "encode/percent.h"
#include "encode/url.h"
#include "fuzz.h"

enum { TEXT_MAX = 1 << 20 };

// The target of a URL is itself a URL of the same target.
static void check_target(const struct url *u, struct buf *out)
{
    struct url again;
    struct err e = {0};
    struct netaddr address;
    url_target(out, u);
    promise(url_parse(buf_str(out), &again, &e) == 0);
    promise(again.is_https == u->is_https && again.port == u->port && again.path.len == 0);
    promise(url_address(&again, &address) == url_address(u, &address));
}

static void check_url(struct str text, struct buf *out)
{
    struct url u = {0};
    struct err e = {0};
    if (url_parse(text, &u, &e)) {
        promise(e.text[0]);
        return;
    }
    promise(u.port > 0 && u.port < 65536 && u.host.len > 0);
    promise(fuzz_is_inside(u.host, text) && fuzz_is_inside(u.path, text));
    promise(memchr(u.host.data, '@', u.host.len) == NULL);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        promise(c > ' ' && c < 0x7f && c != '\\' && c != '#');
    }
    check_target(&u, out);
}

static void check_percent(struct str text, struct buf *out)
{
    struct buf back;
    buf_init(&back, TEXT_MAX);
    buf_reset(out);
    percent_encode(out, text);
    promise(percent_decode(&back, buf_str(out)) == 0 && str_eq(buf_str(&back), text));
    buf_reset(out);
    if (percent_decode(out, text)) {
        promise(out->len == 0 && memchr(text.data, '%', text.len));
    }
    buf_fini(&back);
}

static void check_block(struct str text)
{
    struct netblock block;
    struct err e = {0};
    if (netblock_parse(text, &block, &e) == 0) {
        promise(block.prefix <= (block.base.is_v6 ? 128u : 32u));
        promise(netblock_holds(&block, &block.base));
        promise(netaddr_refusal(&block.base, &block, 1) == NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = fuzz_text(data, size);
    struct buf out;
    buf_init(&out, TEXT_MAX);
    check_url(text, &out);
    check_percent(text, &out);
    check_block(text);
    buf_fini(&out);
    return 0;
}
