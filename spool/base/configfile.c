#include "configfile.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

#define SYSTEM_FILE "/etc/monspool/monspool.conf"
#define LINE_MOST 1024
#define SEEN_MOST 512

extern char **environ;

/* One reading of a file. */
struct reading {
	struct config *config;
	struct configfile *found;
	FILE *file;
	long line; /* the one read last */
	char section[CONFIG_NAME], name[CONFIG_NAME];
	/* "section name key" of what was set, to find repetitions */
	uint64_t seen[SEEN_MOST];
	size_t seen_count;
};

/* ---- which file ---- */

static int
path_to(char *path, size_t size, const char *dir, const char *rest)
{
	int len = snprintf(path, size, "%s%s", dir, rest);

	if (len < 0 || (size_t)len >= size)
		return -1;
	return access(path, F_OK);
}

static int
find_own(char *path, size_t size)
{
	const char *dir;

	if (geteuid() == 0)
		return -1;
	if ((dir = getenv("XDG_CONFIG_HOME")) != NULL && dir[0] == '/')
		return path_to(path, size, dir, "/monspool/monspool.conf");
	if ((dir = getenv("HOME")) != NULL && dir[0] == '/')
		return path_to(
		    path, size, dir, "/.config/monspool/monspool.conf");
	return -1;
}

int
configfile_find(const char *named, char *path, size_t size, struct fault *fault)
{
	if (named == NULL)
		named = getenv("MONSPOOL_CONFIG");
	if (named != NULL && named[0] != '\0') {
		if (path_to(path, size, named, "") == 0)
			return 0;
		fault_set(fault, FAULT_BAD_CONFIG,
		    "the configuration file %.120s cannot be read", named);
		fault_why(fault, "%s",
		    errno == EACCES ? "permission denied" : "it is not there");
		fault_hint(fault, "name another file with --config");
		return -1;
	}
	if (find_own(path, size) == 0 ||
	    path_to(path, size, SYSTEM_FILE, "") == 0)
		return 0;
	path[0] = '\0';
	return 0;
}

/* ---- problems ---- */

static void
place_fault(struct fault *fault, const char *file, long line)
{
	snprintf(fault->file, sizeof(fault->file), "%s", file);
	fault->line = line;
}

static void
add_problem(struct configfile *found, const struct fault *fault)
{
	if (found->problem_count < CONFIGFILE_PROBLEMS)
		found->problems[found->problem_count++] = *fault;
}

static void
add_warning(struct configfile *found, const struct fault *fault)
{
	if (found->warning_count < CONFIGFILE_PROBLEMS)
		found->warnings[found->warning_count++] = *fault;
}

static void
problem_here(struct reading *reading, const char *message, const char *hint)
{
	struct fault fault = { 0 };

	fault_set(&fault, FAULT_BAD_CONFIG, "%s", message);
	fault_hint(&fault, "%s", hint);
	place_fault(&fault, reading->found->path, reading->line);
	add_problem(reading->found, &fault);
}

/* A key that is set and has no effect yet is not silently ignored. */
static void
warn_if_inert(struct configfile *found, const char *file, long line,
    const char *section, const char *key, const char *value)
{
	struct fault fault = { 0 };

	if (!config_is_inert(section, key, value))
		return;
	fault_set(&fault, FAULT_BAD_CONFIG,
	    "%s.%s is read, but has no effect yet", section, key);
	place_fault(&fault, file, line);
	add_warning(found, &fault);
}

/* ---- the file ---- */

/* '[section "name"]' arrives without its brackets. */
static int
split_section(struct reading *reading, const char *section)
{
	const char *quote = strchr(section, '"');
	size_t len = quote != NULL ? (size_t)(quote - section)
				   : strlen(section);
	size_t name_len = 0;

	while (len > 0 && section[len - 1] == ' ')
		len--;
	reading->name[0] = '\0';
	if (quote != NULL) {
		name_len = strlen(quote + 1);
		if (name_len < 2 || quote[name_len] != '"')
			return -1;
		name_len--;
		if (name_len >= sizeof(reading->name))
			return -1;
		memcpy(reading->name, quote + 1, name_len);
		reading->name[name_len] = '\0';
	}
	if (len >= sizeof(reading->section))
		return -1;
	memcpy(reading->section, section, len);
	reading->section[len] = '\0';
	return 0;
}

/* Whether this key was set before in this file. */
static bool
was_seen(struct reading *reading, const char *key)
{
	char all[2 * CONFIG_NAME + 64];
	uint64_t hash;
	size_t i;

	snprintf(all, sizeof(all), "%s\n%s\n%s", reading->section,
	    reading->name, key);
	hash = text_hash(all, strlen(all), 0);
	for (i = 0; i < reading->seen_count; i++)
		if (reading->seen[i] == hash)
			return true;
	if (reading->seen_count < SEEN_MOST)
		reading->seen[reading->seen_count++] = hash;
	return false;
}

