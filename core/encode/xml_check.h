// Whether a text is a legal XML document, by libxml2: well-formed, its namespaces declared, and
// without a DOCTYPE (which a webhook has no use for, and receivers rightly refuse). Nothing is
// fetched, no entity is expanded, no tree is built. Any thread.
#ifndef ENCODE_XML_CHECK_H
#define ENCODE_XML_CHECK_H

#include "base/err.h"
#include "base/str.h"

// 0; ERR_INVALID with "line 2, column 7: ..."; ERR_NOMEM, ERR_TOO_LARGE (2 GiB).
int xml_check(struct str text, struct err *e);

#endif
