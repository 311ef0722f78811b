#include "model.h"

#include <string.h>

int
model_lane_of(const struct model_series *series)
{
	return (series->ns * MODEL_REGIONS + series->region) * MODEL_ACCOUNTS +
	    series->account;
}

int
model_pending(const struct model *model, int lane)
{
	int i, pending = 0;

	for (i = 0; i < model->count; i++)
		pending += !model->rows[i].dead &&
		    model_lane_of(&model->rows[i].series) == lane;
	return pending;
}

struct model_row *
model_find(struct model *model, int64_t id)
{
	int i;

	for (i = 0; i < model->count; i++)
		if (model->rows[i].id == id)
			return &model->rows[i];
	return NULL;
}

/* ---- rows come ---- */

void
model_look(struct model *model)
{
	struct ledger_row *ledger = &model->ledger;

	if (model->mark <= ledger->last_id)
		return;
	if (model->wrong != MODEL_IGNORES_GAPS)
		ledger->missing += model->mark - ledger->last_id;
	ledger->last_id = model->mark;
}

static struct model_row *
append(struct model *model, const struct model_row *row)
{
	struct model_row *last;

	if (model->count == MODEL_ROWS)
		bench_die("more rows than the model holds");
	last = &model->rows[model->count++];
	*last = *row;
	last->id = model->mark = ++model->ledger.last_id;
	model->lanes[model_lane_of(&row->series)].exists = true;
	return last;
}

static bool
key_is_known(const struct model *model, int key)
{
	return model->wrong != MODEL_FORGETS_KEYS &&
	    model->keys[key].expires_at > model->now_ms;
}

static void
count_duplicates(struct model *model, int rows)
{
	if (model->wrong == MODEL_COUNTS_DUPLICATES)
		model->ledger.accepted += rows;
	else
		model->ledger.duplicates += rows;
}

int64_t
model_put(
    struct model *model, const struct model_row *row, int key, bool *known)
{
	struct model_row *put;

	*known = key >= 0 && key_is_known(model, key);
	if (*known) {
		count_duplicates(model, 1);
		return model->keys[key].id;
	}
	put = append(model, row);
	model->ledger.accepted++;
	model->ledger.pending++;
	if (key >= 0)
		model->keys[key] = (struct model_key){ put->id,
			model->now_ms + model->key_memory_ms };
	return put->id;
}

bool
model_put_known(struct model *model, int key, int rows)
{
	if (!key_is_known(model, key)) {
		model->keys[key] = (struct model_key){ model->ledger.last_id +
			    1,
			model->now_ms + model->key_memory_ms };
		return false;
	}
	count_duplicates(model, rows);
	return true;
}

void
model_put_done(struct model *model, int rows)
{
	struct model_row *last = &model->rows[model->count - 1];
	int64_t value;

	if (model->wrong != MODEL_SWAPS_ROWS || rows < 2)
		return;
	value = last->value;
	last->value = last[-1].value;
	last[-1].value = value;
}

/* ---- rows go ---- */

static void
take_out(struct model *model, int at)
{
	model->count--;
	memmove(&model->rows[at], &model->rows[at + 1],
	    (size_t)(model->count - at) * sizeof(model->rows[0]));
}

static bool
pends_in(const struct model_row *row, int lane, int64_t first, int64_t last)
{
	return !row->dead && model_lane_of(&row->series) == lane &&
	    row->id >= first && row->id <= last;
}

void
model_attempted(struct model *model, int lane, int64_t first, int64_t last)
{
	int i;

	for (i = 0; i < model->count; i++)
		if (pends_in(&model->rows[i], lane, first, last) &&
		    model->wrong != MODEL_SKIPS_ATTEMPTS)
			model->rows[i].attempts++;
}

static bool
is_of_replay(const struct model *model, const struct model_row *row)
{
	return row->group != -1 && row->group == model->replay.number;
}

void
model_delivered(struct model *model, int lane, int64_t first, int64_t last)
{
	struct ledger_row *ledger = &model->ledger;
	int64_t *end = model->wrong == MODEL_BURIES_DELIVERED
	    ? &ledger->dead
	    : &ledger->delivered;
	int i;

	if (model->wrong == MODEL_DELIVERS_ONE_LESS && last > first)
		last--;
	for (i = model->count - 1; i >= 0; i--) {
		if (!pends_in(&model->rows[i], lane, first, last))
			continue;
		model->replay.delivered += is_of_replay(model, &model->rows[i]);
		take_out(model, i);
		ledger->pending--;
		(*end)++;
	}
}

void
model_expired(struct model *model, int64_t id)
{
	struct model_row *row = model_find(model, id);

	take_out(model, (int)(row - model->rows));
	model->ledger.pending--;
	model->ledger.expired++;
}

void
model_died(struct model *model, int64_t id, int64_t code)
{
	struct model_row *row = model_find(model, id);

	row->dead = true;
	row->died_at = model->now_ms;
	row->code = code;
	row->imported = false;
	if (model->wrong != MODEL_SKIPS_REFUSALS)
		model->replay.refused_again += is_of_replay(model, row);
	model->ledger.pending--;
	model->ledger.dead++;
}

/* The first row that pends below ${below}, or the last; -1: none. */
static int
outermost(const struct model *model, int64_t below, bool newest)
{
	int i, found = -1;

	for (i = 0; i < model->count; i++) {
		if (model->rows[i].dead || model->rows[i].id >= below)
			continue;
		found = i;
		if (!newest)
			break;
	}
	return found;
}

