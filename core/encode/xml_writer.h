// A push writer of XML 1.0 into a buffer, in UTF-8, without a declaration. An element is begun,
// gets its attributes, then text and elements, then is ended; nesting is the caller's to keep right
// (asserted). Any text is made legal: see below. Errors stick in the buffer. Any thread.
#ifndef ENCODE_XML_WRITER_H
#define ENCODE_XML_WRITER_H

#include "base/buf.h"

enum { XML_WRITER_DEPTH_MAX = 136 };

struct xml_writer {
    struct buf *out;
    size_t dropped;      // characters of texts that XML may not have (XML 1.0, 2.2: Char)
    unsigned depth;      // elements that are open, at most XML_WRITER_DEPTH_MAX
    bool has_open_tag;   // the last one's tag still takes attributes
    struct xml_written { // where the name of an open element stands in `out`
        size_t start;
        size_t len;
    } names[XML_WRITER_DEPTH_MAX];
};

// Starts at the end of `out`, which is borrowed, and which nobody else may change meanwhile.
void xml_writer_init(struct xml_writer *w, struct buf *out);
// Any text is a name: see xml_name.h.
void xml_element_begin(struct xml_writer *w, struct str name);
// Straight after xml_element_begin. `name` goes as it stands.
void xml_attribute(struct xml_writer *w, const char *name, struct str value);
// Valid UTF-8; malformed bytes become U+FFFD. Markup is escaped, a carriage return too, so that all
// of it reads back as it was; what XML may not have (most control characters, U+FFFE, U+FFFF) is
// dropped and counted.
void xml_text(struct xml_writer *w, struct str text);
// Appends the text as xml_text (or, for a value in double quotes, xml_attribute) puts it; returns
// how many characters were dropped.
size_t xml_escape(struct buf *out, struct str text, bool is_attribute);
// "<a/>" where nothing was put in, not even an empty text.
void xml_element_end(struct xml_writer *w);

#endif
