#ifndef BASE_CONFIG_SECTION_H
#define BASE_CONFIG_SECTION_H

#include <stddef.h>

#include "config.h"

struct fault;

/**
 * A section that may stand more than once; struct config has an array of
 * structs for it, which begin with their name.
 */
struct config_section {
	const char *section;
	size_t array, count; /* offsets in struct config */
	size_t size, most, name_room;
};

/** How ${section} repeats, or NULL if it does not. */
const struct config_section *config_section(const char *section);

/** What tells the structs of ${kind} apart: ${name}, or ${key} in [codes], or
 * "default" for the plain [account]; NULL where a name is missing. */
const char *config_section_name(
    const struct config_section *kind, const char *name, const char *key);

/** The struct called ${name}, or NULL. */
char *config_section_find(const struct config *config,
    const struct config_section *kind, const char *name);

/** A new struct called ${name}, or NULL with ${fault}: the name does not fit, or
 * there are too many. */
char *config_section_add(struct config *config,
    const struct config_section *kind, const char *name, struct fault *fault);

#endif
