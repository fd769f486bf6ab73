// Requests, answers and values as people read them, from their JSON form, that of the API. Main
// thread.
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include <stdio.h>

#include "cli/json_tree.h"

// "  name      value", nothing where the value is missing or null.
void show_field(FILE *out, const char *name, const struct json_node *value);
// A value over several lines, indented by `indent` spaces (its first line too).
void show_json(FILE *out, const struct json_node *value, int indent);
// Whether a body is shown as it went over the wire, or, where it is JSON, over several lines.
enum show_bodies { SHOW_AS_SENT, SHOW_INDENTED };
// `request_sent`: method, URL, headers, body, each line behind "  > ".
void show_request(FILE *out, const struct json_node *request, enum show_bodies bodies);
// `response_received`, each line behind "  < ".
void show_response(FILE *out, const struct json_node *response, enum show_bodies bodies);
// The trace of a workflow's conditions, as GET /v1/events/ID/explain has it, as a tree, indented by
// `indent` spaces.
void show_trace(FILE *out, const struct json_node *trace, int indent);

#endif
