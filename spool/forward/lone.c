#include "lone.h"

#include <stdio.h>

#include "base/config.h"
#include "protocol/batch.h"

#include "core_state.h"
#include "hold.h"
#include "isolate.h"
#include "judge.h"
#include "lane.h"
#include "settlement.h"

/* Why the rows die, if they do. */
static void
give_cause(struct settlement *settlement, const struct judged *judged)
{
	const struct disposition *what = judged->what;

	settlement->alone = true;
	settlement->blame = what->scope;
	settlement->scope = scope_name(what->scope);
	settlement->cause = what->verdict == VERDICT_SPLIT ? "oversize"
	    : judged->code >= 0                            ? "code"
							   : "http";
	judge_give_evidence(judged, settlement);
}

/* The guilty rows leave, with the reason. */
static void
die(struct lane *lane, struct settlement *settlement,
    const struct judged *judged)
{
	const struct disposition *what = judged->what;
	const struct account *account = lane->account;
	int64_t now_ms = core_steady_ms(lane->core);
	char when[32];

	settlement->fate = FATE_DIE;
	give_cause(settlement, judged);
	snprintf(when, sizeof(when), "%lld s before",
	    (long long)((now_ms - account->accepted_ms) / 1000));
	if (account_has_contrast(account, now_ms))
		account_say_contrast(account, when, settlement->contrast,
		    sizeof(settlement->contrast));
	if (what->scope == SCOPE_SERIES)
		settlement->suspect_id = settlement->batch->rows[0].series_id;
	if (what->scope == SCOPE_NAMESPACE) {
		settlement->doom_lane = true;
		lane_drop_parts(lane);
	}
	lane->check_one = false;
	lane_count_deaths(lane, settlement->attempt.rows);
	if (lane->row.state != LANE_HELD)
		lane_set_ready(lane);
}

/* Whether the settings let the rows of this answer die. */
static bool
may_die(struct lane *lane, const struct settlement *settlement, int code)
{
	if (lane->core->config->dead.soft)
		return false;
	if (lane_deaths_left(lane) >= settlement->attempt.rows)
		return true;
	lane_brake(lane, code);
	return false;
}

bool
lone_is_guilty(const struct lane *lane, const struct settlement *settlement,
    const struct judged *judged)
{
	const struct account *account = lane->account;
	const struct disposition *what = judged->what;
	int64_t now_ms = core_steady_ms(lane->core);
	bool contrast = account_has_contrast(account, now_ms);

	if (what->verdict == VERDICT_SPLIT &&
	    account_took_bytes(account, now_ms, settlement->attempt.bytes))
		return false;
	return what->lone == LONE_DEAD ||
	    (what->lone == LONE_CONTRAST && contrast);
}

/* Whether the parts still to come may show who is to blame. */
static bool
may_be_shown(const struct lane *lane, const struct judged *judged)
{
	return judged->what->lone == LONE_CONTRAST &&
	    judged->errand == ERRAND_PART && lane->isolation != NULL &&
	    !isolation_empty(lane->isolation) && !lane->core->config->dead.soft;
}

void
lone_apply(struct lane *lane, struct settlement *settlement,
    const struct judged *judged)
{
	bool guilty = lone_is_guilty(lane, settlement, judged);

	lane->check_one = false;
	if (guilty && may_die(lane, settlement, judged->code)) {
		die(lane, settlement, judged);
	} else if (!guilty && may_be_shown(lane, judged)) {
		give_cause(settlement, judged);
		settlement->deferred = true;
	} else {
		lane_drop_parts(lane);
		hold_set(lane, judged->what, judged->code, judged->reason);
	}
}
