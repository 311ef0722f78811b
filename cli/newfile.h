#ifndef CLI_NEWFILE_H
#define CLI_NEWFILE_H

struct fault;

/** Create ${path} (0600), which nothing may have been before: not even a link.
 * Return a descriptor for writing, or -1 with ${fault} (FAULT_CANNOT_CREATE). */
int newfile_create(const char *path, struct fault *fault);

/** A new name is durable when its directory is: sync that.  0, or -1 with
 * errno. */
int newfile_sync_name(const char *path);

#endif
