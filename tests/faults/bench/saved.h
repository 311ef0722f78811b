#ifndef BENCH_SAVED_H
#define BENCH_SAVED_H

#include <stddef.h>

struct spool;

/** The files of a closed queue, kept in memory to begin with again. */
struct saved {
	struct saved_file {
		char *data;
		size_t size;
	} file, wal, gate;
};

void saved_take(struct saved *saved, const struct spool *spool);
/** Put them back; the WAL's index is made anew by who opens the queue. */
void saved_restore(const struct saved *saved, const struct spool *spool);
void saved_free(struct saved *saved);

#endif
