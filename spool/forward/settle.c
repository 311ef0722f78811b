#include "settle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/fault.h"
#include "base/log.h"
#include "protocol/batch.h"
#include "queue/ballast.h"
#include "queue/db.h"
#include "queue/deadletter.h"
#include "queue/ledger.h"
#include "queue/metric.h"
#include "queue/suspect.h"

#include "core_state.h"
#include "lane.h"

#define TELL_EVERY_MS 1000
#define RETRY_BASE_MS 50
#define RETRY_MOST_MS 5000

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

void
settle_add(struct core *core, struct settlement *settlement)
{
	struct settle *settle = &core->settle;

	if (settle->tail == NULL)
		settle->head = settlement;
	else
		settle->tail->next = settlement;
	settle->tail = settlement;
}

static bool
any_lane_changed(const struct core *core)
{
	size_t i;

	for (i = 0; i < core->lane_count; i++)
		if (core->lanes[i]->changed)
			return true;
	return false;
}

static bool
wants_telling(const struct core *core)
{
	const struct settle *settle = &core->settle;

	return settle->told_changed &&
	    (settle->told_ms < 0 ||
		core_steady_ms(core) - settle->told_ms >= TELL_EVERY_MS);
}

int64_t
settle_next_ms(const struct core *core)
{
	const struct settle *settle = &core->settle;

	if (settle->blocked)
		return settle->retry_ms;
	if (settle->head != NULL || any_lane_changed(core))
		return core_steady_ms(core);
	if (!settle->told_changed)
		return -1;
	return settle->told_ms < 0 ? core_steady_ms(core)
				   : settle->told_ms + TELL_EVERY_MS;
}

bool
settle_waits(const struct core *core)
{
	return core->settle.head != NULL || any_lane_changed(core) ||
	    wants_telling(core);
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
	    core->db, &settlement->attempt, core->config->queue.attempts_kept);
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

