#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Room that every double's text fits, NUL included. */
#define NUMBER_TEXT_SIZE 32

/**
 * number_print(buf, value):
 * Write the shortest decimal text that reads back as the finite double
 * ${value}, with '.' under every locale, as JSON allows it: plain digits
 * from 1e-7 to below 1e21, else with an exponent ("1e+300" is written
 * "1e300").  Return its length.
 */
size_t number_print(char buf[NUMBER_TEXT_SIZE], double value);

/**
 * number_read(text, len, value):
 * Read all of ${text} as a JSON number (RFC 8259: no leading '+' or zeros, no
 * bare '.', no hexadecimal) into ${value}, whatever the locale.  Return 0, or
 * -1 if it is not one or is not finite.
 */
int number_read(const char *text, size_t len, double *value);

/** Whether all of ${text} is a JSON number, finite as a double or not. */
bool number_is(const char *text, size_t len);

/** Read all of ${text} as a decimal whole number from ${least} to ${most}.
 * Return 0, or -1. */
int number_read_whole(
    const char *text, int64_t least, int64_t most, int64_t *value);

/** Write ${value} with thousands separated by ',' ("91,022").  Returns buf. */
const char *number_print_grouped(char buf[NUMBER_TEXT_SIZE], int64_t value);

#endif
