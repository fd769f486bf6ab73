#include "store/tokens.h"

static const char *const ROLE_WORDS[] = {
    [STORE_ROLE_INGEST] = "ingest", [STORE_ROLE_READ] = "read", [STORE_ROLE_ADMIN] = "admin"};

const char *store_role_word(enum store_role role)
{
    return ROLE_WORDS[role];
}

int store_role_parse(struct str word, enum store_role *out)
{
    for (size_t i = 0; i < sizeof ROLE_WORDS / sizeof *ROLE_WORDS; i++) {
        if (str_eq(word, str_from(ROLE_WORDS[i]))) {
            *out = (enum store_role)i;
            return 0;
        }
    }
    return ERR_INVALID;
}
