#ifndef BASE_CONFIG_LINES_H
#define BASE_CONFIG_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "configfile.h"

#define CONFIG_LINES_SEEN 512

/** Which keys a file set, and where. */
struct config_lines {
	struct config_line {
		uint64_t hash; /* of section, name and key */
		long line;
	} seen[CONFIG_LINES_SEEN];
	size_t count;
};

/**
 * config_lines_read(path, config, found, lines):
 * Read the file ${path} into ${config}, remember in ${lines} (zeroed) what
 * stands where, and collect the problems in ${found}.
 */
void config_lines_read(const char *path, struct config *config,
    struct configfile *found, struct config_lines *lines);

/** The line that sets a key, 0 if none does. */
long config_lines_find(const struct config_lines *lines, const char *section,
    const char *name, const char *key);

#endif
