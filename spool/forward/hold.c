#include "hold.h"

#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "protocol/backoff.h"

#include "core_state.h"
#include "lane.h"
#include "roster.h"

/* Whether a hold of ${holder} with ${scope} concerns ${lane} as well. */
static bool
covers(const struct lane *holder, const char *scope, const struct lane *lane)
{
	if (lane == holder)
		return true;
	if (strcmp(scope, scope_name(SCOPE_ACCOUNT)) == 0)
		return strcmp(lane->row.account, holder->row.account) == 0;
	return strcmp(scope, scope_name(SCOPE_ENDPOINT)) == 0 ||
	    strcmp(scope, scope_name(SCOPE_CLOCK)) == 0;
}

bool
hold_is_ours(const struct lane *lane)
{
	return lane->row.state == LANE_HELD && !lane_is_operators(&lane->row);
}

/* Whether ${lane} is held, and by the same hold as ${holder}. */
static bool
shares(const struct lane *holder, const struct lane *lane)
{
	return hold_is_ours(lane) &&
	    strcmp(lane->row.scope, holder->row.scope) == 0 &&
	    covers(holder, holder->row.scope, lane);
}

static int64_t
probe_wait_ms(const struct core *core, bool slow, int64_t probes)
{
	const struct config_retry *retry = &core->config->retry;

	return backoff_probe_ms(
	    slow ? retry->blocked_probe_least_ms : retry->hold_probe_least_ms,
	    slow ? retry->blocked_probe_most_ms : retry->hold_probe_most_ms,
	    (unsigned)probes + 1, core_random(core));
}

/* The scope of a hold that an answer to ${lane} asks for.  Where another lane's
 * probe ended the last one, and this lane is refused again, it is not of the
 * account or the endpoint.  That goes for one lane: when a second one is
 * refused, it may be. */
static const char *
scope_of(struct lane *lane, enum scope scope)
{
	struct core *core = lane->core;
	const char *name = scope_name(scope);
	size_t i;

	if (!lane->on_trust ||
	    (scope != SCOPE_ACCOUNT && scope != SCOPE_ENDPOINT))
		return name;
	if (scope == SCOPE_ACCOUNT &&
	    !account_has_contrast(lane->account, core_steady_ms(core)))
		return name;
	for (i = 0; i < core->lane_count; i++)
		if (covers(lane, name, core->lanes[i]))
			core->lanes[i]->on_trust = false;
	return scope_name(SCOPE_NAMESPACE);
}

void
hold_set(struct lane *lane, const struct disposition *disposition, int code,
    const char *reason)
{
	struct core *core = lane->core;
	const char *scope = scope_of(lane, disposition->scope);
	int64_t wait_ms = probe_wait_ms(core, disposition->slow_probe, 0);
	struct lane *other;
	size_t i;

	for (i = 0; i < core->lane_count; i++) {
		other = core->lanes[i];
		if (!covers(lane, scope, other) ||
		    other->row.state == LANE_HELD)
			continue;
		lane_drop_parts(other);
		lane_set_held(other, scope, code, reason, wait_ms);
	}
}

void
hold_join(struct lane *lane)
{
	struct core *core = lane->core;
	struct lane *holder;
	size_t i;

	if (lane->row.state == LANE_HELD)
		return;
	for (i = 0; i < core->lane_count; i++) {
		holder = core->lanes[i];
		if (holder == lane || !hold_is_ours(holder) ||
		    !covers(holder, holder->row.scope, lane))
			continue;
		lane_set_held(lane, holder->row.scope, (int)holder->row.code,
		    holder->row.reason, 0);
		lane->row.failures = holder->row.failures;
		lane->wake_ms = holder->wake_ms;
		lane->row.wake_at = holder->row.wake_at;
		return;
	}
}

/* Its key may have vanished while it was held for something else. */
static void
make_ready(struct lane *lane)
{
	lane_set_ready(lane);
	roster_find_signer(lane);
}

void
hold_release(struct lane *lane)
{
	struct core *core = lane->core;
	struct lane *other;
	size_t i;

	if (!hold_is_ours(lane))
		return;
	for (i = 0; i < core->lane_count; i++) {
		other = core->lanes[i];
		if (other == lane || !shares(lane, other))
			continue;
		make_ready(other);
		other->on_trust = true;
	}
	make_ready(lane);
}

void
hold_postpone(struct lane *lane, bool slow, int64_t least_ms)
{
	struct core *core = lane->core;
	int64_t wait_ms = probe_wait_ms(core, slow, ++lane->row.failures);
	struct lane *other;
	size_t i;

	if (wait_ms < least_ms)
		wait_ms = least_ms;
	for (i = 0; i < core->lane_count; i++) {
		other = core->lanes[i];
		if (!shares(lane, other))
			continue;
		other->row.failures = lane->row.failures;
		other->wake_ms = core_steady_ms(core) + wait_ms;
		other->row.wake_at = core_wall_ms(core) + wait_ms;
		other->changed = true;
	}
}

/* The first lane of the hold that has rows to probe with; ${spent}: though it
 * was probed in vain. */
static const struct lane *
first_with_rows(const struct lane *lane, bool spent)
{
	const struct core *core = lane->core;
	const struct lane *other;
	size_t i;

	for (i = 0; i < core->lane_count; i++) {
		other = core->lanes[(core->prober + i) % core->lane_count];
		if (shares(lane, other) && other->row.pending > 0 &&
		    lane_has_signer(other) && !other->skipped &&
		    (spent || !other->probe_spent))
			return other;
	}
	return NULL;
}

void
hold_take_turns(struct lane *lane)
{
	struct core *core = lane->core;
	size_t i;

	lane->probe_spent = true;
	if (first_with_rows(lane, false) != NULL)
		return;
	for (i = 0; i < core->lane_count; i++)
		if (shares(lane, core->lanes[i]))
			core->lanes[i]->probe_spent = false;
}

void
hold_pass_on(struct lane *lane)
{
	lane->probe_after = 0;
	lane->row.failures++;
	hold_take_turns(lane);
}

void
hold_skip_probe(struct lane *lane, const char *why)
{
	char name[800], text[300];

	log_event(LOG_WARN, "probe_not_sent", "lane=%s reason=%s",
	    lane_name(lane, name, sizeof(name)),
	    log_text(text, sizeof(text), why));
	lane->probe_asked = false;
	if (!hold_is_ours(lane))
		return;
	hold_pass_on(lane);
	lane->row.failures--; /* it was one probe */
	hold_postpone(lane, false, 0);
}

bool
hold_is_prober(const struct lane *lane)
{
	const struct lane *prober;

	if (!hold_is_ours(lane))
		return false;
	prober = first_with_rows(lane, false);
	if (prober == NULL) /* the rows of those that were left have gone */
		prober = first_with_rows(lane, true);
	return prober == lane;
}

bool
hold_may_probe(const struct lane *lane, int64_t steady_ms)
{
	if (lane->probe_asked)
		return lane->row.pending > 0;
	return hold_is_prober(lane) && lane->wake_ms >= 0 &&
	    lane->wake_ms <= steady_ms;
}
