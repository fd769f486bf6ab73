// Names of XML elements, made from any text. A name is made of what both the fourth and the fifth
// edition of XML 1.0 take, since many parsers still read by the fourth; ':' is left out, since it
// would be a namespace. Any thread.
#ifndef ENCODE_XML_NAME_H
#define ENCODE_XML_NAME_H

#include "base/buf.h"

// Appends `name` as an element's name: what may not stand in one, or not at its begin (a digit),
// becomes '_', and so does an empty name.
void xml_name_append(struct buf *out, struct str name);

#endif
