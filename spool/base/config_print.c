#include "config_print.h"

#include <stdint.h>
#include <string.h>

#include "number.h"
#include "text.h"

/* A value is kept where config_table.c says, as what its type says. */
#define AS(type, at) (*(const type *)(const void *)(at))

/* The exact text of ${ms}: "1h30m", "250ms", "0". */
static void
add_span(struct text *text, int64_t ms)
{
	static const struct {
		const char *name;
		int64_t ms;
	} UNITS[] = { { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 },
		{ "s", 1000 }, { "ms", 1 } };
	size_t i;

	if (ms == 0)
		text_addc(text, '0');
	for (i = 0; i < sizeof(UNITS) / sizeof(UNITS[0]); i++) {
		if (ms >= UNITS[i].ms)
			text_addf(text, "%lld%s", (long long)(ms / UNITS[i].ms),
			    UNITS[i].name);
		ms %= UNITS[i].ms;
	}
}

static void
write_text(const struct config_entry *entry, const char *at, struct text *text)
{
	(void)entry;
	text_adds(text, at);
}

static void
write_whole(const struct config_entry *entry, const char *at, struct text *text)
{
	(void)entry;
	text_addf(text, "%lld", (long long)AS(int64_t, at));
}

static void
write_bytes(const struct config_entry *entry, const char *at, struct text *text)
{
	static const char UNITS[] = "KMGT";
	int64_t bytes = AS(int64_t, at);
	int unit = -1;

	(void)entry;
	for (; bytes != 0 && bytes % 1024 == 0 && unit < 3; unit++)
		bytes /= 1024;
	text_addf(text, "%lld", (long long)bytes);
	if (unit >= 0)
		text_addc(text, UNITS[unit]);
}

static void
write_span(const struct config_entry *entry, const char *at, struct text *text)
{
	(void)entry;
	add_span(text, AS(int64_t, at));
}

static void
write_range(const struct config_entry *entry, const char *at, struct text *text)
{
	write_span(entry, at, text);
	text_adds(text, "..");
	write_span(entry, at + sizeof(int64_t), text);
}

static void
write_number(
    const struct config_entry *entry, const char *at, struct text *text)
{
	char number[NUMBER_TEXT_SIZE];

	(void)entry;
	number_print(number, AS(double, at));
	text_adds(text, number);
}

static void
write_rate(const struct config_entry *entry, const char *at, struct text *text)
{
	write_number(entry, at, text);
	text_adds(text, "/s");
}

static void
write_brake(const struct config_entry *entry, const char *at, struct text *text)
{
	write_whole(entry, at, text);
	if (AS(int64_t, at) == 0)
		return;
	text_addc(text, '/');
	write_span(entry, at + sizeof(int64_t), text);
}

static void
write_yes_no(
    const struct config_entry *entry, const char *at, struct text *text)
{
	(void)entry;
	text_adds(text, AS(bool, at) ? "yes" : "no");
}

static void
write_word(const struct config_entry *entry, const char *at, struct text *text)
{
	text_adds(text, entry->words[AS(int, at)]);
}

static void
write_either(
    const struct config_entry *entry, const char *at, struct text *text)
{
	text_adds(text, entry->words[AS(bool, at)]);
}

typedef void write_fn(
    const struct config_entry *entry, const char *at, struct text *text);

static write_fn *const WRITERS[] = {
	[CONFIG_TEXT] = write_text,
	[CONFIG_WHOLE] = write_whole,
	[CONFIG_BYTES] = write_bytes,
	[CONFIG_SPAN] = write_span,
	[CONFIG_RANGE] = write_range,
	[CONFIG_NUMBER] = write_number,
	[CONFIG_RATE] = write_rate,
	[CONFIG_BRAKE] = write_brake,
	[CONFIG_YES_NO] = write_yes_no,
	[CONFIG_WORD] = write_word,
	[CONFIG_EITHER] = write_either,
	[CONFIG_REGION] = write_text,
	[CONFIG_URL] = write_text,
	[CONFIG_SECRET_ID] = write_text,
	[CONFIG_SIGN_PATH] = write_text,
	[CONFIG_LISTEN] = write_text,
};

void
config_print(
    const struct config_entry *entry, const char *at, struct text *text)
{
	WRITERS[entry->type](entry, at, text);
}

void
config_print_plain(
    const struct config_entry *entry, const char *at, struct text *text)
{
	if (entry->type == CONFIG_BYTES)
		text_addf(text, "%lld", (long long)AS(int64_t, at));
	else if (entry->type == CONFIG_SPAN)
		text_addf(text, "%lldms", (long long)AS(int64_t, at));
	else
		config_print(entry, at, text);
}

bool
config_is_unset(const struct config_entry *entry, const char *at)
{
	if (strcmp(entry->shown.section, "namespace") != 0)
		return false;
	if (entry->type == CONFIG_WORD)
		return AS(int, at) < 0;
	return AS(int64_t, at) < 0;
}
