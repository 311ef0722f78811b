#include "settlement.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/config.h"
#include "protocol/batch.h"
#include "queue/bound.h"
#include "queue/db.h"
#include "queue/deadletter.h"
#include "queue/ledger.h"
#include "queue/metric.h"
#include "queue/operation_group.h"
#include "queue/suspect.h"

#include "core_state.h"
#include "lane.h"

struct settlement *
settlement_new(struct lane *lane)
{
	struct settlement *settlement;

	if ((settlement = calloc(1, sizeof(*settlement))) == NULL)
		return NULL;
	settlement->lane = lane;
	settlement->attempt.code = -1;
	settlement->attempt.id = -1;
	return settlement;
}

void
settlement_free(struct settlement *settlement)
{
	if (settlement == NULL)
		return;
	batch_free(settlement->batch);
	free(settlement->met);
	free(settlement);
}

int
settlement_meet(
    struct settlement *settlement, int64_t id, int64_t series_id, enum met met)
{
	struct met_row *more;
	size_t room;

	if (settlement->met_count == settlement->met_room) {
		room = settlement->met_room * 2 + 32;
		more = realloc(settlement->met, room * sizeof(*more));
		if (more == NULL)
			return -1;
		settlement->met = more;
		settlement->met_room = room;
	}
	settlement->met[settlement->met_count++] = (struct met_row){
		.id = id, .series_id = series_id, .met = met
	};
	return 0;
}

/* ---- rows of a request ---- */

static int
record_attempt(struct core *core, struct settlement *settlement)
{
	const struct batch *batch = settlement->batch;
	int64_t *ids;
	char *text = NULL;
	size_t i;
	int failed;

	if (!settlement->contiguous) {
		if ((ids = malloc(batch->count * sizeof(*ids))) == NULL)
			return -1;
		for (i = 0; i < batch->count; i++)
			ids[i] = batch->rows[i].id;
		text = attempt_ids(ids, batch->count);
		free(ids);
	}
	settlement->attempt.ids = text;
	settlement->attempt.message = settlement->message;
	settlement->attempt.outcome = settlement->outcome;
	failed = attempt_record(
	    core->db, &settlement->attempt, bound_attempts(core->config));
	settlement->attempt.ids = NULL;
	free(text);
	return failed;
}

static int
count_attempt(struct core *core, const struct settlement *settlement)
{
	const struct batch *batch = settlement->batch;
	int64_t lane_id = settlement->lane->row.id;
	size_t i;

	if (settlement->contiguous)
		return metric_attempted_range(core->db, lane_id,
		    batch->rows[0].id, batch->rows[batch->count - 1].id);
	for (i = 0; i < batch->count; i++)
		if (metric_attempted(core->db, lane_id, batch->rows[i].id))
			return -1;
	return 0;
}

static int64_t
deliver_range(struct db *db, int64_t lane_id, int64_t first, int64_t last)
{
	if (operation_group_delivered(db, lane_id, first, last))
		return -1;
	return metric_remove_range(db, lane_id, first, last);
}

/* Return the rows that were delivered, or -1. */
static int64_t
deliver(struct core *core, const struct settlement *settlement)
{
	const struct batch *batch = settlement->batch;
	int64_t lane_id = settlement->lane->row.id, gone = 0, removed;
	size_t i;

	if (settlement->contiguous)
		gone = deliver_range(core->db, lane_id, batch->rows[0].id,
		    batch->rows[batch->count - 1].id);
	else
		for (i = 0; i < batch->count && gone != -1; i++) {
			removed = deliver_range(core->db, lane_id,
			    batch->rows[i].id, batch->rows[i].id);
			gone = removed == -1 ? -1 : gone + removed;
		}
	if (gone == -1)
		return -1;
	if (gone > 0 &&
	    (ledger_move(core->db, LEDGER_PENDING, LEDGER_DELIVERED, gone) ||
		lane_count(core->db, lane_id, -gone)))
		return -1;
	return gone;
}

static int64_t
bury(struct core *core, const struct settlement *settlement)
{
	const struct batch *batch = settlement->batch;
	struct death death = {
		.cause = settlement->cause,
		.code = settlement->attempt.code,
		.message = settlement->message,
		.scope = settlement->scope,
		.http_status = settlement->attempt.http_status,
		.attempt_id = settlement->attempt.id,
		.alone = settlement->alone,
		.contrast = settlement->contrast[0] != '\0'
		    ? settlement->contrast
		    : NULL,
		.evidence = settlement->evidence,
		.died_at = core_wall_ms(core),
	};
	int64_t gone = 0;
	size_t i;
	int moved;

	for (i = 0; i < batch->count; i++) {
		moved = deadletter_move(core->db, settlement->lane->row.id,
		    batch->rows[i].id, &death);
		if (moved == -1)
			return -1;
		gone += moved;
	}
	return gone;
}

/* ---- suspects ---- */

/* Fill ${row} for the series that dies with ${settlement}. */
static int
suspect_of(struct core *core, const struct settlement *settlement,
    struct suspect_row *row)
{
	struct ledger_row ledger;

