#ifndef BENCH_DAMAGED_H
#define BENCH_DAMAGED_H

#include <stdbool.h>
#include <stdint.h>

#include "saved.h"
#include "spool.h"
#include "world.h"

/*
 * A queue that is damaged, again and again from the same beginning, and what
 * must be true of it then whatever the damage.  The value of a row says which
 * it is and what series it belongs to, so the receiver knows when a row comes
 * under a wrong name, and when a value is none that was ever put.
 */

#define DAMAGED_ROWS 700
#define DAMAGED_SENT 150 /* rows of which some are gone, some dead */

struct damaged_counts {
	int64_t cases, refused, noticed, clean;
	int64_t set_aside; /* rows that died for damage */
	int64_t unseen;    /* values that changed, and nobody can tell */
	int64_t crossed;   /* rows that came under another series */
	int64_t failed;
};

struct damaged {
	struct spool spool;
	struct saved older; /* with the first DAMAGED_SENT rows, all pending */
	struct saved saved; /* the queue as it was */
	struct world_bench world;
	const char *test; /* its name */
	uint64_t seed, chance;
	int put;               /* rows, over all */
	int64_t last_id;       /* that was acknowledged */
	int64_t left_id;       /* the last one that the damage leaves */
	int64_t pending, dead; /* rows of what is saved */
	int came[DAMAGED_ROWS +
	    1];                    /* how often each row reached the receiver */
	int good, unseen, crossed; /* rows that did, in this case */
	char what[96];             /* is damaged now */
	bool odd;       /* rows and settings may be odd, and nothing damaged */
	bool told;      /* something that was done failed for damage */
	bool may_cross; /* a row's link to its series may be what is */
	struct damaged_counts counts;
};

/** The queue to begin with: some rows were delivered, some are dead, some have
 * attempts and several hundred pend; all of it is in the file. */
void damaged_set_up(struct damaged *damaged);
void damaged_tear_down(struct damaged *damaged);

/** Put ${rows} more into the open queue, in one transaction. */
void damaged_put(struct damaged *damaged, int rows);
/** Let the forwarder work on the open queue for some minutes, in ${turns}. */
void damaged_forward(struct damaged *damaged, int turns);

void damaged_complain(struct damaged *damaged, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Put back what was saved, with ${file} in place of the file. */
void damaged_restore(struct damaged *damaged, const char *file, size_t size);
/** The file is as it was put there: nobody wrote to it. */
bool damaged_untouched(struct damaged *damaged, const char *file, size_t size);

/** Open, status, audit, put, forward: what must be true in any case. */
void damaged_examine(struct damaged *damaged, const char *file, size_t size);

/** The rows that reached the receiver are forgotten. */
void damaged_forget(struct damaged *damaged);

#endif
