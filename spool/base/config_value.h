#ifndef BASE_CONFIG_VALUE_H
#define BASE_CONFIG_VALUE_H

#include <stdbool.h>

#include "config_table.h"

struct fault;
struct text;

/** Read ${value} as ${entry} says into ${at}.  Return 0, or -1 with ${fault},
 * and nothing is changed. */
int config_value_read(const struct config_entry *entry, char *at,
    const char *value, struct fault *fault);

/** Add what is kept at ${at} as config_value_read() reads it. */
void config_value_write(
    const struct config_entry *entry, const char *at, struct text *text);

/** Whether the key was left out where that differs from every value: the
 * keys of [namespace]. */
bool config_value_unset(const struct config_entry *entry, const char *at);

#endif
