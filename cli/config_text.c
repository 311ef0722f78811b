#include "config_text.h"

#include <string.h>

#include "base/config_table.h"
#include "base/text.h"

#define WIDTH 78

/* ---- types ---- */

static const char *const TYPES[] = {
	[CONFIG_TEXT] = "text",
	[CONFIG_WHOLE] = "a whole number",
	[CONFIG_BYTES] = "a size, as 64K or 2G",
	[CONFIG_SPAN] = "a duration, as 500ms, 30s or 7d",
	[CONFIG_RANGE] = "two durations, as 1m..15m",
	[CONFIG_NUMBER] = "a number",
	[CONFIG_RATE] = "a rate, as 50/s or 600/m",
	[CONFIG_BRAKE] = "a number and a span, as 1000/10m; 0 off",
	[CONFIG_YES_NO] = "yes|no",
	[CONFIG_REGION] = "a region, as gz",
	[CONFIG_URL] = "an http or https URL",
	[CONFIG_SECRET_ID] = "letters, digits, _ and -",
	[CONFIG_SIGN_PATH] = "a path that begins with /",
	[CONFIG_LISTEN] = "a loopback ADDR:PORT",
};

void
config_text_type(struct text *text, const struct config_entry *entry)
{
	size_t i;

	if (entry->words == NULL) {
		text_adds(text, TYPES[entry->type]);
		return;
	}
	for (i = 0; entry->words[i] != NULL; i++)
		text_addf(text, "%s%s", i > 0 ? "|" : "", entry->words[i]);
}

/* ---- sections ---- */

/* Sections that need a name, and what it is. */
static const struct {
	const char *section, *name;
} NAMED[] = {
	{ "outbox", "name" },
	{ "namespace", "GLOB" },
};

static const char *
name_of(const char *section)
{
	size_t i;

	for (i = 0; i < sizeof(NAMED) / sizeof(NAMED[0]); i++)
		if (strcmp(NAMED[i].section, section) == 0)
			return NAMED[i].name;
	return NULL;
}

void
config_text_section(struct text *text, const struct config_entry *entry)
{
	const char *name = name_of(entry->shown.section);

	if (name == NULL)
		text_addf(text, "[%s]", entry->shown.section);
	else
		text_addf(text, "[%s \"%s\"]", entry->shown.section, name);
}

/* ---- the sample file ---- */

/* Words of ${string} in comment lines. */
static void
add_comment(struct text *text, const char *string)
{
	size_t column = 0, len;

	for (; *string != '\0'; string += len + strspn(string + len, " ")) {
		len = strcspn(string, " ");
		if (column > 0 && column + 1 + len > WIDTH) {
			text_addc(text, '\n');
			column = 0;
		}
		text_adds(text, column == 0 ? "# " : " ");
		text_add(text, string, len);
		column += len + (column == 0 ? 2 : 1);
	}
	text_addc(text, '\n');
}

static void
add_key(struct text *text, const struct config_entry *entry)
{
	struct text comment = { 0 };
	const char *key = entry->shown.key, *fallback = entry->shown.fallback;

	text_addf(&comment, "%s (", entry->shown.help);
	config_text_type(&comment, entry);
	text_addc(&comment, ')');
	if (entry->shown.no_effect_yet)
		text_adds(&comment, "; no effect yet");
	else if (entry->inert != NULL)
		text_addf(&comment, "; %s: no effect yet", entry->inert);
	add_comment(text, text_string(&comment));
	text_free(&comment);
	if (strcmp(key, "*") == 0)
		text_adds(text, "#1016 = hold\n#http_503 = retry\n");
	else
		text_addf(text, "#%s =%s%s\n", key,
		    fallback[0] != '\0' ? " " : "", fallback);
}

static void
add_section(struct text *text, const struct config_entry *entry)
{
	text_addc(text, '\n');
	if (strcmp(entry->shown.section, "account") == 0)
		add_comment(text,
		    "Further accounts: [account \"name\"], each with a key file"
		    " and a pace of its own.");
	if (name_of(entry->shown.section) != NULL)
		text_addc(text, '#');
	config_text_section(text, entry);
	text_addc(text, '\n');
}

void
config_text_sample(struct text *text)
{
	const struct config_entry *entry;
	const char *section = "";

	text_adds(text,
	    "# monspool.conf: configuration of monspool and monspoold.\n"
	    "# Every key stands here with its default.  A comment has a line of"
	    " its own.\n"
	    "# To check a file: monspool config check FILE\n"
	    "# An environment variable MONSPOOL_SECTION_KEY counts more than"
	    " the file.\n");
	for (entry = CONFIG_ENTRIES; entry->shown.section != NULL; entry++) {
		if (strcmp(section, entry->shown.section) != 0)
			add_section(text, entry);
		else
			text_addc(text, '\n');
		section = entry->shown.section;
		add_key(text, entry);
	}
}
