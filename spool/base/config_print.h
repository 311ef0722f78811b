#ifndef BASE_CONFIG_PRINT_H
#define BASE_CONFIG_PRINT_H

#include <stdbool.h>

#include "config_table.h"

struct text;

/** Add what is kept at ${at} as config_value_read() reads it. */
void config_print(
    const struct config_entry *entry, const char *at, struct text *text);

/** The same without units: sizes in bytes, spans as "1500ms". */
void config_print_plain(
    const struct config_entry *entry, const char *at, struct text *text);

/** Whether the key was left out where that differs from every value: the
 * keys of [namespace]. */
bool config_is_unset(const struct config_entry *entry, const char *at);

#endif
