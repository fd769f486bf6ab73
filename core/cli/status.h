// What `hookline status` shows, after pause, resume and drain too. Main thread.
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

#include "cli/listing.h"

// l->root: what GET /v1/status answers.
int status_show(struct listing *l);

#endif
