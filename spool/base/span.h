#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stddef.h>
#include <stdint.h>

#define SPAN_TEXT_SIZE 80

/*
 * The units people write (interface.md section 1, "Values read" and "Values
 * shown").  Readers take all of the text; they return 0, or -1 and leave the
 * result alone.
 */

/** "500ms 30s 3m 2h 7d 1w", joined "1h30m"; a bare whole number is seconds;
 * 0 is 0.  Milliseconds out. */
int span_read_ms(const char *text, int64_t *ms);
/** "1m..15m": two durations, the second not below the first; a single
 * duration sets both. */
int span_read_range_ms(const char *text, int64_t *least_ms, int64_t *most_ms);
/** Bytes, or "64K 1M 2G" ("KiB" too), binary. */
int span_read_bytes(const char *text, int64_t *bytes);
/** "50/s", "600/m", "0": per second, a fraction may come out. */
int span_read_rate(const char *text, double *per_second);
/** RFC 3339, "@UNIX", "-2h", "2h ago", "today", "yesterday" (local days);
 * Unix milliseconds out; ${now_ms} is what relative times go by. */
int span_read_time(const char *text, int64_t now_ms, int64_t *at_ms);

/** "3m 12s", "412 ms", "9d 4h": the two largest units. */
const char *span_print_ms(char buf[SPAN_TEXT_SIZE], int64_t ms);
/** "1.4 MiB", "812 B". */
const char *span_print_bytes(char buf[SPAN_TEXT_SIZE], int64_t bytes);
/** RFC 3339, UTC, milliseconds: "2026-11-24T10:00:00.123Z". */
const char *span_print_time(char buf[SPAN_TEXT_SIZE], int64_t at_ms);

#endif
