#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level {
	LOG_ERROR,
	LOG_WARN,
	LOG_INFO,
	LOG_DEBUG
};

enum log_form {
	LOG_PLAIN,   /* 2026-11-24T10:00:00.123Z level event key=value ... */
	LOG_JOURNAL, /* <N>event key=value ...; the journal adds the time */
	LOG_NDJSON   /* {"at":...,"level":...,"event":...,"key":value} */
};

/** Where events go (a descriptor, usually 2), how, and from which level on.
 * Process-wide; a library that never calls log_event() never logs. */
void log_to(int fd, enum log_form form, enum log_level most);
bool log_wants(enum log_level level);

/**
 * log_event(level, event, format, ...):
 * Log one event on one line with one write().  ${format} makes
 * the key=value pairs, separated by one space; text values from
 * outside go through LOG_TEXT so that they are escaped and quoted:
 *   log_event(LOG_INFO, "lane_held", "lane=%s code=%d message=%s", ...,
 *       log_text(buf, sizeof(buf), message));
 * In NDJSON every value becomes a string, but for those that are plain
 * integers.  Errors of the write are ignored.
 */
void log_event(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Copy ${string} (NULL is "") into ${buf}, escaped, in double quotes, cut to
 * fit.  Return ${buf}. */
const char *log_text(char *buf, size_t size, const char *string);
struct fault;
/** The same with what went wrong, and why. */
const char *log_reason(char *buf, size_t size, const struct fault *fault);

#endif
