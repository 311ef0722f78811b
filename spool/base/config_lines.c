#include "config_lines.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define LINE_MOST 1000
#define BLANK " \t\r\n"

/* One reading of a file. */
struct reading {
	struct config *config;
	struct configfile *found;
	struct config_lines *lines;
	FILE *file;
	long line; /* the one read last */
	char text[LINE_MOST + 1];
	char section[CONFIG_NAME], name[CONFIG_NAME];
	bool section_bad; /* which was told; its keys are passed over */
};

static void
problem_here(struct reading *reading, const char *message, const char *hint)
{
	struct fault fault = { 0 };

	fault_set(&fault, FAULT_BAD_CONFIG, "%s", message);
	fault_hint(&fault, "%s", hint);
	configfile_problem(
	    reading->found, &fault, reading->found->path, reading->line);
}

/* ---- what was seen ---- */

static uint64_t
hash_key(const char *section, const char *name, const char *key)
{
	uint64_t hash = text_hash(section, strlen(section), 0);

	/* [account] is [account "default"]. */
	if (name[0] == '\0' && strcmp(section, "account") == 0)
		name = "default";
	hash = text_hash(name, strlen(name), hash);
	return text_hash(key, strlen(key), hash);
}

long
config_lines_find(const struct config_lines *lines, const char *section,
    const char *name, const char *key)
{
	uint64_t hash = hash_key(section, name, key);
	size_t i;

	for (i = 0; i < lines->count; i++)
		if (lines->seen[i].hash == hash)
			return lines->seen[i].line;
	return 0;
}

static void
remember(struct reading *reading, const char *key)
{
	struct config_lines *lines = reading->lines;

	if (lines->count == CONFIG_LINES_SEEN)
		return;
	lines->seen[lines->count++] = (struct config_line){
		hash_key(reading->section, reading->name, key), reading->line
	};
}

/* ---- keys ---- */

static void
repeated(struct reading *reading, const char *key, long before)
{
	struct fault fault = { 0 };

	fault_set(&fault, FAULT_BAD_CONFIG, "%s.%s was set before, on line %ld",
	    reading->section, key, before);
	fault_hint(&fault, "remove one of the two");
	configfile_problem(
	    reading->found, &fault, reading->found->path, reading->line);
}

static bool
is_quoted(const char *value)
{
	size_t len = strlen(value);

	return len >= 2 && (value[0] == '"' || value[0] == '\'') &&
	    value[len - 1] == value[0];
}

/* inih: 1 goes on. */
static int
on_key(void *cookie, const char *section, const char *key, const char *value)
{
	struct reading *reading = cookie;
	const char *path = reading->found->path;
	struct fault fault = { 0 };
	long before;

	(void)section; /* inih cuts it at 49 bytes; ours is whole */
	if (is_quoted(value)) {
		problem_here(reading, "a value in quotes",
		    "write the value without quotes");
		return 1;
	}
	if (config_set(reading->config, reading->section, reading->name, key,
		value, &fault)) {
		configfile_problem(reading->found, &fault, path, reading->line);
		return 1;
	}
	before = config_lines_find(
	    reading->lines, reading->section, reading->name, key);
	if (before > 0) {
		repeated(reading, key, before);
		return 1;
	}
	remember(reading, key);
	configfile_warn_inert(
	    reading->found, path, reading->line, reading->section, key, value);
	return 1;
}

/* ---- sections ---- */

/* Copy ${len} bytes without the blanks around them; 0, or -1: too long. */
static int
copy(char to[CONFIG_NAME], const char *from, size_t len)
{
	for (; len > 0 && strchr(BLANK, *from) != NULL; len--)
		from++;
	while (len > 0 && strchr(BLANK, from[len - 1]) != NULL)
		len--;
	if (len >= CONFIG_NAME)
		return -1;
	memcpy(to, from, len);
	to[len] = '\0';
	return 0;
}

/* '[section]' or '[section "name"]'; 0, or -1. */
static int
split_section(struct reading *reading, const char *line)
{
	size_t len = strlen(line), section_len;
	const char *quote = strchr(line, '"'), *end;

	reading->name[0] = '\0';
	if (line[len - 1] != ']')
		return -1;
	if (quote == NULL)
		return copy(reading->section, line + 1, len - 2);
	end = strchr(quote + 1, '"');
	if (end == NULL || end == quote + 1 ||
	    end + 1 + strspn(end + 1, BLANK) != line + len - 1)
		return -1;
	section_len = (size_t)(quote - line - 1);
	if ((size_t)(end - quote - 1) >= sizeof(reading->name))
		return -1;
	memcpy(reading->name, quote + 1, (size_t)(end - quote - 1));
	reading->name[end - quote - 1] = '\0';
	return copy(reading->section, line + 1, section_len);
}

