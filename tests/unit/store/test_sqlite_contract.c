// The SQLite backend keeps the store's contract.
#include "store/contract.h"

static int contract_setup(void **state)
{
    return contract_setup_with(state, store_open);
}

int main(void)
{
    const struct CMUnitTest tests[] = {CONTRACT_TESTS};
    return cmocka_run_group_tests_name("store contract, SQLite", tests, NULL, NULL);
}
