#ifndef BASE_CONFIGFILE_H
#define BASE_CONFIGFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/config.h"
#include "base/fault.h"

#define CONFIGFILE_PROBLEMS 32

/** What reading found out. */
struct configfile {
	char path[CONFIG_PATH]; /* the file read, "" if none */
	struct fault problems[CONFIGFILE_PROBLEMS]; /* file, line, hint set */
	size_t problem_count;                       /* errors */
	struct fault warnings[CONFIGFILE_PROBLEMS];
	size_t warning_count; /* keys set that have no effect yet */
};

/**
 * configfile_find(named, path, size, fault):
 * Which file counts: ${named} (from --config) > $MONSPOOL_CONFIG >
 * $XDG_CONFIG_HOME/monspool/monspool.conf (not for root; ~/.config when the
 * variable is unset) > /etc/monspool/monspool.conf; the first found, no
 * merging.  ${path} becomes "" when none is found.  A named one that is
 * missing is FAULT_BAD_CONFIG: return -1.
 */
int configfile_find(
    const char *named, char *path, size_t size, struct fault *fault);

/**
 * configfile_read(path, config, found):
 * Set ${config} to the defaults, then ${path} ("" for none), then the environment
 * (MONSPOOL_SECTION_KEY; MONSPOOL_QUEUE is queue.path), and check the whole.
 * Every fault is collected in ${found}, each with file and line (environment:
 * the variable's name in file); unknown and repeated keys, bad values, broken lines.  Return 0,
 * or -1 if there was any problem.
 */
int configfile_read(
    const char *path, struct config *config, struct configfile *found);

struct config_lines;
/** As configfile_read(), and remember in ${lines} (zeroed) what the file sets. */
int configfile_read_lines(const char *path, struct config *config,
    struct configfile *found, struct config_lines *lines);

/**
 * configfile_origin(found, lines, section, name, key, variable, line):
 * Where the value of a key comes from, after configfile_read_lines(): the file,
 * and its ${line}; the name of a ${variable} of the environment; or NULL: it is
 * built in.  ${line} is 0 for all but the file.
 */
const char *configfile_origin(const struct configfile *found,
    const struct config_lines *lines, const char *section, const char *name,
    const char *key, char variable[CONFIG_NAME], long *line);

/** Note a problem, or a warning, that stands in ${file} (or comes from a
 * variable of that name) on ${line} (0: none).  For the readers of this shelf. */
void configfile_problem(struct configfile *found, const struct fault *fault,
    const char *file, long line);
void configfile_warning(struct configfile *found, const struct fault *fault,
    const char *file, long line);
/** Warn if this value of the key has no effect yet. */
void configfile_warn_inert(struct configfile *found, const char *file,
    long line, const char *section, const char *key, const char *value);

#endif
