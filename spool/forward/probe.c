#include "probe.h"

#include <stdio.h>
#include <string.h>

#include "base/config.h"

#include "core_state.h"
#include "hold.h"
#include "judge.h"
#include "lane.h"
#include "lone.h"
#include "resign.h"

/* Whether a probe's answer shows that the hold is over although the row was
 * not taken: the receiver looked at the row, and it is to blame.  A hold that
 * keeps such rows from dying goes on, of course. */
static bool
ends_hold(const struct lane *lane, const struct settlement *settlement,
    const struct judged *judged)
{
	const char *scope = lane->row.scope;

	if (!hold_is_ours(lane) || !lone_is_guilty(lane, settlement, judged))
		return false;
	return !lane->core->config->dead.soft ||
	    strcmp(scope, scope_name(SCOPE_ACCOUNT)) == 0 ||
	    strcmp(scope, scope_name(SCOPE_ENDPOINT)) == 0 ||
	    strcmp(scope, scope_name(SCOPE_CLOCK)) == 0;
}

/* A probe that was too fast says nothing of the hold: its code, its reason
 * and how rarely it is probed stay. */
static void
put_off(struct lane *lane)
{
	const struct disposition *held_for;
	char code[24];

	snprintf(code, sizeof(code), "%lld", (long long)lane->row.code);
	held_for = disposition_find(lane->core->dispositions, code);
	hold_postpone(lane, held_for != NULL && held_for->slow_probe,
	    account_pause_ms(lane->account, core_steady_ms(lane->core)));
}

void
probe_failed(struct lane *lane, struct settlement *settlement,
    const struct judged *judged)
{
	if (settlement->fate == FATE_STAY &&
	    ends_hold(lane, settlement, judged)) {
		hold_release(lane);
		lone_apply(lane, settlement, judged);
		return;
	}
	if (judged->what->verdict == VERDICT_RESIGN)
		resign_anew(lane->core, judged->reply->date_ms);
	if (!hold_is_ours(lane))
		return; /* an operator looks at the attempt, and decides */
	if (judge_is_throttle(judged)) {
		put_off(lane);
		hold_take_turns(lane);
		return;
	}
	/* It may be the row after all: the next probe carries another one, and
	 * only when all were tried the probes become rarer. */
	if (judged->what->lone == LONE_CONTRAST) {
		lane->probe_after = settlement->attempt.last_id;
		lane->row.failures--;
	}
	hold_postpone(
	    lane, judged->what->slow_probe, judged->reply->retry_after_ms);
	hold_take_turns(lane);
	snprintf(
	    lane->row.reason, sizeof(lane->row.reason), "%s", judged->reason);
	lane->row.code = judged->code;
}
