#include "config_value.h"

#include <stdio.h>
#include <string.h>

#include "fault.h"
#include "number.h"
#include "span.h"
#include "text.h"

/* A value is kept where config_table.c says, as what its type says. */
#define AS(type, at) ((type *)(void *)(at))

static int
bad_value(struct fault *fault, const struct config_entry *entry,
    const char *value, const char *wanted)
{
	char shown[100];

	text_shown(shown, sizeof(shown), value, strlen(value));
	fault_set(fault, FAULT_BAD_CONFIG, "%s.%s cannot be \"%s\"",
	    entry->shown.section, entry->shown.key, shown);
	fault_hint(fault, "%s", wanted);
	return -1;
}

static int
out_of_range(
    struct fault *fault, const struct config_entry *entry, const char *value)
{
	char wanted[2 * SPAN_TEXT_SIZE + 16], least[SPAN_TEXT_SIZE],
	    most[SPAN_TEXT_SIZE];

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

static int
store_whole(const struct config_entry *entry, char *at, int64_t whole,
    const char *value, struct fault *fault)
{
	if (whole < entry->least || whole > entry->most)
		return out_of_range(fault, entry, value);
	*AS(int64_t, at) = whole;
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
	*AS(double, at) = number;
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
	*AS(double, at) = rate;
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
	*AS(bool, at) = yes;
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
		*AS(int, at) = word;
	return word < 0 ? -1 : 0;
}

static int
read_either(const struct config_entry *entry, char *at, const char *value,
    struct fault *fault)
{
	int word = which_word(entry, value, fault);

	if (word >= 0)
		*AS(bool, at) = word == 1;
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

/* What is wrong here may be a secret key in the wrong place: not shown. */
static int
read_secret_id(const struct config_entry *entry, char *at, const char *value,
    struct fault *fault)
{
	if (strspn(value,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789_-") == strlen(value) &&
	    (int64_t)strlen(value) < entry->most)
		return read_text(entry, at, value, fault);
	fault_set(fault, FAULT_BAD_CONFIG, "%s.%s is not a secret id",
	    entry->shown.section, entry->shown.key);
	fault_hint(fault, "letters, digits, _ and - only, as in AKIDz8krbs");
	return -1;
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

/* "/v2/index.php" */
static int
read_sign_path(const struct config_entry *entry, char *at, const char *value,
    struct fault *fault)
{
	if (value[0] != '/' || strpbrk(value, " ?#") != NULL)
		return bad_value(fault, entry, value,
		    "a path such as /v2/index.php, without a query");
	return read_text(entry, at, value, fault);
}

/* "127.0.0.1:9464", "[::1]:9464"; nobody else is to read the metrics. */
static int
read_listen(const struct config_entry *entry, char *at, const char *value,
    struct fault *fault)
{
	const char *colon = strrchr(value, ':');
	size_t host_len = colon != NULL ? (size_t)(colon - value) : 0;
	bool loopback = (host_len > 4 && strncmp(value, "127.", 4) == 0 &&
			    strspn(value, "0123456789.") == host_len) ||
	    (host_len == 5 && strncmp(value, "[::1]", 5) == 0) ||
	    (host_len == 9 && strncmp(value, "localhost", 9) == 0);
	int64_t port;

	if (value[0] != '\0' &&
	    (!loopback || number_read_whole(colon + 1, 0, 65535, &port)))
		return bad_value(fault, entry, value,
		    "a loopback address and a port, such as 127.0.0.1:9464");
	return read_text(entry, at, value, fault);
}

typedef int read_fn(const struct config_entry *entry, char *at,
    const char *value, struct fault *fault);

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
	[CONFIG_SIGN_PATH] = read_sign_path,
	[CONFIG_LISTEN] = read_listen,
};

int
config_value_read(const struct config_entry *entry, char *at, const char *value,
    struct fault *fault)
{
	if (entry->type != CONFIG_SECRET_ID &&
	    (text_utf8_bad(value, strlen(value)) >= 0 ||
		text_control(value, strlen(value)) >= 0))
		return bad_value(
		    fault, entry, value, "UTF-8 without control characters");
	return READERS[entry->type](entry, at, value, fault);
}
