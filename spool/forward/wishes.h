#ifndef FORWARD_WISHES_H
#define FORWARD_WISHES_H

#include <stdint.h>

struct core;
struct lane;

/*
 * What operators ask of lanes: it waits in the queue (queue/wish.h), and the
 * forwarder alone may apply it to the lanes it has in memory.
 */

/** Apply what is asked of ${lane}, and store that it was seen, in one bracket.
 * 0 or -1 (db_error(): then nothing changed). */
int wishes_take(struct lane *lane);
/** End the operators' holds whose time has come. */
void wishes_expire(struct core *core);
/** When the next of them ends, steady; -1: none does. */
int64_t wishes_next_ms(const struct core *core);

#endif
