#ifndef CLI_NEWFILE_H
#define CLI_NEWFILE_H

#include <stdbool.h>

struct fault;

/** Create ${path} (0600), which nothing may have been before: not even a link.
 * Return a descriptor for writing, or -1 with ${fault} (FAULT_CANNOT_CREATE). */
int newfile_create(const char *path, struct fault *fault);

/** The same, but where the system can the file has no name before
 * newfile_publish(), so that nobody takes half of it for the whole: then
 * ${hidden} is set. */
int newfile_create_hidden(const char *path, bool *hidden, struct fault *fault);
/** Give the hidden file ${fd} its name.  0, or -1 with ${fault}. */
int newfile_publish(int fd, const char *path, struct fault *fault);

/** A new name is durable when its directory is: sync that.  0, or -1 with
 * errno. */
int newfile_sync_name(const char *path);

#endif
