#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "config_print.h"
#include "config_section.h"
#include "config_table.h"
#include "config_value.h"
#include "fault.h"
#include "number.h"
#include "text.h"

#define KEYS_MOST 96
#define MIB (INT64_C(1024) * 1024)
#define RESERVE_OVER_WAL (2 * MIB)
/* The WAL may grow to this whatever wal_max says (contract.md H3, H7). */
#define WAL_CEILING (4 * MIB)
#define GET_CEILING 8192 /* front ends often stop there */
#define GET_DEFAULT 7500
#define POST_DEFAULT (64 * 1024)

/* ---- what is unknown ---- */

/* The keys of ${section}, or all sections for NULL. */
static size_t
known_words(const char *section, const char **words)
{
	const struct config_entry *entry;
	size_t count = 0;

	for (entry = CONFIG_ENTRIES;
	     entry->shown.section != NULL && count < KEYS_MOST; entry++) {
		if (section == NULL)
			words[count++] = entry->shown.section;
		else if (strcmp(entry->shown.section, section) == 0)
			words[count++] = entry->shown.key;
	}
	return count;
}

static int
unknown_section(struct fault *fault, const char *section)
{
	const char *words[KEYS_MOST], *nearest;
	size_t count = known_words(NULL, words);
	char shown[60];

	text_shown(shown, sizeof(shown), section, strlen(section));
	fault_set(fault, FAULT_BAD_CONFIG, "unknown section [%s]", shown);
	nearest = text_nearest(section, words, count);
	if (nearest != NULL)
		fault_hint(fault, "did you mean [%s]?", nearest);
	else
		fault_hint(fault, "monspool.conf(5) lists all sections");
	return -1;
}

static int
unknown_key(struct fault *fault, const char *section, const char *key)
{
	const char *words[KEYS_MOST], *nearest;
	size_t count = known_words(section, words);
	char shown[60];

	text_shown(shown, sizeof(shown), key, strlen(key));
	fault_set(fault, FAULT_BAD_CONFIG, "unknown key %s.%s", section, shown);
	nearest = text_nearest(key, words, count);
	if (nearest != NULL)
		fault_hint(fault, "did you mean %s?", nearest);
	else
		fault_hint(fault, "monspool.conf(5) lists all keys");
	return -1;
}

/* ---- [codes] ---- */

static const char *const VERDICTS[] = { "retry", "hold", "isolate",
	"dead-letter", "split", "throttle-requests", "throttle-rows",
	"resign" };

/* "1017" or "http_413", and a verdict; what they mean is the protocol's. */
static int
check_code(const char *key, const char *value, struct fault *fault)
{
	const char *digits = strncmp(key, "http_", 5) == 0 ? key + 5 : key;
	int64_t least = digits == key ? 1 : 100;
	int64_t most = digits == key ? 999999 : 599, number;
	const char *nearest;
	char shown[60];
	size_t i, count = sizeof(VERDICTS) / sizeof(VERDICTS[0]);

	if (digits != key && strcmp(digits, "200") == 0) {
		fault_set(fault, FAULT_BAD_CONFIG,
		    "codes.%s: the code in its body decides", key);
		fault_hint(fault, "set the code, as in 1016 = hold");
		return -1;
	}
	if (number_read_whole(digits, least, most, &number) ||
	    digits[0] == '0') {
		text_shown(shown, sizeof(shown), key, strlen(key));
		fault_set(fault, FAULT_BAD_CONFIG,
		    "codes.%s is neither a code nor a status", shown);
		fault_hint(fault,
		    "a code such as 1017 (never 0), or a status such as "
		    "http_413");
		return -1;
	}
	for (i = 0; i < count; i++)
		if (strcmp(VERDICTS[i], value) == 0)
			return 0;
	nearest = text_nearest(value, VERDICTS, count);
	text_shown(shown, sizeof(shown), value, strlen(value));
	fault_set(
	    fault, FAULT_BAD_CONFIG, "codes.%s cannot be \"%s\"", key, shown);
	fault_hint(fault,
	    "%s%s%sone of retry, hold, isolate, dead-letter, split, "
	    "throttle-requests, throttle-rows, resign",
	    nearest != NULL ? "did you mean " : "",
	    nearest != NULL ? nearest : "", nearest != NULL ? "? " : "");
	return -1;
}

/* ---- where a value is kept ---- */

struct place {
	const struct config_entry *entry;
	char *at;
};

static const struct config_entry *
find_entry(const char *section, const char *key)
{
	const struct config_entry *entry;

	for (entry = CONFIG_ENTRIES; entry->shown.section != NULL; entry++)
		if (strcmp(entry->shown.section, section) == 0 &&
		    (strcmp(entry->shown.key, key) == 0 ||
			strcmp(entry->shown.key, "*") == 0))
			return entry;
	return NULL;
}

static int
unwanted_name(struct fault *fault, const char *section, const char *name)
{
	char shown[60];

	text_shown(shown, sizeof(shown), name, strlen(name));
	fault_set(fault, FAULT_BAD_CONFIG,
	    "[%s \"%s\"]: this section takes no name", section, shown);
	fault_hint(fault, "write [%s]", section);
	return -1;
}

static int
missing_name(struct fault *fault, const char *section)
{
	fault_set(
	    fault, FAULT_BAD_CONFIG, "[%s] needs a name of its own", section);
	fault_hint(fault, "write [%s \"name\"]", section);
	return -1;
}

int
config_check_section(const char *section, const char *name, struct fault *fault)
{
	const struct config_section *kind = config_section(section);
	const char *words[KEYS_MOST];

	if (known_words(section, words) == 0)
		return unknown_section(fault, section);
	if (name[0] != '\0' && (kind == NULL || strcmp(section, "codes") == 0))
		return unwanted_name(fault, section, name);
	if (kind != NULL && config_section_name(kind, name, "") == NULL)
		return missing_name(fault, section);
	return 0;
}