	if (ledger_read(core->db, &ledger))
		return -1;
	*row = (struct suspect_row){
		.series_id = settlement->suspect_id,
		.doomed_through = ledger.last_id,
		.code = settlement->attempt.code,
		.attempt_id = settlement->attempt.id,
		.since_at = core_wall_ms(core),
	};
	snprintf(row->message, sizeof(row->message), "%s", settlement->message);
	return 0;
}

static int
doom_lane(struct core *core, const struct settlement *settlement)
{
	struct lane_row *row = &settlement->lane->row;
	struct ledger_row ledger;

	if (ledger_read(core->db, &ledger))
		return -1;
	row->doomed_through = ledger.last_id;
	row->doomed_code = settlement->attempt.code;
	row->doomed_attempt = settlement->attempt.id;
	snprintf(row->doomed_message, sizeof(row->doomed_message), "%s",
	    settlement->message);
	settlement->lane->changed = true;
	return 0;
}

static int
settle_suspicion(struct core *core, const struct settlement *settlement)
{
	struct suspect_row row;

	if (settlement->suspect_id != 0 &&
	    (suspect_of(core, settlement, &row) ||
		suspect_store(core->db, &row) == -1))
		return -1;
	if (settlement->clear_id != 0 &&
	    suspect_clear(core->db, settlement->clear_id))
		return -1;
	if (settlement->doom_lane && doom_lane(core, settlement))
		return -1;
	return 0;
}

/* ---- rows met on a page ---- */

static int
let_go(struct core *core, int64_t lane_id, int64_t id, enum ledger_column to)
{
	int64_t gone;

	if ((gone = metric_remove(core->db, lane_id, id)) == -1)
		return -1;
	if (gone > 0 &&
	    (ledger_move(core->db, LEDGER_PENDING, to, gone) ||
		lane_count(core->db, lane_id, -gone)))
		return -1;
	return (int)gone;
}

/* Why a row that is kin to a refused one dies. */
static void
kin_death(const struct core *core, const struct lane *lane,
    const struct met_row *met, struct death *death)
{
	const struct suspect_row *suspect;

	*death = (struct death){ .cause = "code",
		.alone = true,
		.attempt_id = -1,
		.code = -1,
		.died_at = core_wall_ms(core) };
	suspect = suspects_find(&core->suspects, met->series_id);
	if (lane->row.doomed_through >= met->id) {
		death->code = (int)lane->row.doomed_code;
		death->message = lane->row.doomed_message;
		death->attempt_id = lane->row.doomed_attempt;
		death->scope = "namespace";
		death->evidence = "not sent: a row of this lane was refused "
				  "alone in the request named";
	} else if (suspect != NULL) {
		death->code = (int)suspect->code;
		death->message = suspect->message;
		death->attempt_id = suspect->attempt_id;
		death->scope = "series";
		death->evidence = "not sent: a row of this series was refused "
				  "alone in the request named";
	}
}

static int
settle_met(struct core *core, const struct settlement *settlement,
    const struct met_row *met)
{
	static const struct death DAMAGED = { .cause = "damage",
		.code = -1,
		.attempt_id = -1,
		.scope = "row",
		.message = "The stored row fails its checks",
		.evidence = "not sent" };
	static const struct death UNFIT = { .cause = "check",
		.code = -1,
		.attempt_id = -1,
		.scope = "series",
		.message = "Its texts are not valid UTF-8 or JSON",
		.evidence = "not sent" };
	static const struct death LATE = { .cause = "late",
		.code = -1,
		.attempt_id = -1,
		.scope = "row",
		.message = "Older than late.after when its turn came",
		.evidence = "not sent" };
	struct death death = met->met == MET_LATE ? LATE
	    : met->met == MET_UNFIT               ? UNFIT
						  : DAMAGED;
	int64_t lane_id = settlement->lane->row.id;

	if (met->met == MET_EXPIRED)
		return let_go(core, lane_id, met->id, LEDGER_EXPIRED);
	if (met->met == MET_DROPPED)
		return let_go(core, lane_id, met->id, LEDGER_DROPPED);
	if (met->met == MET_KIN)
		kin_death(core, settlement->lane, met, &death);
	death.died_at = core_wall_ms(core);
	return deadletter_move(core->db, lane_id, met->id, &death);
}

/* ---- all of it ---- */

/* The request itself, and what it means for the counts of rows that stay. */
static int
write_request(struct core *core, struct settlement *settlement)
{
	if (record_attempt(core, settlement))
		return -1;
	if (settlement->ambiguous && ledger_count_ambiguous(core->db, 1))
		return -1;
	if (settlement->fate == FATE_DELIVERED || !settlement->attempt.counted)
		return 0;
	return count_attempt(core, settlement);
}

int64_t
settlement_write(struct core *core, struct settlement *settlement)
{
	int64_t gone = 0;
	size_t i;
	int left;

	for (i = 0; i < settlement->met_count; i++) {
		left = settle_met(core, settlement, &settlement->met[i]);
		if (left == -1)
			return -1;
		gone += left;
	}
	if (settlement->batch == NULL)
		return gone;
	if (!settlement->recorded && write_request(core, settlement))
		return -1;
	if (settlement->fate == FATE_DELIVERED)
		gone = deliver(core, settlement);
	else if (settlement->fate == FATE_DIE)
		gone = bury(core, settlement);
	if (gone == -1 || settle_suspicion(core, settlement))
		return -1;
	return gone;
}
