#ifndef FORWARD_SETTINGS_H
#define FORWARD_SETTINGS_H

#include "base/config.h"
#include "base/configfile.h"

struct credentials;
struct fault;

/** What the forwarder goes by: read together, replaced together. */
struct settings {
	struct config config;
	struct configfile found;         /* problems and warnings of the file */
	struct credentials *credentials; /* NULL if anything is wrong */
};

/**
 * settings_read(file, queue, fault):
 * Read the configuration file that counts (${file} from --config, or NULL), let
 * ${queue} (from -Q, or NULL) override queue.path, and find the keys.  Where
 * anything is wrong "credentials" is NULL, "found" has all problems of the
 * file and ${fault} the first, or that of the keys.  Return NULL only with
 * FAULT_INTERNAL or when there is no file ${file}.
 */
struct settings *settings_read(
    const char *file, const char *queue, struct fault *fault);
/** Let no account send more than ${per_second} requests, 0: as configured. */
void settings_slow(struct settings *settings, double per_second);
/** Wipes the keys. */
void settings_free(struct settings *settings);

#endif
