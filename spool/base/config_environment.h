#ifndef BASE_CONFIG_ENVIRONMENT_H
#define BASE_CONFIG_ENVIRONMENT_H

#include "configfile.h"

/**
 * config_environment_read(config, found):
 * Set ${config} from the variables MONSPOOL_SECTION_KEY, and queue.path from
 * MONSPOOL_QUEUE, which is over MONSPOOL_QUEUE_PATH and counts only if not empty.
 * Problems go to ${found}; so do, as warnings, variables that begin with a
 * section and name no key of it.
 */
void config_environment_read(struct config *config, struct configfile *found);

/** The name of the variable that sets a key (MONSPOOL_QUEUE for queue.path where
 * that is set), into ${name}; 0, or -1 if it is not set. */
int config_environment_find(
    const char *section, const char *key, char name[CONFIG_NAME]);

/** The name of a key's variable, set or not, into ${name}. */
void config_environment_name(
    const char *section, const char *key, char name[CONFIG_NAME]);

#endif
