#include "doubt.h"

#include <stdio.h>

#include "protocol/batch.h"
#include "protocol/disposition.h"

#include "core_state.h"
#include "hold.h"
#include "lane.h"
#include "settle.h"

void
doubt_keep(struct lane *lane, struct settlement *settlement)
{
	settlement->next = NULL;
	if (lane->isolation == NULL) {
		settlement_free(settlement);
		return;
	}
	settlement->next = lane->doubts;
	lane->doubts = settlement;
}

static struct settlement *
take_one(struct lane *lane)
{
	struct settlement *settlement = lane->doubts;

	if (settlement == NULL)
		return NULL;
	lane->doubts = settlement->next;
	settlement->next = NULL;
	return settlement;
}

void
doubt_drop(struct lane *lane)
{
	struct settlement *settlement;

	while ((settlement = take_one(lane)) != NULL)
		settlement_free(settlement);
}

/* The rows die of an answer that is written down already. */
static void
bury(struct lane *lane, struct settlement *settlement)
{
	settlement->fate = FATE_DIE;
	settlement->recorded = true;
	account_say_contrast(lane->account, "soon after", settlement->contrast,
	    sizeof(settlement->contrast));
	if (settlement->blame == SCOPE_SERIES)
		settlement->suspect_id = settlement->batch->rows[0].series_id;
	lane_count_deaths(lane, settlement->attempt.rows);
	lane->taken += settlement->attempt.rows;
	lane->unsettled++;
	lane->rewind = true;
	settle_add(lane->core, settlement);
}

void
doubt_end(struct lane *lane)
{
	struct settlement *settlement;

	while ((settlement = take_one(lane)) != NULL) {
		if (lane_deaths_left(lane) >= settlement->attempt.rows) {
			bury(lane, settlement);
			continue;
		}
		lane_brake(lane, settlement->attempt.code);
		settlement_free(settlement);
		doubt_drop(lane);
	}
}

void
doubt_decide(struct lane *lane)
{
	const struct settlement *doubt = lane->doubts;
	struct disposition what = { 0 };
	char reason[LANE_TEXT];

	if (doubt == NULL)
		return;
	if (account_has_contrast(lane->account, core_steady_ms(lane->core))) {
		doubt_end(lane);
		return;
	}
	what.scope = doubt->blame;
	snprintf(reason, sizeof(reason), "%.*s", LANE_TEXT - 1, doubt->message);
	hold_set(lane, &what, doubt->attempt.code, reason);
	doubt_drop(lane);
}
