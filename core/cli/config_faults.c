#include "cli/config_faults.h"

#include "cli/table.h"

void config_faults_print(FILE *out, const struct config *c)
{
    for (size_t i = 0; i < c->message_count; i++) {
        fputs(c->messages[i].is_error ? "error: " : "warning: ", out);
        table_print_safe(out, str_from(c->messages[i].text), false);
        fputc('\n', out);
    }
}

static void write_list(struct json_writer *w, const struct config *c, const char *key, bool errors)
{
    json_key(w, str_from(key));
    json_array_begin(w);
    for (size_t i = 0; i < c->message_count; i++) {
        if (c->messages[i].is_error != errors)
            continue;
        json_object_begin(w);
        json_member_text(w, "severity", errors ? "error" : "warning");
        json_member_text(w, "message", c->messages[i].text);
        json_object_end(w);
    }
    json_array_end(w);
}

void config_faults_write(struct json_writer *w, const struct config *c)
{
    write_list(w, c, "errors", true);
    write_list(w, c, "warnings", false);
}
