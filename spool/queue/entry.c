#include "entry.h"

#include <math.h>
#include <string.h>

#include "base/config.h"
#include "base/fault.h"
#include "entry_rule.h"
#include "lane.h"

/* A row's wire text holds at least  "":"",  for each dimension. */
#define DIMENSION_LEAST 6
/* Longest idempotency key. */
#define KEY_MOST 512
/* The last millisecond of the year 9999, and a thousand years. */
#define TIME_MOST INT64_C(253402300799999)
#define AGE_MOST INT64_C(31556952000000)

static bool
is_word(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9') || c == '_';
}

static bool
is_region(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

/* The smaller of the setting, which lenient input need not keep, and what
 * can be stored. */
static int64_t
most(int64_t setting, bool strict, int64_t storable)
{
	return strict && setting > 0 && setting < storable ? setting : storable;
}

static int
check_names(const struct entry *entry, const struct config_checks *checks,
    bool strict, struct fault *fault)
{
	const char *word = strict ? "letters, digits and _" : NULL;
	const struct entry_rule ns = { .field = "namespace",
		.noun = "namespace",
		.kind = FAULT_BAD_NAME,
		.most = most(checks->max_namespace, strict, LANE_TEXT - 1),
		.key = "max_namespace",
		.set = word,
		.set_holds = is_word };
	const struct entry_rule metric = { .field = "metric",
		.noun = "metric name",
		.kind = FAULT_BAD_NAME,
		.most = strict ? checks->max_name : 0,
		.key = "max_name",
		.set = word,
		.set_holds = is_word };

	if (entry_rule_check(entry->ns, &ns, fault))
		return -1;
	return entry_rule_check(entry->metric, &metric, fault);
}

static int
check_sender(const struct entry *entry, bool strict, struct fault *fault)
{
	const struct entry_rule region = { .field = "region",
		.noun = "region",
		.kind = FAULT_BAD_NAME,
		.may_be_empty = true,
		.most = strict ? 32 : LANE_TEXT - 1,
		.set = strict ? "a-z, digits and -" : NULL,
		.set_holds = is_region };
	const struct entry_rule account = { .field = "account",
		.noun = "account",
		.kind = FAULT_BAD_NAME,
		.most = CONFIG_NAME - 1 };

	if (entry->region != NULL &&
	    entry_rule_check(entry->region, &region, fault))
		return -1;
	if (entry->account == NULL)
		return 0;
	return entry_rule_check(entry->account, &account, fault);
}

/* "dimensions.KEY" for faults, or the bare word where KEY may not be shown. */
static const char *
dimension_field(char *buf, size_t size, const char *key)
{
	size_t len = key == NULL ? 0 : strlen(key);
	static const char FIELD[] = "dimensions";
	bool plain = len > 0 && len + sizeof(FIELD) < size;
	size_t i;

	for (i = 0; plain && i < len; i++)
		plain = key[i] > ' ' && key[i] < 0x7f;
	memcpy(buf, FIELD, sizeof(FIELD));
	if (plain) {
		buf[sizeof(FIELD) - 1] = '.';
		memcpy(buf + sizeof(FIELD), key, len + 1);
	}
	return buf;
}

static int
check_dimension(const struct entry_dimension *dimension,
    const struct config_checks *checks, bool strict, struct fault *fault)
{
	char field[32];
	const struct entry_rule key = { .field = "dimensions",
		.noun = "dimension name",
		.kind = FAULT_BAD_NAME,
		.most = strict ? checks->max_name : 0,
		.key = "max_name" };
	const struct entry_rule value = { .field = dimension_field(field,
					      sizeof(field), dimension->key),
		.noun = "dimension value",
		.kind = FAULT_BAD_VALUE,
		.may_be_empty = true,
		.most = strict ? checks->max_dimension_value : 0,
		.key = "max_dimension_value" };

	if (entry_rule_check(dimension->key, &key, fault))
		return -1;
	return entry_rule_check(dimension->value, &value, fault);
}

static int
check_dimension_count(const struct entry *entry,
    const struct config_checks *checks, bool strict, struct fault *fault)
{
	size_t count = entry->dimension_count;

	if (strict && checks->max_dimensions > 0 &&
	    count > (size_t)checks->max_dimensions) {
		fault_set(fault, FAULT_TOO_MANY_DIMENSIONS,
		    "%zu dimensions (at most %lld)", count,
		    (long long)checks->max_dimensions);
		fault_hint(fault,
		    "drop some, or raise [checks]"
		    " max_dimensions if the receiver takes them");
		fault_field(fault, "dimensions");
		return -1;
	}
	/* Also keeps the search for duplicates short. */
	if (checks->max_row_bytes <= 0 ||
	    count <= (size_t)checks->max_row_bytes / DIMENSION_LEAST)
		return 0;
	fault_set(fault, FAULT_TOO_LARGE,
	    "%zu dimensions do not fit a row of %lld bytes", count,
	    (long long)checks->max_row_bytes);
	fault_hint(fault, "drop some");
	fault_field(fault, "dimensions");
	return -1;
}

static int
check_duplicate(const struct entry *entry, size_t at, struct fault *fault)
{
	const char *key = entry->dimensions[at].key;
	char field[32];
	struct text shown = { 0 };
	size_t i;

	for (i = 0; i < at; i++)
		if (strcmp(entry->dimensions[i].key, key) == 0)
			break;
	if (i == at)
		return 0;
	text_add_escaped(&shown, key, strlen(key));
	fault_set(fault, FAULT_DUPLICATE_MEMBER,
	    "dimension \"%.100s\" is given twice", text_string(&shown));
	fault_hint(fault, "leave one of them out");
	fault_field(fault, dimension_field(field, sizeof(field), key));
	text_free(&shown);
	return -1;
}

static int
check_dimensions(const struct entry *entry, const struct config_checks *checks,
    bool strict, struct fault *fault)
{
	size_t i;

	if (check_dimension_count(entry, checks, strict, fault))
		return -1;
	for (i = 0; i < entry->dimension_count; i++)
		if (check_dimension(
			&entry->dimensions[i], checks, strict, fault) ||
		    check_duplicate(entry, i, fault))
			return -1;
	return 0;
}

static int
refuse_number(struct fault *fault, const char *field, const char *message,
    const char *hint)
{
	fault_set(fault, FAULT_BAD_VALUE, "%s", message);
	fault_hint(fault, "%s", hint);
	fault_field(fault, field);
	return -1;
}

static int
check_numbers(const struct entry *entry, struct fault *fault)
{
	if (!isfinite(entry->value))
		return refuse_number(fault, "value",
		    "value is not a finite number",
		    "leave the row out when there is no value");
	if (entry->observed_at < -1 || entry->observed_at > TIME_MOST)
		return refuse_number(fault, "observed_at",
		    "the time of observation is out of range",
		    "give a time from 1970 to 9999");
	if (entry->max_age_ms < -1 || entry->max_age_ms == 0 ||
	    entry->max_age_ms > AGE_MOST)
		return refuse_number(fault, "max_age",
		    "the age limit is out of range",
		    "give a duration such as 15m, or none");
	return 0;
}

static int
check_key(const struct entry *entry, struct fault *fault)
{
	static const struct entry_rule KEY = { .field = "key",
		.noun = "idempotency key",
		.kind = FAULT_BAD_VALUE,
		.most = KEY_MOST };

	return entry->key == NULL ? 0
				  : entry_rule_check(entry->key, &KEY, fault);
}

int
entry_check_row(const struct entry *entry, struct fault *fault)
{
	return check_numbers(entry, fault) || check_key(entry, fault) ? -1 : 0;
}

int
entry_check(const struct entry *entry, const struct config_checks *checks,
    bool strict, struct fault *fault)
{
	return check_names(entry, checks, strict, fault) ||
		check_sender(entry, strict, fault) ||
		check_dimensions(entry, checks, strict, fault) ||
		entry_check_row(entry, fault)
	    ? -1
	    : 0;
}
