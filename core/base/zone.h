// Time zones by their IANA names, read from the system's TZif files (RFC 8536) with the POSIX rule
// at their end for the times behind the table: $TZDIR, else /usr/share/zoneinfo. UTC needs no file.
// A zone is immutable once it is loaded; any thread.
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include "base/err.h"
#include "base/str.h"

struct zone;

enum { ZONE_NAME_MAX = 64 };

// Blocks for a small file. ERR_NOT_FOUND for a name that is none (with the nearest one that is),
// ERR_CORRUPT for a file that is no TZif, ERR_NOMEM; with words.
int zone_load(struct zone **out, struct str name, struct err *e);
// The bytes of a TZif file. Every count and index in them is checked.
int zone_parse(struct zone **out, struct str bytes, struct err *e);
void zone_free(struct zone *z); // NULL too

// Seconds that the zone's clocks are ahead of UTC at that time (Unix seconds).
int zone_offset_s(const struct zone *z, int64_t unix_s);
// When the zone's clocks show a time, given as the Unix seconds at which UTC's would. Of a time
// that they show twice the first; for one that they skip the next that they show.
int64_t zone_to_unix_s(const struct zone *z, int64_t local_s);

#endif
