#ifndef CLI_DECIMAL_H
#define CLI_DECIMAL_H

#include <stddef.h>

struct fault;

/** Read all of ${text} as a decimal number in the looser forms that CSV, the
 * line protocol and Prometheus write ("+5", ".5", "5.", "007", "1E3") into
 * ${value}, rounded as number_read() does.  0, or -1 if it is not one or is not
 * finite. */
int decimal_read(const char *text, size_t len, double *value);

/** Say of ${text}, which could not be read, that as a value it is no number, or
 * one that no double can hold. */
void decimal_refuse(const char *text, size_t len, struct fault *fault);

#endif
