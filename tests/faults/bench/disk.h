#ifndef BENCH_DISK_H
#define BENCH_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/place.h"

#include "shim.h"

/*
 * A disk that loses power.  It records what a queue's files are told (writes,
 * truncates, syncs, deletes, through the shim's second hook), and plays the
 * record back, building after each step what may be found on the disk when
 * the power goes there: what was synced, and of the rest nothing, all, or
 * any part.  A sync may fail: then some of its pages are on the disk, and the
 * rest will never be, though they can be read, until they are written again.
 */
struct disk;

enum disk_keep {
	DISK_SYNCED, /* what was not synced is lost */
	DISK_ALL,    /* nothing is lost: what SIGKILL leaves */
	DISK_PART,   /* any of the writes since the sync */
	DISK_TORN,   /* any 512 bytes of them */
	DISK_KEEPS
};

/** A disk that records the files of ${place} from now on. */
struct disk *disk_new(const struct place *place);
void disk_free(struct disk *disk);
/** For shim_hook(); the cookie is the disk. */
void disk_record(void *disk, const struct shim_event *event);
/** Record that the sync ${event} failed; ${chance} tells which pages of it
 * got through. */
void disk_fail_sync(
    struct disk *disk, const struct shim_event *event, uint64_t chance);
/** Note that a commit was acknowledged, after which the queue is ${state}. */
void disk_note(struct disk *disk, uint64_t state);

/** Play the next step, after disk_new() the first.  False at the end. */
bool disk_step(struct disk *disk);
/** The states that were acknowledged so far: the ${back}th before the latest
 * (0: the latest).  Return false if there were not so many. */
bool disk_state(const struct disk *disk, int back, uint64_t *state);
/** The state of the commit under way, if there is one. */
bool disk_next_state(const struct disk *disk, uint64_t *state);
/** Write to ${to}'s files what is found on the disk here. */
void disk_image(struct disk *disk, enum disk_keep keep, uint64_t *chance,
    const struct place *to);

#endif
