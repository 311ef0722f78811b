#ifndef CLI_ROW_DIMENSIONS_H
#define CLI_ROW_DIMENSIONS_H

struct cJSON;
struct fault;
struct row;
struct text;

/* The part of row.h that reads dimensions; not for others. */

/** "value is not a number ("30%")": say what the member called ${field} should
 * be, and show it as it stands at ${path}.  Return -1. */
int row_refuse(const struct row *row, const char *field, const char *path,
    const char *what, struct fault *fault);

/** Add the path of dimension ${key}, as json_find() takes it, to ${path}. */
void row_dimension_path(struct text *path, const char *key);

/** Read the member "dimensions".  0, or -1 with ${fault}. */
int row_read_dimensions(
    struct row *row, const struct cJSON *member, struct fault *fault);

#endif
