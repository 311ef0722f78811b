#include "modelrun.h"

#include <stdarg.h>
#include <stdio.h>

#include "queue/db.h"
#include "queue/lane.h"

int
model_below(struct model_run *run, int bound)
{
	return bench_below(&run->chance, bound);
}

bool
model_odds(struct model_run *run, int percent)
{
	return model_below(run, 100) < percent;
}

void
model_complain(struct model_run *run, const char *format, ...)
{
	va_list args;

	if (run->why[0] != '\0')
		return;
	va_start(args, format);
	vsnprintf(run->why, sizeof(run->why), format, args);
	va_end(args);
}

void
model_expect(struct model_run *run, const char *what, int64_t is, int64_t must)
{
	if (is != must)
		model_complain(run, "%s: %lld, not %lld (%.120s)", what,
		    (long long)is, (long long)must,
		    is == -1 ? db_error(run->forwarder) : "");
}

struct model_series
model_some_series(struct model_run *run)
{
	return (struct model_series){ .ns = model_below(run, MODEL_NAMESPACES),
		.region = model_below(run, MODEL_REGIONS),
		.account = model_odds(run, 20),
		.metric = model_below(run, 3),
		.disk = model_below(run, 3) };
}

struct model_row
model_some_row(struct model_run *run)
{
	int64_t now_ms = run->model.now_ms;
	struct model_row row = { .origin_id = -1,
		.series = model_some_series(run),
		.value = ++run->value,
		.accepted_at = now_ms,
		.observed_at = -1,
		.expires_at = -1,
		.group = -1 };

	if (model_odds(run, 30))
		row.observed_at = now_ms - model_below(run, 100000);
	if (model_odds(run, 30))
		row.expires_at = now_ms + 1 + model_below(run, 100000);
	return row;
}

int
model_some_ids(struct model_run *run, bool dead, int most, int64_t *ids)
{
	const struct model *model = &run->model;
	int count = 0, i, start;

	if (model->count == 0)
		return 0;
	start = model_below(run, model->count);
	for (i = start; i < model->count && count < most; i++)
		if (model->rows[i].dead == dead || model_odds(run, 5))
			ids[count++] = model->rows[i].id;
	return count;
}

int64_t
model_lane_id(struct model_run *run, int lane)
{
	int account = lane % MODEL_ACCOUNTS;
	int region = lane / MODEL_ACCOUNTS % MODEL_REGIONS;
	int ns = lane / MODEL_ACCOUNTS / MODEL_REGIONS;
	int64_t id = -1;

	if (lane_intern(run->forwarder, model_namespace(ns),
		model_region(region), model_account(account), &id))
		model_complain(run, "%.200s", db_error(run->forwarder));
	return id;
}

int
model_busy_lane(struct model_run *run)
{
	int i, lane = model_below(run, MODEL_LANES);

	for (i = 0; i < MODEL_LANES; i++, lane = (lane + 1) % MODEL_LANES)
		if (model_pending(&run->model, lane) > 0)
			return lane;
	return -1;
}
