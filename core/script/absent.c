#include "script/absent.h"

#include <string.h>

#define NO_LOADING "; there is none here: require takes modules of the rules folder"

static const struct {
    const char *name;
    const char *hint;
} absent[] = {
    {"os", "; there is no os here"},
    {"io", "; there is no io here"},
    {"debug", "; there is no debug here"},
    {"package", NO_LOADING},
    {"loadfile", NO_LOADING},
    {"dofile", NO_LOADING},
    {"loadstring", "; this is Lua 5.4: load"},
    {"unpack", "; this is Lua 5.4: table.unpack"},
    {"hook", "; write local hook = require \"hookline\" above"},
    {"field", "; write local field = hook.field above"},
};

const char *absent_hint(const char *message)
{
    static const char mark[] = "a nil value (global '";
    const char *name = strstr(message, mark);
    if (name == NULL)
        return "";
    name += sizeof mark - 1;
    size_t len = strcspn(name, "'");
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        if (strlen(absent[i].name) == len && strncmp(absent[i].name, name, len) == 0)
            return absent[i].hint;
    return "";
}
