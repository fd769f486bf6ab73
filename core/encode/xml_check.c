#include "encode/xml_check.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlerror.h>
#include <limits.h>
#include <stdio.h>

struct check {
    xmlParserCtxtPtr parser;
    bool has_fault;
    int line;
    int column;
    char what[512];
};

static void note(struct check *c, int line, int column, const char *what)
{
    if (c->has_fault)
        return;
    c->has_fault = true;
    c->line = line;
    c->column = column;
    snprintf(c->what, sizeof c->what, "%s", what);
    c->what[strcspn(c->what, "\n")] = '\0';
}

// Only the first fault counts: what follows is mostly its echo.
static void on_error(void *ctx, xmlErrorPtr error)
{
    if (error->level >= XML_ERR_ERROR)
        note(ctx, error->line, error->int2, error->message ? error->message : "not legal");
}

static void on_doctype(void *ctx, const xmlChar *name, const xmlChar *external_id,
                       const xmlChar *system_id)
{
    struct check *c = ctx;
    (void)name;
    (void)external_id;
    (void)system_id;
    note(c, xmlSAX2GetLineNumber(c->parser), xmlSAX2GetColumnNumber(c->parser),
         "a DOCTYPE may not be sent");
    xmlStopParser(c->parser);
}

int xml_check(struct str text, struct err *e)
{
    // No handler builds anything; an entity can only come from a DOCTYPE, which ends the parse.
    xmlSAXHandler handler = {
        .initialized = XML_SAX2_MAGIC, .internalSubset = on_doctype, .serror = on_error};
    struct check c = {0};
    if (text.len == 0)
        return err_set(e, ERR_INVALID, "line 1, column 1: Document is empty");
    if (text.len > INT_MAX)
        return err_set(e, ERR_TOO_LARGE, "too large");
    c.parser = xmlCreateMemoryParserCtxt(text.data, (int)text.len);
    if (!c.parser)
        return err_set(e, ERR_NOMEM, "not enough memory");
    *c.parser->sax = handler;
    xmlCtxtUseOptions(c.parser, XML_PARSE_NONET);
    c.parser->userData = &c;
    xmlParseDocument(c.parser);
    bool is_legal = c.parser->wellFormed && c.parser->nsWellFormed && !c.has_fault;
    xmlFreeParserCtxt(c.parser);
    if (is_legal)
        return 0;
    return err_set(e, ERR_INVALID, "line %d, column %d: %s", c.line, c.column,
                   c.has_fault ? c.what : "not legal");
}
