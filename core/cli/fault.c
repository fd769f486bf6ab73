#include "cli/fault.h"

#include "cli/table.h"

void fault_print(FILE *out, const struct rules_fault *f)
{
    table_print_safe(out, str_from(f->file), false);
    if (f->line > 0)
        fprintf(out, ":%d", f->line);
    fprintf(out, ": %s: ", f->is_warning ? "warning" : "error");
    if (f->path && *f->path) {
        table_print_safe(out, str_from(f->path), false);
        fputs(": ", out);
    }
    table_print_safe(out, str_from(f->message), true);
    fputc('\n', out);
}

void fault_write_json(struct json_writer *w, const struct rules_fault *f)
{
    json_object_begin(w);
    json_member_text(w, "file", f->file);
    if (f->line > 0)
        json_member_integer(w, "line", f->line);
    else
        json_member_null(w, "line");
    if (f->column > 0)
        json_member_integer(w, "column", f->column);
    else
        json_member_null(w, "column");
    json_member_text(w, "severity", f->is_warning ? "warning" : "error");
    json_member_text(w, "path", f->path);
    json_member_text(w, "message", f->message);
    json_object_end(w);
}
