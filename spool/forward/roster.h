#ifndef FORWARD_ROSTER_H
#define FORWARD_ROSTER_H

struct core;
struct lane;

/*
 * Who works for a core: the accounts of its configuration, and the lanes of its
 * queue, each with the account that signs for it.
 */

/** Set up core->accounts by the settings in force; an account that was there
 * before keeps the pace it learned.  The array of before stays the caller's.
 * 0, or -1 (memory; then nothing changed). */
int roster_start(struct core *core);
/** See which lanes there are, and how many rows each has.  0, or -1. */
int roster_look(struct core *core);
/** At the start: what died lately, of each lane, counts for its brake, or short
 * runs would never come to it.  Where it cannot be read it is forgotten. */
void roster_recall_deaths(struct core *core);
/** While nothing is out: now and then look whether a lane is still used, and
 * have it go where nothing in the queue is of it any more. */
void roster_collect(struct core *core);
/** Hold ${lane} where there is nobody to sign for it. */
void roster_find_signer(struct lane *lane);
/** After a reload: holds that a new key or setting may have cured are probed
 * at once, and what was learned under the old settings is forgotten. */
void roster_reconsider(struct core *core);

#endif
