#include "settle.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/log.h"
#include "protocol/batch.h"
#include "queue/account.h"
#include "queue/bound.h"
#include "queue/db.h"
#include "queue/purge.h"
#include "queue/suspect.h"

#include "core_state.h"
#include "doubt.h"
#include "lane.h"
#include "room.h"

#define TELL_EVERY_MS 1000
#define RETRY_BASE_MS 50
#define RETRY_MOST_MS 5000

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

static int
store_accounts(struct core *core)
{
	struct account_row row;
	size_t i;

	for (i = 0; i < core->account_count; i++) {
		if (!core->accounts[i].changed)
			continue;
		account_learned(&core->accounts[i], &row);
		if (account_store(core->db, &row))
			return -1;
	}
	return 0;
}

static bool
any_died(const struct core *core)
{
	const struct settlement *settlement = core->settle.head;

	while (settlement != NULL && settlement->fate != FATE_DIE &&
	    settlement->met_count == 0)
		settlement = settlement->next;
	return settlement != NULL;
}

/* Dead letters are larger than the rows that they were, and a queue that is
 * full of rows must be drained whatever becomes of them. */
static int
keep_dead_bounded(struct core *core)
{
	core->settle.purged = 0;
	if (!any_died(core))
		return 0;
	core->dead_full = !purge_may(core->config) &&
	    bound_overflows(core->db, core->config) == 1;
	core->settle.purged = purge_for_room(core->db, core->config);
	return core->settle.purged == -1 ? -1 : 0;
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
		if ((gone[i++] = settlement_write(core, settlement)) == -1)
			goto rollback;
	if (keep_dead_bounded(core) || store_lanes(core) ||
	    store_accounts(core))
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
	if (core->suspects.count > SUSPECT_MOST) /* the queue forgot some */
		(void)suspects_load(&core->suspects, core->db);
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
	for (i = 0; i < core->account_count; i++)
		core->accounts[i].changed = false;
	core->look |= core->wishes_left;
	settlement = core->settle.head;
	if (settlement != NULL)
		replay_news(core);
	core->settle.head = core->settle.tail = NULL;
	for (i = 0; settlement != NULL; settlement = next, i++) {
		next = settlement->next;
		remember(core, settlement);
		count_done(core, settlement, gone[i]);
		if (settlement->batch != NULL)
			core->spent += gone[i];
		lane_settled(settlement->lane,
		    settlement->batch != NULL
			? (int64_t)settlement->batch->count
			: 0,
		    gone[i]);
		if (settlement->deferred && !settlement->recorded)
			doubt_keep(settlement->lane, settlement);
		else
			settlement_free(settlement);
	}
	if (core->settle.purged > 0)
		log_event(LOG_WARN, "dead_purged",
		    "rows=%lld reason=queue.max_size",
		    (long long)core->settle.purged);
	if (core->settle.blocked)
		log_event(LOG_WARN, "settle_works_again", "failures=%u",
		    core->settle.failures);
	core->settle.blocked = false;
	core->settle.failures = 0;
}

/* The rows are still pending and the answers in memory; see contract.md H7, H12. */
static void
not_committed(struct core *core, const struct fault *fault)
{
	struct settle *settle = &core->settle;
	int64_t wait_ms = RETRY_BASE_MS;
	unsigned i;
	char text[300];

	if (settle->failures == 0)
		log_event(LOG_ERROR, "settle_failed", "error=%s",
		    log_reason(text, sizeof(text), fault));
	for (i = 0; i < settle->failures && wait_ms < RETRY_MOST_MS; i++)
		wait_ms *= 2;
	settle->failures++;
	settle->trouble = *fault;
	settle->blocked = true;
	settle->broken = fault->kind == FAULT_OUTCOME_UNKNOWN ||
	    fault->kind == FAULT_CORRUPT;
	settle->retry_ms = core_steady_ms(core) + wait_ms;
}

/* Where it fails for want of room, the next may find some. */
static int
commit(struct core *core, int64_t *gone, struct fault *fault)
{
	if (!room_make(core, ROOM_STEP)) {
		room_fault(core, fault);
		return -1;
	}
	if (write_all(core, gone) == 0)
		return 0;
	*fault = *db_fault(core->db);
	if (fault->kind == FAULT_DISK_FULL || fault->sys_errno == ENOSPC ||
	    fault->sys_errno == EDQUOT)
		room_find(core, core->settle.failures);
	return -1;
}

void
settle_commit(struct core *core)
{
	struct settlement *settlement;
	struct fault fault = { 0 };
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
	if (commit(core, gone, &fault))
		not_committed(core, &fault);
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
