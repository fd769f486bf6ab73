#include "base/netaddr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "unit.h"

static void parses_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *text, *back; // NULL: refused
    } cases[] = {
        {"127.0.0.1", "127.0.0.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::1", "::1"},
        {"2001:DB8::1", "2001:db8::1"},
        {"2001:db8:0:0:0:0:0:1", "2001:db8::1"},
        {"::ffff:10.0.0.1", "::ffff:10.0.0.1"},
        {"fe80::1%eth0", NULL},
        {"[::1]", NULL},
        {"127.1", NULL},
        {"127.0.0.01", NULL},
        {"0177.0.0.1", NULL},
        {"0x7f.0.0.1", NULL},
        {"2130706433", NULL},
        {"127.0.0.256", NULL},
        {"127.0.0.1.", NULL},
        {"127.0.0.1 ", NULL},
        {" 127.0.0.1", NULL},
        {"1:2:3:4:5:6:7", NULL},
        {"1::2::3", NULL},
        {"localhost", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct netaddr a;
        char back[46] = "";
        int code = netaddr_parse(str_from(cases[i].text), &a);
        if (code == 0) {
            netaddr_format(back, &a);
        }
        if ((code == 0) != (cases[i].back != NULL) || (code == 0 && strcmp(back, cases[i].back))) {
            fail_case(i, "%s gave %d, %s", cases[i].text, code, back);
        }
    }
    struct netaddr a;
    assert_int_equal(netaddr_parse(STR("127.0.0.1\0x"), &a), ERR_INVALID);
}

static void reads_socket_addresses(void **state)
{
    (void)state;
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct netaddr a;
    char text[46];
    assert_int_equal(netaddr_from_sockaddr((struct sockaddr *)&v4, &a), 0);
    netaddr_format(text, &a);
    assert_string_equal(text, "127.0.0.1");
    assert_int_equal(netaddr_from_sockaddr((struct sockaddr *)&v6, &a), 0);
    netaddr_format(text, &a);
    assert_string_equal(text, "::1");
    assert_int_equal(netaddr_from_sockaddr((struct sockaddr *)&un, &a), ERR_INVALID);
}

static void parses_blocks(void **state)
{
    (void)state;
    static const struct {
        const char *block, *address;
        int holds; // -1: the block is refused
    } cases[] = {
        {"10.0.0.0/8", "10.255.1.2", 1},
        {"10.0.0.0/8", "11.0.0.0", 0},
        {"127.0.0.1", "127.0.0.1", 1},
        {"127.0.0.1", "127.0.0.2", 0},
        {"127.0.0.1/32", "127.0.0.1", 1},
        {"0.0.0.0/0", "8.8.8.8", 1},
        {"0.0.0.0/0", "::1", 0},
        {"::/0", "2001:db8::1", 1},
        {"::/0", "10.0.0.1", 0},
        {"172.16.0.0/12", "172.31.255.255", 1},
        {"172.16.0.0/12", "172.32.0.0", 0},
        {"fc00::/7", "fdff::1", 1},
        {"fc00::/7", "fe00::1", 0},
        {"::1", "::1", 1},
        {"192.168.1.128/25", "192.168.1.200", 1},
        {"192.168.1.128/25", "192.168.1.100", 0},
        {"10.0.0.1/8", "10.0.0.1", -1},
        {"fd00::1/8", "fd00::1", -1},
        {"192.168.1.129/25", "192.168.1.129", -1},
        {"10.0.0.0/33", "10.0.0.0", -1},
        {"::/129", "::", -1},
        {"10.0.0.0/", "10.0.0.0", -1},
        {"10.0.0.0/-1", "10.0.0.0", -1},
        {"10.0.0.0/08", "10.0.0.0", -1},
        {"10.0.0.0/8/8", "10.0.0.0", -1},
        {"10.0.0.0/255.0.0.0", "10.0.0.0", -1},
        {"/8", "10.0.0.0", -1},
        {"", "10.0.0.0", -1},
        {"example.com", "10.0.0.0", -1},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct netblock b;
        struct netaddr a;
        struct err e = {.text = ""};
        int code = netblock_parse(str_from(cases[i].block), &b, &e);
        assert_int_equal(netaddr_parse(str_from(cases[i].address), &a), 0);
        int holds = code == 0 ? netblock_holds(&b, &a) : -1;
        if (holds != cases[i].holds || (code != 0) != (e.text[0] != '\0')) {
            fail_case(i, "%s, %s: %d %s", cases[i].block, cases[i].address, holds, e.text);
        }
    }
}