static void
enter_section(struct reading *reading, const char *line)
{
	struct fault fault = { 0 };

	reading->section_bad = true;
	if (split_section(reading, line))
		problem_here(reading, "a section that cannot be read",
		    "write [section] or [section \"name\"]");
	else if (config_check_section(reading->section, reading->name, &fault))
		configfile_problem(reading->found, &fault, reading->found->path,
		    reading->line);
	else
		reading->section_bad = false;
}

/* ---- lines ---- */

/* A comment behind a value would be part of the value to us, and is not to
 * other readers of such files. */
static bool
has_comment(const char *line)
{
	for (; *line != '\0'; line++)
		if ((*line == ' ' || *line == '\t') &&
		    (line[1] == ';' || line[1] == '#'))
			return true;
	return false;
}

/* Whether a control character, but for a tab, stands in ${line}. */
static bool
has_control(const char *line)
{
	size_t len;

	for (; *line != '\0'; line += len + (line[len] == '\t')) {
		len = strcspn(line, "\t");
		if (text_control(line, len) >= 0)
			return true;
	}
	return false;
}

/* Whether ${line} is a key and a value for inih; all else is dealt with. */
static bool
is_pair(struct reading *reading, const char *line)
{
	const char *wrong = NULL, *hint = "write key = value below a [section]";

	if (line[0] == '\0' || line[0] == '#' || line[0] == ';')
		return false;
	if (text_utf8_bad(line, strlen(line)) >= 0) {
		wrong = "a byte that is not valid UTF-8";
		hint = "write the file in UTF-8";
	} else if (has_control(line)) {
		wrong = "a control character";
		hint = "remove it";
	} else if (line[0] == '[') {
		enter_section(reading, line);
		return false;
	} else if (reading->section_bad)
		return false;
	else if (line[0] == '=' || line[strcspn(line, "=:")] != '=')
		wrong = "a line that is neither a section nor key = value";
	else if (reading->section[0] == '\0')
		wrong = "a key above the first section";
	else if (has_comment(line)) {
		wrong = "a comment behind a value";
		hint = "put the comment on a line of its own";
	}
	if (wrong != NULL)
		problem_here(reading, wrong, hint);
	return wrong == NULL;
}

/* Read one line into ${reading}->text, without blanks at its ends; what
 * cannot be a line is told and made empty.  False at the end of the file. */
static bool
read_line(struct reading *reading)
{
	const char *wrong = NULL;
	size_t len = 0;
	int c;

	if ((c = fgetc(reading->file)) == EOF)
		return false;
	reading->line++;
	for (; c != EOF && c != '\n'; c = fgetc(reading->file)) {
		if (c == '\0')
			wrong = "a NUL byte";
		else if (len == LINE_MOST)
			wrong = "a line of more than 1000 bytes";
		else
			reading->text[len++] = (char)c;
	}
	if (wrong != NULL) {
		problem_here(reading, wrong, "is this the right file?");
		len = 0;
	}
	while (len > 0 && strchr(BLANK, reading->text[len - 1]) != NULL)
		len--;
	reading->text[len] = '\0';
	return true;
}

/* inih's reader: the next line that holds a key. */
static char *
next_line(char *buf, int size, void *cookie)
{
	struct reading *reading = cookie;
	const char *line;

	do {
		if (!read_line(reading))
			return NULL;
		line = reading->text;
		if (reading->line == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0)
			line += 3; /* editors put it there */
		line += strspn(line, BLANK);
	} while (!is_pair(reading, line));
	snprintf(buf, (size_t)size, "%s", line);
	return buf;
}

static void
cannot_read(struct reading *reading, int error)
{
	struct fault fault = { 0 };

	fault_errno(&fault, error, "the configuration file cannot be read");
	fault.kind = FAULT_BAD_CONFIG;
	fault_hint(&fault, "check its path and its permissions");
	configfile_problem(reading->found, &fault, reading->found->path, 0);
}

void
config_lines_read(const char *path, struct config *config,
    struct configfile *found, struct config_lines *lines)
{
	struct reading *reading = calloc(1, sizeof(*reading));
	struct reading none = { .found = found };

	if (reading == NULL) {
		cannot_read(&none, ENOMEM);
		return;
	}
	*reading = (struct reading){
		.config = config, .found = found, .lines = lines
	};
	if ((reading->file = fopen(path, "re")) == NULL) {
		cannot_read(reading, errno);
		free(reading);
		return;
	}
	/* Three bytes more than a line, which inih sets aside. */
	ini_max_line = LINE_MOST + 3;
	ini_allow_multiline = false;
	ini_allow_inline_comments = false;
	if (ini_parse_stream(next_line, reading, on_key, reading) != 0)
		cannot_read(reading, ENOMEM);
	if (ferror(reading->file))
		cannot_read(reading, errno);
	fclose(reading->file);
	free(reading);
}