/* Return the rows that were delivered, or -1. */
static int64_t
deliver(struct core *core, const struct settlement *settlement)
{
	const struct batch *batch = settlement->batch;
	int64_t lane_id = settlement->lane->row.id, gone = 0, removed;
	size_t i;

	if (settlement->contiguous) {
		gone = metric_remove_range(core->db, lane_id, batch->rows[0].id,
		    batch->rows[batch->count - 1].id);
		if (gone == -1)
			return -1;
	} else
		for (i = 0; i < batch->count; i++) {
			removed = metric_remove(
			    core->db, lane_id, batch->rows[i].id);
			if (removed == -1)
				return -1;
			gone += removed;
		}
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
		suspect_store(core->db, &row)))
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
expire(struct core *core, int64_t lane_id, int64_t id)
{
	int64_t gone;

	if ((gone = metric_remove(core->db, lane_id, id)) == -1)
		return -1;
	if (gone > 0 &&
	    (ledger_move(core->db, LEDGER_PENDING, LEDGER_EXPIRED, gone) ||
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
	struct death death = DAMAGED;
	int64_t lane_id = settlement->lane->row.id;

	if (met->met == MET_EXPIRED)
		return expire(core, lane_id, met->id);
	if (met->met == MET_KIN)
		kin_death(core, settlement->lane, met, &death);
	death.died_at = core_wall_ms(core);
	return deadletter_move(core->db, lane_id, met->id, &death);
}

/* ---- the transaction ---- */

/* Write down one settlement.  Return the rows that left the queue, or -1. */
static int64_t
settle_one(struct core *core, struct settlement *settlement)
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
	if (record_attempt(core, settlement))
		return -1;
	if (settlement->ambiguous && ledger_count_ambiguous(core->db, 1))
		return -1;
	if (settlement->fate == FATE_DELIVERED)
		gone = deliver(core, settlement);
	else if (settlement->attempt.counted && count_attempt(core, settlement))
		return -1;
	else if (settlement->fate == FATE_DIE)
		gone = bury(core, settlement);
	if (gone == -1 || settle_suspicion(core, settlement))
		return -1;
	return gone;
}

static int
store_lanes(struct core *core)
{
	size_t i;

	for (i = 0; i < core->lane_count; i++)
		if (core->lanes[i]->changed &&
		    lane_store(core->db, &core->lanes[i]->row))
			return -1;
	return 0;
}

/* Everything of this turn, or nothing. */
static int
write_all(struct core *core, int64_t *gone)
{
	struct settlement *settlement;
	size_t i = 0;

	if (db_begin(core->db))
		return -1;
	for (settlement = core->settle.head; settlement != NULL;
	     settlement = settlement->next)
		if ((gone[i++] = settle_one(core, settlement)) == -1)
			goto rollback;
	if (store_lanes(core))
		goto rollback;
	core->settle.telling = wants_telling(core);
	if (core->settle.telling &&
	    status_publish(core->db, &core->settle.told))
		goto rollback;
	return db_commit(core->db);

rollback:
	db_rollback(core->db);
	return -1;
}

/* After the commit: memory follows the queue. */
static void
remember(struct core *core, const struct settlement *settlement)
{
	struct suspect_row row;

	if (settlement->suspect_id != 0 &&
	    suspect_load(core->db, settlement->suspect_id, &row) == 1)
		(void)suspects_put(&core->suspects, &row);
	if (settlement->clear_id != 0)
		suspects_remove(&core->suspects, settlement->clear_id);
}

static void
count_done(struct core *core, const struct settlement *settlement, int64_t gone)
{
	if (settlement->batch != NULL && settlement->fate == FATE_DELIVERED)
		core->stats.delivered += gone;
	else
		core->stats.dead += gone;
	core->stats.ambiguous += settlement->ambiguous;
}

static void
committed(struct core *core, const int64_t *gone)
{
	struct settlement *settlement, *next;
	size_t i;

	if (core->settle.telling) {
		core->settle.told_ms = core_steady_ms(core);
		core->settle.told_changed = false;
	}
	for (i = 0; i < core->lane_count; i++)
		core->lanes[i]->changed = false;
	settlement = core->settle.head;
	core->settle.head = core->settle.tail = NULL;
	for (i = 0; settlement != NULL; settlement = next, i++) {
		next = settlement->next;
		remember(core, settlement);
		count_done(core, settlement, gone[i]);
		lane_settled(settlement->lane, gone[i]);
		settlement_free(settlement);
	}
	if (core->settle.blocked)
		log_event(LOG_WARN, "settle_works_again", "failures=%u",
		    core->settle.failures);
	core->settle.blocked = false;
	core->settle.failures = 0;
}

/* The rows are still pending and the answers in memory; see contract.md H7, H12. */
static void
not_committed(struct core *core)
{
	struct settle *settle = &core->settle;
	const struct fault *fault = db_fault(core->db);
	int64_t wait_ms = RETRY_BASE_MS, freed;
	unsigned i;
	char text[300];

	if (settle->failures == 0 || fault->kind == FAULT_OUTCOME_UNKNOWN)
		log_event(LOG_ERROR, "settle_failed", "error=%s",
		    log_text(text, sizeof(text), fault->message));
	for (i = 0; i < settle->failures && wait_ms < RETRY_MOST_MS; i++)
		wait_ms *= 2;
	settle->failures++;
	settle->blocked = true;
	settle->broken = fault->kind == FAULT_OUTCOME_UNKNOWN ||
	    fault->kind == FAULT_CORRUPT;
	if (fault->kind == FAULT_DISK_FULL &&
	    (freed = ballast_release(db_place(core->db)->ballast)) > 0) {
		log_event(LOG_WARN, "ballast_released", "bytes=%lld",
		    (long long)freed);
		wait_ms = 0;
	}
	settle->retry_ms = core_steady_ms(core) + wait_ms;
}

void
settle_commit(struct core *core)
{
	struct settlement *settlement;
	int64_t *gone;
	size_t count = 0;

	for (settlement = core->settle.head; settlement != NULL;
	     settlement = settlement->next)
		count++;
	if ((gone = calloc(count + 1, sizeof(*gone))) == NULL) {
		core->settle.blocked = true;
		core->settle.retry_ms = core_steady_ms(core) + RETRY_MOST_MS;
		return;
	}
	if (write_all(core, gone))
		not_committed(core);
	else
		committed(core, gone);
	free(gone);
}

void
settle_free(struct settle *settle)
{
	struct settlement *settlement, *next;

	for (settlement = settle->head; settlement != NULL; settlement = next) {
		next = settlement->next;
		settlement_free(settlement);
	}
	settle->head = settle->tail = NULL;
}
