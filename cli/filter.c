#include "filter.h"

#include <stdint.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/number.h"
#include "base/text.h"

const char *
filter_glob(const char *given)
{
	if (given == NULL || strchr(given, ',') != NULL)
		return NULL;
	return strcmp(given, "-") == 0 ? "" : given;
}

/* Copy the next word of a list joined by commas; NULL at its end. */
static const char *
next_word(const char *list, struct text *word)
{
	size_t len = strcspn(list, ",");

	text_clear(word);
	text_add(word, list, len);
	return list[len] == ',' ? list + len + 1 : NULL;
}

bool
filter_matches(const char *given, const char *value)
{
	return given == NULL || text_globs(given, value);
}

int
filter_dimension(const char *given, const char **key, const char **value,
    struct fault *fault)
{
	const char *equals;
	char *copy;

	*key = *value = NULL;
	if (given == NULL)
		return 0;
	equals = strchr(given, '=');
	if (equals == NULL || equals == given) {
		fault_set(fault, FAULT_USAGE, "--dim needs K=V");
		fault_hint(fault, "--dim ip=10.0.0.1");
		fault_field(fault, "dim");
		return -1;
	}
	if ((copy = strdup(given)) == NULL)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	copy[equals - given] = '\0';
	*key = copy;
	*value = copy + (equals - given) + 1;
	return 0;
}

/* A word that names no cause would find nothing, and look like good news. */
static int
add_cause(const char *word, struct text *json, struct fault *fault)
{
	static const char *const CAUSES[] = { "code", "http", "oversize",
		"late", "ambiguous", "check", "damage", "import" };
	const size_t count = sizeof(CAUSES) / sizeof(CAUSES[0]);
	const char *nearest = text_nearest(word, CAUSES, count);
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(word, CAUSES[i]) == 0) {
			text_add_json(json, word, strlen(word));
			return 0;
		}
	fault_set(fault, FAULT_USAGE, "--cause: no row dies of that");
	fault_hint(fault,
	    "%s%s%scode, http, oversize, late, ambiguous, check, damage or "
	    "import",
	    nearest != NULL ? "did you mean " : "",
	    nearest != NULL ? nearest : "", nearest != NULL ? "? " : "");
	fault_field(fault, "cause");
	return -1;
}

static int
add_code(const char *word, struct text *json, struct fault *fault)
{
	int64_t code;

	if (strcmp(word, "none") == 0) {
		text_adds(json, "null");
		return 0;
	}
	if (number_read_whole(word, 0, INT32_MAX, &code) == 0) {
		text_addf(json, "%" PRId64, code);
		return 0;
	}
	fault_set(fault, FAULT_USAGE, "--code takes codes of the receiver");
	fault_hint(fault,
	    "--code 1016,1017, or --code none for rows refused "
	    "without a code");
	fault_field(fault, "code");
	return -1;
}

/* The words of a list, as a JSON array. */
static int
add_list(const char *given, struct text *json,
    int (*add)(const char *, struct text *, struct fault *),
    struct fault *fault)
{
	struct text word = { 0 };
	int result = 0;

	text_addc(json, '[');
	while (given != NULL && result == 0) {
		given = next_word(given, &word);
		result = add(text_string(&word), json, fault);
		if (given != NULL)
			text_addc(json, ',');
	}
	text_addc(json, ']');
	text_free(&word);
	return result;
}

int
filter_codes_json(const char *given, struct text *json, struct fault *fault)
{
	return add_list(given, json, add_code, fault);
}

int
filter_causes_json(const char *given, struct text *json, struct fault *fault)
{
	return add_list(given, json, add_cause, fault);
}
