// Dates, times and durations: what is taken is written back as the same moment.
#include "base/duration.h"
#include "base/err.h"
#include "base/rfc3339.h"
#include "fuzz.h"

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static void check_time(struct str text)
{
    int64_t ms = 0, again = 0;
    char shown[RFC3339_LEN + 1];
    if (rfc3339_parse(text, &ms)) {
        return;
    }
    rfc3339_format(shown, ms);
    promise(strlen(shown) == RFC3339_LEN);
    promise(rfc3339_parse(str_from(shown), &again) == 0 && again == ms);
}

static void check_date(struct str text)
{
    int64_t ms = 0, again = 0;
    char shown[RFC3339_LEN + 1];
    if (rfc3339_parse_date(text, &ms)) {
        return;
    }
    promise(ms % DAY_MS == 0);
    rfc3339_format(shown, ms);
    promise(str_eq((struct str){shown, 10}, text));
    promise(rfc3339_parse_date((struct str){shown, 10}, &again) == 0 && again == ms);
}

static void check_duration(struct str text)
{
    int64_t ms = 0, again = 0;
    char shown[24];
    if (duration_parse(text, &ms)) {
        return;
    }
    promise(ms >= 0);
    duration_format(shown, ms);
    promise(duration_parse(str_from(shown), &again) == 0 && again == ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = fuzz_text(data, size);
    check_time(text);
    check_date(text);
    check_duration(text);
    return 0;
}
