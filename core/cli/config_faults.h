// What is wrong in the configuration, for `check --config` and `config`. Main thread.
#ifndef CLI_CONFIG_FAULTS_H
#define CLI_CONFIG_FAULTS_H

#include <stdio.h>

#include "config.h"
#include "encode/json_writer.h"

// "error: hookline.conf.lua: limits.bdy: there is no such key; did you mean body?", one a line.
void config_faults_print(FILE *out, const struct config *c);
// The members "errors" and "warnings": lists of { "severity", "message" }.
void config_faults_write(struct json_writer *w, const struct config *c);

#endif
