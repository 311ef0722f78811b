#include "resign.h"

#include "base/config.h"
#include "base/log.h"

#include "core_state.h"
#include "judge.h"

/* Corrections below this are not worth one. */
#define OFFSET_LEAST_MS 2000

/* How far the receiver's clock is from ours; 0 if nobody says so, or it is
 * not worth a correction, or above the bound. */
static int64_t
offset_of(const struct core *core, int64_t date_ms)
{
	int64_t most_ms = core->config->receiver.clock_correction_ms;
	int64_t offset_ms = date_ms - core_wall_ms(core);
	int64_t size_ms = offset_ms < 0 ? -offset_ms : offset_ms;

	return date_ms > 0 && size_ms <= most_ms && size_ms >= OFFSET_LEAST_MS
	    ? offset_ms
	    : 0;
}

static void
sign_by(struct core *core, int64_t offset_ms)
{
	if (offset_ms == core->clock_offset_ms)
		return;
	log_event(LOG_WARN, "clock_corrected", "offset_ms=%lld",
	    (long long)offset_ms);
	core->clock_offset_ms = offset_ms;
}

bool
resign_by_reply(struct core *core, const struct judged *judged)
{
	int64_t offset_ms = offset_of(core, judged->reply->date_ms);

	if (core->clock_corrected)
		return judged->clock_offset_ms != core->clock_offset_ms;
	/* Our clock may have been put right since: no offset is one, too. */
	if (judged->reply->date_ms <= 0 || offset_ms == core->clock_offset_ms)
		return false;
	sign_by(core, offset_ms);
	core->clock_corrected = true;
	return true;
}

void
resign_anew(struct core *core, int64_t date_ms)
{
	sign_by(core, offset_of(core, date_ms));
}