int
model_dropped(struct model *model, int64_t below, int count)
{
	bool newest = model->wrong == MODEL_DROPS_NEWEST;
	int dropped, at;

	for (dropped = 0; dropped < count; dropped++) {
		if ((at = outermost(model, below, newest)) == -1)
			break;
		take_out(model, at);
		model->ledger.pending--;
		model->ledger.dropped++;
	}
	return dropped;
}

/* ---- dead rows ---- */

static bool
set_part(int *part, int to)
{
	bool changes = to != -1 && *part != to;

	if (changes)
		*part = to;
	return changes;
}

static bool
edit(struct model_series *series, const struct model_series *parts)
{
	bool changed = set_part(&series->ns, parts->ns);

	changed |= set_part(&series->region, parts->region);
	changed |= set_part(&series->metric, parts->metric);
	changed |= set_part(&series->disk, parts->disk);
	return changed;
}

int
model_edited(struct model *model, const int64_t *ids, int count,
    const struct model_series *parts)
{
	struct model_row *row;
	int i, edited = 0;

	for (i = 0; i < count; i++) {
		row = model_find(model, ids[i]);
		if (row == NULL || !row->dead ||
		    model->wrong == MODEL_EDITS_NOTHING)
			continue;
		if (!edit(&row->series, parts))
			continue;
		row->edits++;
		edited++;
		model->lanes[model_lane_of(&row->series)].exists = true;
	}
	return edited;
}

static void
replay(struct model *model, struct model_row row, int group, bool alone)
{
	struct model_row *pending;

	if (row.origin_id == -1)
		row.origin_id = row.id;
	if (model->wrong == MODEL_FORGETS_ORIGINS)
		row.origin_id = row.id;
	row.replays++;
	row.dead = false;
	row.group = group;
	row.alone = alone;
	pending = append(model, &row);
	if (model->wrong == MODEL_REPLAYS_IN_PLACE)
		pending->id = row.id;
	model->ledger.dead--;
	model->ledger.pending++;
	model->ledger.replayed++;
}

int
model_replayed(
    struct model *model, const int64_t *ids, int count, int group, bool alone)
{
	struct model_row *row, copy;
	int i, replayed = 0;

	model_look(model);
	for (i = 0; i < count; i++) {
		row = model_find(model, ids[i]);
		if (row == NULL || !row->dead)
			continue;
		copy = *row;
		take_out(model, (int)(row - model->rows));
		replay(model, copy, group, alone);
		replayed++;
	}
	return replayed;
}

static enum operation_group_state
state_after(const struct model_replay *step, int moved)
{
	if (step->state == GROUP_WAITING && moved > 0)
		return GROUP_CANARY;
	return step->looked_at < step->count ? step->state : GROUP_MOVED;
}

int
model_replay_step(struct model *model, int most)
{
	struct model_replay *step = &model->replay;
	int count = step->count - step->looked_at, moved;

	if (count > most)
		count = most;
	moved = model_replayed(model, step->ids + step->looked_at, count,
	    step->number, step->state == GROUP_WAITING);
	step->looked_at += count;
	step->replayed += moved;
	step->skipped += count - moved;
	step->state = state_after(step, moved);
	return moved;
}

void
model_replay_judged(struct model *model, bool accepted)
{
	struct model_replay *step = &model->replay;

	if (!accepted) {
		step->state = GROUP_REFUSED;
		step->looked_at = step->count;
		return;
	}
	step->state = step->looked_at < step->count ? GROUP_MOVING
						    : GROUP_MOVED;
}

bool
model_replay_left(const struct model *model)
{
	const struct model_replay *step = &model->replay;
	int i;

	if (step->state != GROUP_MOVED && step->state != GROUP_REFUSED)
		return true;
	for (i = 0; i < model->count; i++)
		if (!model->rows[i].dead &&
		    is_of_replay(model, &model->rows[i]))
			return true;
	return false;
}

static void
purge(struct model *model, int at)
{
	take_out(model, at);
	model->ledger.dead--;
	model->ledger.purged++;
}

int
model_purged(struct model *model, const int64_t *ids, int count)
{
	struct model_row *row;
	int i, purged = 0;

	for (i = 0; i < count; i++) {
		row = model_find(model, ids[i]);
		if (row == NULL || !row->dead)
			continue;
		purge(model, (int)(row - model->rows));
		purged++;
	}
	return purged;
}

/* The row that has been dead the longest, before ${before} if that is not
 * -1; -1: none. */
static int
longest_dead(const struct model *model, int64_t before)
{
	const struct model_row *row = model->rows;
	int i, found = -1;

	for (i = 0; i < model->count; i++, row++) {
		if (!row->dead || (before >= 0 && row->died_at >= before))
			continue;
		if (found == -1 ||
		    (model->wrong == MODEL_PURGES_NEWEST
			    ? row->died_at > model->rows[found].died_at
			    : row->died_at < model->rows[found].died_at))
			found = i;
	}
	return found;
}

int
model_purged_bounds(
    struct model *model, int max_rows, int64_t died_before, int most)
{
	int64_t excess = max_rows > 0 ? model->ledger.dead - max_rows : 0;
	int purged, at;

	if (excess <= 0 && died_before < 0)
		return 0;
	if (excess > 0 && excess < most)
		most = (int)excess;
	for (purged = 0; purged < most; purged++) {
		at = longest_dead(model, excess > 0 ? -1 : died_before);
		if (at == -1)
			break;
		purge(model, at);
	}
	return purged;
}

int64_t
model_imported(struct model *model, const struct model_row *row)
{
	int64_t id;

	model_look(model);
	id = append(model, row)->id;
	model->ledger.accepted++;
	model->ledger.dead++;
	return id;
}
