// A JSON value as a tree, for what the command line reads whole: the host's answers, an event from
// a file. Nodes live on an arena; texts are on it too, or borrowed from the source. Any thread.
#ifndef CLI_JSON_TREE_H
#define CLI_JSON_TREE_H

#include "base/arena.h"
#include "base/err.h"
#include "encode/json_reader.h"

struct json_node {
    enum json_token kind;    // JSON_NULL ... JSON_STRING, JSON_OBJECT_BEGIN, JSON_ARRAY_BEGIN
    struct str key;          // of a member, unescaped
    struct str text;         // STRING: unescaped; NUMBER: as written
    struct str raw;          // the whole value as written, borrowed from the source
    struct json_node *first; // of an object's members or an array's elements
    struct json_node *next;
};

// source stays borrowed by the nodes. ERR_INVALID, ERR_TOO_LARGE, ERR_NOMEM with words.
int json_tree_read(struct json_node **out, struct str source, struct arena *arena, struct err *e);

// The member of an object by a path of names ("record.id"); NULL where there is none, or node is
// NULL.
const struct json_node *json_tree_get(const struct json_node *node, const char *path);
// What a person would call the value: text without quotes, null and missing empty, the rest as
// written.
struct str json_tree_text(const struct json_node *node);
bool json_tree_is_true(const struct json_node *node);

#endif
