#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_table.h"
#include "fault.h"
#include "number.h"
#include "span.h"
#include "text.h"

#define KEYS_MOST 96
#define MIB (INT64_C(1024) * 1024)
#define RESERVE_OVER_WAL (2 * MIB)
/* The WAL may grow to this whatever wal_max says (contract.md H3, H7). */
#define WAL_CEILING (4 * MIB)
#define GET_CEILING 8192 /* front ends often stop there */
#define GET_DEFAULT 7500
#define POST_DEFAULT (64 * 1024)

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

/* The sections that may stand more than once, each an array of structs that
 * begin with their name. */
struct repeated {
	const char *section;
	size_t array, count, size, most, name_room;
};

static const struct repeated REPEATED_SECTIONS[] = {
	{ "account", offsetof(struct config, accounts),
	    offsetof(struct config, account_count),
	    sizeof(struct config_account), CONFIG_ACCOUNTS, CONFIG_NAME },
	{ "codes", offsetof(struct config, codes),
	    offsetof(struct config, code_count), sizeof(struct config_code),
	    CONFIG_CODES, sizeof(((struct config_code *)0)->name) },
	{ "outbox", offsetof(struct config, outboxes),
	    offsetof(struct config, outbox_count), sizeof(struct config_outbox),
	    CONFIG_OUTBOXES, CONFIG_NAME },
	{ "namespace", offsetof(struct config, namespaces),
	    offsetof(struct config, namespace_count),
	    sizeof(struct config_namespace), CONFIG_NAMESPACES, CONFIG_NAME },
};

static const struct repeated *
find_repeated(const char *section)
{
	size_t i;

	for (i = 0;
	     i < sizeof(REPEATED_SECTIONS) / sizeof(REPEATED_SECTIONS[0]); i++)
		if (strcmp(REPEATED_SECTIONS[i].section, section) == 0)
			return &REPEATED_SECTIONS[i];
	return NULL;
}

/* The struct called ${name}, or NULL. */
static char *
find_named(
    const struct config *config, const struct repeated *kind, const char *name)
{
	char *base = (char *)(uintptr_t)config, *at = base + kind->array;
	size_t count = *(size_t *)(void *)(base + kind->count);

	for (; count-- > 0; at += kind->size)
		if (strcmp(at, name) == 0)
			return at;
	return NULL;
}

/* A new struct called ${name}, or NULL: there are too many, or the name does
 * not fit. */
static char *
add_named(struct config *config, const struct repeated *kind, const char *name)
{
	char *base = (char *)config, *at;
	size_t *count = (size_t *)(void *)(base + kind->count);

	if (*count == kind->most || strlen(name) >= kind->name_room ||
	    name[0] == '\0')
		return NULL;
	at = base + kind->array + *count * kind->size;
	++*count;
	memset(at, 0, kind->size);
	snprintf(at, kind->name_room, "%s", name);
	if (strcmp(kind->section, "namespace") == 0) {
		struct config_namespace *namespace = (void *)at;

		namespace->max_age_ms = namespace->late_after_ms = -1;
		namespace->late_policy = -1;
	}
	return at;
}

/* What tells the structs of a repeated section apart. */
static const char *
name_of(const char *section, const char *name, const char *key)
{
	if (strcmp(section, "codes") == 0)
		return key;
	if (name == NULL || name[0] == '\0')
		return strcmp(section, "account") == 0 ? "default" : NULL;
	return name;
}

/* ---- faults ---- */

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
unknown_key(struct fault *fault, const char *section, const char *key)
{
	const char *words[KEYS_MOST], *nearest;
	size_t count = known_words(section, words);

	if (count == 0) {
		count = known_words(NULL, words);
		nearest = text_nearest(section, words, count);
		fault_set(fault, FAULT_BAD_CONFIG, "unknown section [%.60s]",
		    section);
	} else {
		nearest = text_nearest(key, words, count);
		fault_set(fault, FAULT_BAD_CONFIG, "unknown key %.60s.%.60s",
		    section, key);
	}
	if (nearest != NULL)
		fault_hint(fault, "did you mean %s?", nearest);
	else
		fault_hint(fault, "monspool.conf(5) lists all keys");
	return -1;
}

static int
bad_value(struct fault *fault, const struct config_entry *entry,
    const char *value, const char *wanted)
{
	struct text shown = { 0 };

	text_add_escaped(&shown, value, strlen(value));
	fault_set(fault, FAULT_BAD_CONFIG, "%s.%s cannot be \"%.100s\"",
	    entry->shown.section, entry->shown.key, text_string(&shown));
	fault_hint(fault, "%s", wanted);
	text_free(&shown);
	return -1;
}

static int
out_of_range(
    struct fault *fault, const struct config_entry *entry, const char *value)
{
	char wanted[2 * SPAN_TEXT_SIZE + 16], least[SPAN_TEXT_SIZE], most[SPAN_TEXT_SIZE];

