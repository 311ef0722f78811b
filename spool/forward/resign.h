#ifndef FORWARD_RESIGN_H
#define FORWARD_RESIGN_H

#include <stdbool.h>
#include <stdint.h>

struct core;
struct judged;

/** A request was refused for its time: sign by the receiver's clock, once
 * until the next success.  Whether the request is to go again, as one signed
 * before the correction is; else a hold is due. */
bool resign_by_reply(struct core *core, const struct judged *judged);

/** A probe was refused for its time: what was learned may have been wrong, or
 * be so by now. ${date_ms} is the reply's Date, -1 none. */
void resign_anew(struct core *core, int64_t date_ms);

#endif
