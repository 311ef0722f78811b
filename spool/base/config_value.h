#ifndef BASE_CONFIG_VALUE_H
#define BASE_CONFIG_VALUE_H

#include "config_table.h"

struct fault;

/** Read ${value} as ${entry} says into ${at}.  Return 0, or -1 with ${fault},
 * and nothing is changed. */
int config_value_read(const struct config_entry *entry, char *at,
    const char *value, struct fault *fault);

#endif