	if (entry->type == CONFIG_BYTES) {
		span_print_bytes(least, entry->least);
		span_print_bytes(most, entry->most);
	} else if (entry->type == CONFIG_SPAN || entry->type == CONFIG_RANGE) {
		span_print_ms(least, entry->least);
		span_print_ms(most, entry->most);
	} else {
		snprintf(least, sizeof(least), "%lld", (long long)entry->least);
		snprintf(most, sizeof(most), "%lld", (long long)entry->most);
	}
	if (entry->most == INT64_MAX)
		snprintf(wanted, sizeof(wanted), "at least %s", least);
	else
		snprintf(wanted, sizeof(wanted), "from %s to %s", least, most);
	return bad_value(fault, entry, value, wanted);
}

/* ---- readers, one a type ---- */

typedef int read_fn(const struct config_entry *entry, char *at,
    const char *value, struct fault *fault);

static int
store_whole(const struct config_entry *entry, char *at, int64_t whole,
    const char *value, struct fault *fault)
{
	if (whole < entry->least || whole > entry->most)
		return out_of_range(fault, entry, value);
	*(int64_t *)(void *)at = whole;
	return 0;
}

static int
read_text(const struct config_entry *entry, char *at, const char *value,
    struct fault *fault)
{
	if ((int64_t)strlen(value) < entry->least)
		return bad_value(fault, entry, value, "it must not be empty");
	if ((int64_t)strlen(value) >= entry->most)
		return bad_value(fault, entry, value, "it is too long");
	memcpy(at, value, strlen(value) + 1);
	return 0;
}

static int
read_whole(const struct config_entry *entry, char *at, const char *value,
    struct fault *fault)
{
	int64_t whole;

	if (number_read_whole(value, INT64_MIN, INT64_MAX, &whole))
		return bad_value(fault, entry, value, "a whole number");
	return store_whole(entry, at, whole, value, fault);
}

static int
read_bytes(const struct config_entry *entry, char *at, const char *value,
    struct fault *fault)
{
	int64_t whole;

	if (span_read_bytes(value, &whole))
		return bad_value(
		    fault, entry, value, "bytes, or a size such as 64K 1M 2G");
	return store_whole(entry, at, whole, value, fault);
}

static int
read_span(const struct config_entry *entry, char *at, const char *value,
    struct fault *fault)
{
	int64_t whole;

	if (span_read_ms(value, &whole))
		return bad_value(fault, entry, value,
		    "a duration such as 500ms 30s 3m 2h 7d");
	return store_whole(entry, at, whole, value, fault);
}

static int
read_range(const struct config_entry *entry, char *at, const char *value,
    struct fault *fault)
{
	int64_t spans[2];

	if (span_read_range_ms(value, &spans[0], &spans[1]))
		return bad_value(fault, entry, value,
		    "two durations, the smaller first, such as 1m..15m");
	if (spans[0] < entry->least || spans[1] > entry->most)
		return out_of_range(fault, entry, value);
	memcpy(at, spans, sizeof(spans));
	return 0;
}

static int
read_number(const struct config_entry *entry, char *at, const char *value,
    struct fault *fault)
{
	double number;

	if (number_read(value, strlen(value), &number))
		return bad_value(fault, entry, value, "a number");
	if (number < (double)entry->least || number > (double)entry->most)
		return out_of_range(fault, entry, value);
	*(double *)(void *)at = number;
	return 0;
}

static int
read_rate(const struct config_entry *entry, char *at, const char *value,
    struct fault *fault)
{
	double rate;

	if (span_read_rate(value, &rate))
		return bad_value(
		    fault, entry, value, "a rate such as 50/s or 600/m");
	*(double *)(void *)at = rate;
	return 0;
}

/* "1000/10m"; "0" is off. */
static int
read_brake(const struct config_entry *entry, char *at, const char *value,
    struct fault *fault)
{
	const char *slash = strchr(value, '/');
	int64_t pair[2] = { 0, 0 };
	char count[32];

	if (slash == NULL && strcmp(value, "0") != 0)
		goto bad;
	if (slash != NULL) {
		if (slash - value >= (ptrdiff_t)sizeof(count))
			goto bad;
		memcpy(count, value, (size_t)(slash - value));
		count[slash - value] = '\0';
		if (number_read_whole(count, 1, INT64_MAX, &pair[0]) ||
		    span_read_ms(slash + 1, &pair[1]) || pair[1] == 0)
			goto bad;
	}
	memcpy(at, pair, sizeof(pair));
	return 0;

bad:
	return bad_value(
	    fault, entry, value, "rows and a span: 1000/10m; 0 off");
}

