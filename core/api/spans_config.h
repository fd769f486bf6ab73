// Where spans go (api/spans.h), for who reads the configuration.
#ifndef API_SPANS_CONFIG_H
#define API_SPANS_CONFIG_H

#include "base/str.h"

enum { SPANS_HEADERS_MAX = 16 };

struct spans_header { // that the collector wants to see
    struct str name;
    struct str value;
    bool is_secret; // the value is the name of a secret
};

struct spans_config { // borrowed
    const char *url;  // "http://127.0.0.1:4318/v1/traces"; NULL: no spans are made
    struct spans_header headers[SPANS_HEADERS_MAX];
    size_t header_count;
};

#endif