/* The struct that a key is in, made with ${create} where its section repeats;
 * NULL with ${fault}. */
static char *
find_base(struct config *config, bool create, const char *section,
    const char *name, const char *key, struct fault *fault)
{
	const struct config_section *kind = config_section(section);
	char *base;

	if (kind == NULL)
		return (char *)config;
	name = config_section_name(kind, name, key);
	base = config_section_find(config, kind, name);
	if (base == NULL && create)
		base = config_section_add(config, kind, name, fault);
	return base;
}

static int
find_place(struct config *config, bool create, const char *section,
    const char *name, const char *key, struct place *place, struct fault *fault)
{
	char *base;

	if (config_check_section(section, name != NULL ? name : "", fault))
		return -1;
	if ((place->entry = find_entry(section, key)) == NULL)
		return unknown_key(fault, section, key);
	base = find_base(config, create, section, name, key, fault);
	if (base == NULL)
		return -1;
	place->at = base + place->entry->offset;
	return 0;
}

/* ---- setting and getting ---- */

int
config_set(struct config *config, const char *section, const char *name,
    const char *key, const char *value, struct fault *fault)
{
	struct place place;

	if (strcmp(section, "codes") == 0 && check_code(key, value, fault))
		return -1;
	if (find_place(config, true, section, name, key, &place, fault))
		return -1;
	return config_value_read(place.entry, place.at, value, fault);
}

typedef void print_fn(
    const struct config_entry *entry, const char *at, struct text *text);

static int
print_value(print_fn *print, const struct place *place, char *buf, size_t size)
{
	struct text text = { 0 };
	int failed;

	if (config_is_unset(place->entry, place->at))
		return -1;
	print(place->entry, place->at, &text);
	failed = text.failed || text.len >= size ? -1 : 0;
	if (failed == 0)
		memcpy(buf, text_string(&text), text.len + 1);
	text_free(&text);
	return failed;
}

int
config_get(const struct config *config, const char *section, const char *name,
    const char *key, char *buf, size_t size)
{
	struct place place;

	if (find_place((struct config *)(uintptr_t)config, false, section, name,
		key, &place, NULL))
		return -1;
	return print_value(config_print, &place, buf, size);
}

int
config_get_plain(const struct config *config, const char *section,
    const char *name, const char *key, char *buf, size_t size)
{
	struct place place;

	if (find_place((struct config *)(uintptr_t)config, false, section, name,
		key, &place, NULL))
		return -1;
	return print_value(config_print_plain, &place, buf, size);
}

void
config_defaults(struct config *config)
{
	const struct config_entry *entry;

	memset(config, 0, sizeof(*config));
	(void)config_section_add(
	    config, config_section("account"), "default", NULL);
	for (entry = CONFIG_ENTRIES; entry->shown.section != NULL; entry++)
		if (entry->shown.fallback[0] != '\0')
			(void)config_set(config, entry->shown.section, NULL,
			    entry->shown.key, entry->shown.fallback, NULL);
}

static struct config_key keys[KEYS_MOST];
static pthread_once_t keys_once = PTHREAD_ONCE_INIT;

static void
list_keys(void)
{
	size_t i;

	for (i = 0;
	     i + 1 < KEYS_MOST && CONFIG_ENTRIES[i].shown.section != NULL; i++)
		keys[i] = CONFIG_ENTRIES[i].shown;
}

const struct config_key *
config_keys(void)
{
	pthread_once(&keys_once, list_keys);
	return keys;
}

bool
config_is_inert(const char *section, const char *key, const char *value)
{
	const struct config_entry *entry = find_entry(section, key);

	if (entry == NULL)
		return false;
	if (entry->inert != NULL)
		return strcmp(entry->inert, value) == 0;
	return entry->shown.no_effect_yet;
}

/* ---- the whole ---- */

static int
fault_of(struct fault *fault, const char *field, const char *message,
    const char *hint)
{
	fault_set(fault, FAULT_BAD_CONFIG, "%s %s", field, message);
	fault_field(fault, field);
	fault_hint(fault, "%s", hint);
	return -1;
}

int
config_check(const struct config *config, struct fault *fault)
{
	const struct config_queue *queue = &config->queue;
	int64_t wal = queue->wal_max > WAL_CEILING ? queue->wal_max
						   : WAL_CEILING;

	if (queue->reserve > 0 && queue->reserve < wal + RESERVE_OVER_WAL)
		return fault_of(fault, "queue.reserve",
		    "must exceed the largest WAL by 2 MiB",
		    "at least 6M, and wal_max + 2M; or 0 for none");
	if (queue->max_size > 0 && queue->max_size < MIB)
		return fault_of(fault, "queue.max_size", "is below 1 MiB",
		    "raise it, or set 0 for no bound");
	if (config->retry.max_ms < config->retry.base_ms)
		return fault_of(fault, "retry.max", "is below retry.base",
		    "raise retry.max");
	return 0;
}

int64_t
config_batch_bytes(const struct config *config)
{
	int64_t bytes = config->batch.max_bytes;

	if (!config->receiver.get)
		return bytes;
	if (bytes == POST_DEFAULT)
		return GET_DEFAULT;
	return bytes < GET_CEILING ? bytes : GET_CEILING;
}

const struct config_account *
config_account(const struct config *config, const char *name)
{
	return (const void *)config_section_find(
	    config, config_section("account"), name);
}

const struct config_namespace *
config_namespace(const struct config *config, const char *ns)
{
	size_t i;

	for (i = 0; i < config->namespace_count; i++)
		if (text_glob(config->namespaces[i].glob, ns))
			return &config->namespaces[i];
	return NULL;
}