/* inih: 1 goes on. */
static int
on_key(void *cookie, const char *section, const char *key, const char *value)
{
	struct reading *reading = cookie;
	struct fault fault = { 0 };

	if (split_section(reading, section)) {
		problem_here(reading, "a section that cannot be read",
		    "write [section] or [section \"name\"]");
		return 1;
	}
	if (was_seen(reading, key)) {
		problem_here(reading, "a key that was set before",
		    "remove one of the two");
		return 1;
	}
	if (config_set(reading->config, reading->section, reading->name, key,
		value, &fault)) {
		place_fault(&fault, reading->found->path, reading->line);
		add_problem(reading->found, &fault);
		return 1;
	}
	warn_if_inert(reading->found, reading->found->path, reading->line,
	    reading->section, key, value);
	return 1;
}

/* Blank out a comment line; refuse a comment behind a value, which would be
 * part of the value to us and is not to other readers of such files. */
static bool
tidy(struct reading *reading, char *line)
{
	char *start = line + strspn(line, " \t");

	if (start[0] == '#' || start[0] == ';') {
		line[0] = '\0';
		return true;
	}
	memmove(line, start, strlen(start) + 1);
	for (; *line != '\0'; line++)
		if (*line == ';' && (line[-1] == ' ' || line[-1] == '\t')) {
			problem_here(reading, "a comment behind a value",
			    "put the comment on a line of its own");
			return false;
		}
	return true;
}

/* inih's reader: one line, whole. */
static char *
next_line(char *buf, int size, void *cookie)
{
	struct reading *reading = cookie;
	size_t len;
	int c;

	if (fgets(buf, size, reading->file) == NULL)
		return NULL;
	reading->line++;
	len = strlen(buf);
	if (len > 0 && buf[len - 1] != '\n' && !feof(reading->file)) {
		while ((c = fgetc(reading->file)) != EOF && c != '\n')
			;
		problem_here(reading, "the line is too long",
		    "a line takes at most 1000 bytes");
		buf[0] = '\0';
	}
	if (text_utf8_bad(buf, strlen(buf)) >= 0) {
		problem_here(reading, "a byte that is not valid UTF-8",
		    "write the file in UTF-8");
		buf[0] = '\0';
	}
	if (!tidy(reading, buf))
		buf[0] = '\0';
	return buf;
}

static void
read_file(struct reading *reading)
{
	int bad_line;

	if ((reading->file = fopen(reading->found->path, "re")) == NULL) {
		problem_here(reading, "the file cannot be read",
		    errno == EACCES ? "permission denied" : "check its path");
		return;
	}
	ini_max_line = LINE_MOST;
	ini_allow_multiline = false;
	ini_allow_inline_comments = false;
	bad_line = ini_parse_stream(next_line, reading, on_key, reading);
	if (bad_line > 0) {
		reading->line = bad_line;
		problem_here(reading,
		    "a line that is neither a section nor "
		    "key = value",
		    "write key = value below a [section]");
	} else if (bad_line < 0)
		problem_here(reading, "the file cannot be read", "");
	fclose(reading->file);
}

/* ---- the environment ---- */

/* "MONSPOOL_BATCH_MAX_ROWS=5": the key it names, or NULL. */
static const struct config_key *
key_of(const char *variable, size_t len)
{
	const struct config_key *key;
	char name[CONFIG_NAME];
	size_t i;

	for (key = config_keys(); key->section != NULL; key++) {
		snprintf(name, sizeof(name), "MONSPOOL_%s_%s", key->section,
		    key->key);
		for (i = 0; name[i] != '\0'; i++)
			name[i] = (char)toupper((unsigned char)name[i]);
		if (strlen(name) == len && memcmp(name, variable, len) == 0)
			return key;
	}
	return NULL;
}

static void
read_variable(
    struct config *config, struct configfile *found, const char *variable)
{
	static const struct config_key QUEUE = { .section = "queue",
		.key = "path" };
	const char *equals = strchr(variable, '=');
	const struct config_key *key;
	struct fault fault = { 0 };
	char name[CONFIG_NAME];
	size_t len;

	if (equals == NULL)
		return;
	len = (size_t)(equals - variable);
	snprintf(
	    name, sizeof(name), "%.*s", (int)(len < 100 ? len : 100), variable);
	key = strcmp(name, "MONSPOOL_QUEUE") == 0 ? &QUEUE
						  : key_of(variable, len);
	if (key == NULL)
		return;
	if (config_set(
		config, key->section, NULL, key->key, equals + 1, &fault)) {
		place_fault(&fault, name, 0);
		add_problem(found, &fault);
		return;
	}
	warn_if_inert(found, name, 0, key->section, key->key, equals + 1);
}

int
configfile_read(
    const char *path, struct config *config, struct configfile *found)
{
	struct reading *reading;
	struct fault fault = { 0 };
	char **variable;

	memset(found, 0, sizeof(*found));
	snprintf(found->path, sizeof(found->path), "%s", path);
	config_defaults(config);
	if ((reading = calloc(1, sizeof(*reading))) == NULL) {
		fault_set(&fault, FAULT_INTERNAL, "out of memory");
		add_problem(found, &fault);
		return -1;
	}
	reading->config = config;
	reading->found = found;
	if (path[0] != '\0')
		read_file(reading);
	free(reading);
	for (variable = environ; *variable != NULL; variable++)
		if (strncmp(*variable, "MONSPOOL_", 9) == 0)
			read_variable(config, found, *variable);
	if (found->problem_count == 0 && config_check(config, &fault)) {
		place_fault(&fault, path, 0);
		add_problem(found, &fault);
	}
	return found->problem_count > 0 ? -1 : 0;
}
