#include "base/memory.h"

#include <mimalloc.h>

#pragma weak mi_collect

void memory_trim(void)
{
    if (mi_collect) {
        mi_collect(true);
    }
}
