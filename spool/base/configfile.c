#include "configfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_environment.h"
#include "config_lines.h"
#include "text.h"

#define SYSTEM_FILE "/etc/monspool/monspool.conf"

/* ---- which file ---- */

static int
path_to(char *path, size_t size, const char *dir, const char *rest)
{
	int len = snprintf(path, size, "%s%s", dir, rest);

	if (len < 0 || (size_t)len >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
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

static int
cannot_read(struct fault *fault, const char *named, int error)
{
	char shown[160];

	text_shown(shown, sizeof(shown), named, strlen(named));
	fault_errno(
	    fault, error, "the configuration file %s cannot be read", shown);
	if (fault != NULL)
		fault->kind = FAULT_BAD_CONFIG;
	fault_hint(fault, "name another file with --config");
	return -1;
}

int
configfile_find(const char *named, char *path, size_t size, struct fault *fault)
{
	if (named == NULL)
		named = getenv("MONSPOOL_CONFIG");
	if (named != NULL && named[0] != '\0')
		return path_to(path, size, named, "") == 0
		    ? 0
		    : cannot_read(fault, named, errno);
	if (find_own(path, size) == 0 ||
	    path_to(path, size, SYSTEM_FILE, "") == 0)
		return 0;
	path[0] = '\0';
	return 0;
}

/* ---- problems ---- */

/* Into the field for a file; of a path that is too long its end. */
static void
place(struct fault *fault, const char *file, long line)
{
	size_t len = strlen(file), most = sizeof(fault->file) - 1;

	if (len <= most)
		memcpy(fault->file, file, len + 1);
	else {
		file += len - most + 3;
		while (((unsigned char)*file & 0xc0) == 0x80)
			file++;
		memcpy(fault->file, "...", 3);
		memcpy(fault->file + 3, file, strlen(file) + 1);
	}
	fault->line = line;
}

void
configfile_problem(struct configfile *found, const struct fault *fault,
    const char *file, long line)
{
	struct fault *slot = &found->problems[found->problem_count];

	if (found->problem_count == CONFIGFILE_PROBLEMS)
		return;
	*slot = *fault;
	place(slot, file, line);
	found->problem_count++;
}

void
configfile_warning(struct configfile *found, const struct fault *fault,
    const char *file, long line)
{
	struct fault *slot = &found->warnings[found->warning_count];

	if (found->warning_count == CONFIGFILE_PROBLEMS)
		return;
	*slot = *fault;
	place(slot, file, line);
	found->warning_count++;
}

void
configfile_warn_inert(struct configfile *found, const char *file, long line,
    const char *section, const char *key, const char *value)
{
	struct fault fault = { 0 };

	if (!config_is_inert(section, key, value))
		return;
	fault_set(&fault, FAULT_BAD_CONFIG,
	    "%s.%s is read, but has no effect yet", section, key);
	fault_hint(&fault, "remove it until a later version obeys it");
	configfile_warning(found, &fault, file, line);
}

/* ---- the whole ---- */

/* What the check of the whole complains of, and what else may be to blame. */
static const struct pair {
	const char *field, *section, *key, *other;
} PAIRS[] = {
	{ "queue.reserve", "queue", "reserve", "wal_max" },
	{ "queue.max_size", "queue", "max_size", "max_size" },
	{ "retry.max", "retry", "max", "base" },
};

static void
problem_of_whole(struct configfile *found, const struct fault *fault,
    const struct config_lines *lines)
{
	char variable[CONFIG_NAME];
	const struct pair *pair = PAIRS;
	size_t left = sizeof(PAIRS) / sizeof(PAIRS[0]);
	long line;

	for (; left > 0 && strcmp(pair->field, fault->field) != 0; left--)
		pair++;
	if (left == 0)
		configfile_problem(found, fault, found->path, 0);
	else if (config_environment_find(pair->section, pair->key, variable) ==
		0 ||
	    config_environment_find(pair->section, pair->other, variable) == 0)
		configfile_problem(found, fault, variable, 0);
	else {
		line = config_lines_find(lines, pair->section, "", pair->key);
		if (line == 0)
			line = config_lines_find(
			    lines, pair->section, "", pair->other);
		configfile_problem(found, fault, found->path, line);
	}
}

static int
refuse(struct configfile *found, const char *path, const char *message)
{
	struct fault fault = { 0 };

	fault_set(&fault, FAULT_BAD_CONFIG, "%s", message);
	fault_hint(&fault, "use a shorter path");
	configfile_problem(found, &fault, path, 0);
	return -1;
}

int
configfile_read_lines(const char *path, struct config *config,
    struct configfile *found, struct config_lines *lines)
{
	struct fault fault = { 0 };

	memset(found, 0, sizeof(*found));
	config_defaults(config);
	if (strlen(path) >= sizeof(found->path))
		return refuse(found, path, "the path is too long");
	memcpy(found->path, path, strlen(path) + 1);
	if (path[0] != '\0')
		config_lines_read(path, config, found, lines);
	config_environment_read(config, found);
	if (found->problem_count == 0 && config_check(config, &fault))
		problem_of_whole(found, &fault, lines);
	return found->problem_count > 0 ? -1 : 0;
}

int
configfile_read(
    const char *path, struct config *config, struct configfile *found)
{
	struct config_lines *lines = calloc(1, sizeof(*lines));
	struct fault fault = { 0 };
	int failed;

	if (lines == NULL) {
		memset(found, 0, sizeof(*found));
		config_defaults(config);
		fault_set(&fault, FAULT_INTERNAL, "out of memory");
		configfile_problem(found, &fault, path, 0);
		return -1;
	}
	failed = configfile_read_lines(path, config, found, lines);
	free(lines);
	return failed;
}

/* Variables set the plain sections, and [account], alone. */
static bool
has_variable(const char *name)
{
	return name == NULL || name[0] == '\0' || strcmp(name, "default") == 0;
}

const char *
configfile_origin(const struct configfile *found,
    const struct config_lines *lines, const char *section, const char *name,
    const char *key, char variable[CONFIG_NAME], long *line)
{
	*line = 0;
	if (has_variable(name) &&
	    config_environment_find(section, key, variable) == 0)
		return variable;
	*line = config_lines_find(
	    lines, section, name == NULL ? "" : name, key);
	return *line > 0 ? found->path : NULL;
}