static int
read_yes_no(const struct config_entry *entry, char *at, const char *value,
    struct fault *fault)
{
	bool yes = strcmp(value, "yes") == 0;

	if (!yes && strcmp(value, "no") != 0)
		return bad_value(fault, entry, value, "yes or no");
	*(bool *)(void *)at = yes;
	return 0;
}

static int
which_word(
    const struct config_entry *entry, const char *value, struct fault *fault)
{
	struct text wanted = { 0 };
	int i;

	for (i = 0; entry->words[i] != NULL; i++)
		if (strcmp(entry->words[i], value) == 0)
			return i;
	for (i = 0; entry->words[i] != NULL; i++)
		text_addf(
		    &wanted, "%s%s", i > 0 ? ", " : "one of ", entry->words[i]);
	bad_value(fault, entry, value, text_string(&wanted));
	text_free(&wanted);
	return -1;
}

static int
read_word(const struct config_entry *entry, char *at, const char *value,
    struct fault *fault)
{
	int word = which_word(entry, value, fault);

	if (word >= 0)
		*(int *)(void *)at = word;
	return word < 0 ? -1 : 0;
}

static int
read_either(const struct config_entry *entry, char *at, const char *value,
    struct fault *fault)
{
	int word = which_word(entry, value, fault);

	if (word >= 0)
		*(bool *)(void *)at = word == 1;
	return word < 0 ? -1 : 0;
}

static int
read_region(const struct config_entry *entry, char *at, const char *value,
    struct fault *fault)
{
	if (strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-") !=
		strlen(value) ||
	    strlen(value) > 32)
		return bad_value(fault, entry, value,
		    "up to 32 of a-z, 0-9 and -, such as gz, sh, bj");
	return read_text(entry, at, value, fault);
}

