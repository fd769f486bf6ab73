#include "cli/colour.h"

#include <stdlib.h>
#include <unistd.h>

bool colour_is_wanted(FILE *out)
{
    const char *no = getenv("NO_COLOR");

    return isatty(fileno(out)) && !(no && *no);
}

const char *colour(bool is_on, enum colour c)
{
    static const char *const sequences[] = {
        [COLOUR_NONE] = "\033[0m",    [COLOUR_BOLD] = "\033[1m",  [COLOUR_FAINT] = "\033[2m",
        [COLOUR_REVERSE] = "\033[7m", [COLOUR_RED] = "\033[31m",  [COLOUR_GREEN] = "\033[32m",
        [COLOUR_YELLOW] = "\033[33m", [COLOUR_CYAN] = "\033[36m",
    };

    return is_on ? sequences[c] : "";
}

enum colour colour_of(struct str word)
{
    static const struct {
        struct str word;
        enum colour colour;
    } words[] = {
        {STR("delivered"), COLOUR_GREEN},  {STR("retrying"), COLOUR_YELLOW},
        {STR("terminated"), COLOUR_RED},   {STR("invalid"), COLOUR_RED},
        {STR("pending"), COLOUR_CYAN},     {STR("sent"), COLOUR_CYAN},
        {STR("error"), COLOUR_RED},        {STR("open"), COLOUR_RED},
        {STR("half_open"), COLOUR_YELLOW}, {STR("paused"), COLOUR_YELLOW},
        {STR("closed"), COLOUR_GREEN},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (str_eq(words[i].word, word))
            return words[i].colour;
    return COLOUR_FAINT;
}
