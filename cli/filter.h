#ifndef CLI_FILTER_H
#define CLI_FILTER_H

#include <stdbool.h>
#include <stddef.h>

struct fault;
struct text;

/*
 * What filter options say: globs, several of them joined by commas (any of
 * them matches); "-" is the empty text.
 */

/** The glob the queue can look for itself: NULL where nothing was ${given},
 * or where only filter_matches() can tell. */
const char *filter_glob(const char *given);

/** Whether ${value} matches any glob of ${given}; NULL matches all. */
bool filter_matches(const char *given, const char *value);

/** Split "K=V" of --dim into ${key} (to be freed with the process) and
 * ${value}; nothing for NULL.  0, or -1 with ${fault}. */
int filter_dimension(const char *given, const char **key, const char **value,
    struct fault *fault);

/** "late,check" as ["late","check"].  0, or -1 with ${fault}. */
int filter_causes_json(
    const char *given, struct text *json, struct fault *fault);
/** "1016,none" as [1016,null].  0, or -1 with ${fault}. */
int filter_codes_json(
    const char *given, struct text *json, struct fault *fault);

#endif