static int
read_secret_id(const struct config_entry *entry, char *at, const char *value,
    struct fault *fault)
{
	if (strspn(value,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789_-") != strlen(value))
		return bad_value(
		    fault, entry, value, "letters, digits, _ and - only");
	return read_text(entry, at, value, fault);
}

static int
read_url(const struct config_entry *entry, char *at, const char *value,
    struct fault *fault)
{
	const char *host = NULL;

	if (strncmp(value, "http://", 7) == 0)
		host = value + 7;
	else if (strncmp(value, "https://", 8) == 0)
		host = value + 8;
	if (host == NULL || strcspn(host, "/?#") == 0 ||
	    strpbrk(value, " ?#\"\\") != NULL || strchr(host, '@') != NULL)
		return bad_value(fault, entry, value,
		    "http://HOST[:PORT]/PATH or https://..., without a query");
	return read_text(entry, at, value, fault);
}

static read_fn *const READERS[] = {
	[CONFIG_TEXT] = read_text,
	[CONFIG_WHOLE] = read_whole,
	[CONFIG_BYTES] = read_bytes,
	[CONFIG_SPAN] = read_span,
	[CONFIG_RANGE] = read_range,
	[CONFIG_NUMBER] = read_number,
	[CONFIG_RATE] = read_rate,
	[CONFIG_BRAKE] = read_brake,
	[CONFIG_YES_NO] = read_yes_no,
	[CONFIG_WORD] = read_word,
	[CONFIG_EITHER] = read_either,
	[CONFIG_REGION] = read_region,
	[CONFIG_URL] = read_url,
	[CONFIG_SECRET_ID] = read_secret_id,
};

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
	size_t i, count = sizeof(VERDICTS) / sizeof(VERDICTS[0]);

	if (number_read_whole(digits, least, most, &number) ||
	    digits[0] == '0') {
		fault_set(fault, FAULT_BAD_CONFIG,
		    "codes.%.40s is neither a code nor a status", key);
		fault_hint(fault,
		    "a code such as 1017 (never 0), or a status such as "
		    "http_413");
		return -1;
	}
	for (i = 0; i < count; i++)
		if (strcmp(VERDICTS[i], value) == 0)
			return 0;
	nearest = text_nearest(value, VERDICTS, count);
	fault_set(fault, FAULT_BAD_CONFIG, "codes.%s cannot be \"%.60s\"", key,
	    value);
	fault_hint(fault,
	    "%s%s%sone of retry, hold, isolate, dead-letter, split, "
	    "throttle-requests, throttle-rows, resign",
	    nearest != NULL ? "did you mean " : "",
	    nearest != NULL ? nearest : "", nearest != NULL ? "? " : "");
	return -1;
}

/* ---- setting and getting ---- */

/* Find the place of a key, made with ${create} where its section repeats. */
static int
find_place(struct config *config, bool create, const char *section,
    const char *name, const char *key, struct place *place, struct fault *fault)
{
	const struct repeated *kind = find_repeated(section);
	char *base = (char *)config;

	if ((place->entry = find_entry(section, key)) == NULL)
		return unknown_key(fault, section, key);
	if (kind == NULL && name != NULL && name[0] != '\0') {
		fault_set(fault, FAULT_BAD_CONFIG,
		    "[%.60s \"%.60s\"]: the section takes no name", section,
		    name);
		fault_hint(fault, "write [%s]", section);
		return -1;
	}
	if (kind != NULL) {
		name = name_of(section, name, key);
		base = name != NULL ? find_named(config, kind, name) : NULL;
		if (base == NULL && create && name != NULL)
			base = add_named(config, kind, name);
	}
	if (base == NULL) {
		fault_set(fault, FAULT_BAD_CONFIG,
		    "[%s] needs a name of its own, and at most %zu may stand",
		    section, kind->most);
		fault_hint(fault, "write [%s \"name\"]", section);
		return -1;
	}
	place->at = base + place->entry->offset;
	return 0;
}

int
config_set(struct config *config, const char *section, const char *name,
    const char *key, const char *value, struct fault *fault)
{
	struct place place;

	if (strcmp(section, "codes") == 0 && check_code(key, value, fault))
		return -1;
	if (find_place(config, true, section, name, key, &place, fault))
		return -1;
	return READERS[place.entry->type](place.entry, place.at, value, fault);
}

static void
write_value(const struct place *place, char *buf, size_t size)
{
	const int64_t *whole = (const void *)place->at;
	char number[NUMBER_TEXT_SIZE];

	switch (place->entry->type) {
	case CONFIG_TEXT:
	case CONFIG_REGION:
	case CONFIG_URL:
	case CONFIG_SECRET_ID:
		snprintf(buf, size, "%s", place->at);
		break;
	case CONFIG_WHOLE:
	case CONFIG_BYTES:
		snprintf(buf, size, "%lld", (long long)whole[0]);
		break;
	case CONFIG_SPAN:
		snprintf(buf, size, "%lldms", (long long)whole[0]);
		break;
	case CONFIG_RANGE:
		snprintf(buf, size, "%lldms..%lldms", (long long)whole[0],
		    (long long)whole[1]);
		break;
	case CONFIG_BRAKE:
		if (whole[0] == 0)
			snprintf(buf, size, "0");
		else
			snprintf(buf, size, "%lld/%lldms", (long long)whole[0],
			    (long long)whole[1]);
		break;
	case CONFIG_NUMBER:
	case CONFIG_RATE:
		number_print(number, *(const double *)(const void *)place->at);
		snprintf(buf, size, "%s%s", number,
		    place->entry->type == CONFIG_RATE ? "/s" : "");
		break;
	case CONFIG_YES_NO:
		snprintf(buf, size, "%s",
		    *(const bool *)(const void *)place->at ? "yes" : "no");
		break;
	case CONFIG_WORD:
		snprintf(buf, size, "%s",
		    place->entry->words[*(const int *)(const void *)place->at]);
		break;
	case CONFIG_EITHER:
		snprintf(buf, size, "%s",
		    place->entry
			->words[*(const bool *)(const void *)place->at]);
		break;
	}
}

/* Keys of [namespace] may be left unset: -1. */
static bool
is_unset(const struct place *place)
{
	if (strcmp(place->entry->shown.section, "namespace") != 0)
		return false;
	return place->entry->type == CONFIG_WORD
	    ? *(const int *)(const void *)place->at < 0
	    : *(const int64_t *)(const void *)place->at < 0;
}

int
config_get(const struct config *config, const char *section, const char *name,
    const char *key, char *buf, size_t size)
{
	struct place place;

	if (find_place((struct config *)(uintptr_t)config, false, section, name,
		key, &place, NULL) ||
	    is_unset(&place))
		return -1;
	write_value(&place, buf, size);
	return 0;
}

void
config_defaults(struct config *config)
{
	const struct config_entry *entry;

	memset(config, 0, sizeof(*config));
	add_named(config, find_repeated("account"), "default");
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
fault_of(struct fault *fault, const char *message, const char *hint)
{
	fault_set(fault, FAULT_BAD_CONFIG, "%s", message);
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
		return fault_of(fault,
		    "queue.reserve must exceed the largest WAL by 2 MiB",
		    "at least 6M, and wal_max + 2M; or 0 for none");
	if (queue->max_size > 0 && queue->max_size < MIB)
		return fault_of(fault, "queue.max_size is below 1 MiB",
		    "raise it, or set 0 for no bound");
	if (config->retry.max_ms < config->retry.base_ms)
		return fault_of(
		    fault, "retry.max is below retry.base", "raise retry.max");
	if (config->receiver.sign_path[0] != '/')
		return fault_of(fault,
		    "receiver.sign_path does not begin with /",
		    "the API signs /v2/index.php");
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
	return (const void *)find_named(config, find_repeated("account"), name);
}