static const struct {
    const char *address, *refusal; // NULL: allowed
} REFUSALS[] = {
    // Global unicast, and the neighbours of special blocks.
    {"8.8.8.8", NULL},
    {"1.0.0.0", NULL},
    {"9.255.255.255", NULL},
    {"11.0.0.0", NULL},
    {"100.63.255.255", NULL},
    {"100.128.0.0", NULL},
    {"126.255.255.255", NULL},
    {"128.0.0.0", NULL},
    {"169.253.255.255", NULL},
    {"169.255.0.0", NULL},
    {"172.15.255.255", NULL},
    {"172.32.0.0", NULL},
    {"192.0.1.0", NULL},
    {"192.167.255.255", NULL},
    {"192.169.0.0", NULL},
    {"198.17.255.255", NULL},
    {"198.20.0.0", NULL},
    {"223.255.255.255", NULL},
    {"2606:4700::1111", NULL},
    {"2a00:1450::1", NULL},
    {"2001:200::1", NULL},
    {"2001:db7:ffff::1", NULL},
    {"2001:db9::1", NULL},
    {"3ffe::1", NULL},
    {"3fff:1000::1", NULL},
    // IPv4
    {"0.0.0.0", "this network"},
    {"0.1.2.3", "this network"},
    {"10.0.0.1", "private"},
    {"172.16.0.0", "private"},
    {"172.31.255.255", "private"},
    {"192.168.255.255", "private"},
    {"100.64.0.0", "shared"},
    {"100.127.255.255", "shared"},
    {"127.0.0.1", "loopback"},
    {"127.255.255.255", "loopback"},
    {"169.254.169.254", "link-local"},
    {"168.63.129.15", NULL},
    {"168.63.129.16", "metadata"},
    {"168.63.129.17", NULL},
    {"192.0.0.8", "reserved"},
    {"192.0.2.1", "documentation"},
    {"198.51.100.1", "documentation"},
    {"203.0.113.255", "documentation"},
    {"192.88.99.1", "reserved"},
    {"198.18.0.0", "benchmarking"},
    {"198.19.255.255", "benchmarking"},
    {"224.0.0.1", "multicast"},
    {"239.255.255.255", "multicast"},
    {"240.0.0.1", "reserved"},
    {"255.255.255.254", "reserved"},
    {"255.255.255.255", "broadcast"},
    // IPv6
    {"::", "unspecified"},
    {"::1", "loopback"},
    {"100::1", "discard"},
    {"2001:2::1", "benchmarking"},
    {"2001:10::1", "ORCHID"},
    {"2001:20::1", "ORCHID"},
    {"2001:1::1", "reserved"},
    {"2001:1ff::1", "reserved"},
    {"2001:db8::1", "documentation"},
    {"3fff:fff::1", "documentation"},
    {"fc00::1", "unique-local"},
    {"fd00:ec2::254", "unique-local"},
    {"fe80::1", "link-local"},
    {"febf::1", "link-local"},
    {"fec0::1", "site-local"},
    {"ff02::1", "multicast"},
    {"4000::1", "reserved"},
    {"1::1", "reserved"},
    {"5f00::1", "reserved"},
    {"fe00::1", "reserved"},
    // An IPv4 address inside
    {"::ffff:8.8.8.8", "IPv4-mapped"},
    {"::ffff:0:8.8.8.8", "IPv4-translated"},
    {"::ffff:0:10.0.0.1", "private"},
    {"::8.8.8.8", "IPv4-compatible"},
    {"::ffff:127.0.0.1", "loopback"},
    {"::ffff:10.1.2.3", "private"},
    {"::ffff:169.254.169.254", "link-local"},
    {"::ffff:0.0.0.0", "this network"},
    {"::127.0.0.1", "loopback"},
    {"::10.0.0.1", "private"},
    {"::2", "this network"},
    {"64:ff9b::8.8.8.8", "NAT64"},
    {"64:ff9b::10.0.0.1", "private"},
    {"64:ff9b::127.0.0.1", "loopback"},
    {"64:ff9b:0:0:0:1:808:808", "reserved"},
    {"64:ff9b:1::8.8.8.8", "local NAT64"},
    {"64:ff9b:1::10.0.0.1", "private"},
    {"64:ff9b:1:a00:0:100:808:808", "local NAT64"}, // 10.0.0.1 behind a /48
    {"64:ff9b:1:0:a:0:800:0", "local NAT64"},       // 10.0.0.8 behind a /64
    {"64:ff9b:2::8.8.8.8", "reserved"},
    {"2002:808:808::1", "6to4"},
    {"2002:7f00:1::1", "loopback"},
    {"2002:a00:1::1", "private"},
    {"2002:c0a8:101::", "private"},
    {"2001:0:4136:e378:8000:63bf:3fff:fdd2", "Teredo"},
};

static void refuses_special_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(REFUSALS); i++) {
        struct netaddr a;
        assert_int_equal(netaddr_parse(str_from(REFUSALS[i].address), &a), 0);
        const char *got = netaddr_refusal(&a, NULL, 0);
        const char *wanted = REFUSALS[i].refusal;
        if ((got == NULL) != (wanted == NULL) || (got && strcmp(got, wanted) != 0)) {
            fail_case(i, "%s: %s", REFUSALS[i].address, got ? got : "allowed");
        }
    }
}

static void allows_what_a_block_holds(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        bool is_allowed;
    } cases[] = {
        {"10.1.2.3", true},          {"11.0.0.1", true},
        {"127.0.0.1", true},         {"127.0.0.2", false},
        {"192.168.0.1", false},      {"::1", true},
        {"fd12::1", true},           {"fc00::1", false},
        {"::ffff:10.0.0.1", true},   {"::ffff:192.168.0.1", false},
        {"64:ff9b::10.0.0.1", true}, {"64:ff9b::192.168.0.1", false},
        {"2002:7f00:1::1", true},    {"2001::1", false},
        {"64:ff9b::8.8.8.8", false},
    };
    static const char *const blocks[] = {"10.0.0.0/8", "127.0.0.1", "::1", "fd00::/8"};
    struct netblock allow[COUNT_OF(blocks)];
    for (size_t i = 0; i < COUNT_OF(blocks); i++) {
        assert_int_equal(netblock_parse(str_from(blocks[i]), &allow[i], NULL), 0);
    }
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct netaddr a;
        assert_int_equal(netaddr_parse(str_from(cases[i].address), &a), 0);
        if ((netaddr_refusal(&a, allow, COUNT_OF(allow)) == NULL) != cases[i].is_allowed) {
            fail_case(i, "%s", cases[i].address);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_addresses),
        cmocka_unit_test(reads_socket_addresses),
        cmocka_unit_test(parses_blocks),
        cmocka_unit_test(refuses_special_addresses),
        cmocka_unit_test(allows_what_a_block_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
