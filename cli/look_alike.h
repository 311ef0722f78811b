#ifndef CLI_LOOK_ALIKE_H
#define CLI_LOOK_ALIKE_H

#include <stddef.h>
#include <stdint.h>

struct db;
struct deadletter_row;
struct fault;

/** A name of a refused row beside one that the receiver took. */
struct look_alike {
	const char *kind; /* "namespace", "metric", "dimension" */
	char *given;      /* "": accepted rows have one that it lacks */
	char *accepted;   /* "": accepted rows have none like it */
};

struct look_alikes {
	struct look_alike *list;
	size_t count;
};

/** Find what may have been meant by the names of ${row}: its namespace among
 * those that were accepted; else its metric among those of its lane; else
 * its dimension names beside those of the same metric.  0, or -1 with ${fault}. */
int look_alikes_find(struct look_alikes *found, struct db *db,
    const struct deadletter_row *row, struct fault *fault);
void look_alikes_free(struct look_alikes *found);

#endif
