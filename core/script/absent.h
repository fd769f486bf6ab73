// Names that are nil in a rule where its author expected something: what is said of them beside
// Lua's own words. Pure; any thread.
#ifndef SCRIPT_ABSENT_H
#define SCRIPT_ABSENT_H

// Words to go behind Lua's message ("attempt to index a nil value (global 'os')"), "" for none.
const char *absent_hint(const char *message);

#endif
