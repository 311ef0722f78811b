#ifndef QUEUE_SETTING_H
#define QUEUE_SETTING_H

struct db;
struct config;

/** Replace the queue file's copy of the settings for writers with those of
 * ${config}, in a bracket of its own; nothing is written if nothing changed.
 * 0 or -1. */
int setting_store(struct db *db, const struct config *config);

/** Set the defaults in ${config}, then the copy.  A setting that this version
 * cannot read is left at its default.  0 or -1. */
int setting_load(struct db *db, struct config *config);

#endif
