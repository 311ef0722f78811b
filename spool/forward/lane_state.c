#include "lane.h"

#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "base/span.h"
#include "base/text.h"

#include "core_state.h"

const char *
lane_name(const struct lane *lane, char *buf, size_t size)
{
	snprintf(buf, size, "%s/%s/%s", lane->row.ns,
	    lane->row.region[0] != '\0' ? lane->row.region : "-",
	    lane->row.account);
	return buf;
}

/* ---- states ---- */

static void
enter(struct lane *lane, enum lane_state state)
{
	if (lane->row.state != state)
		lane->row.since_at = core_wall_ms(lane->core);
	lane->row.state = state;
	lane->changed = true;
}

static void
set_reason(struct lane *lane, const char *scope, int code, const char *reason)
{
	snprintf(lane->row.scope, sizeof(lane->row.scope), "%s", scope);
	snprintf(lane->row.reason, sizeof(lane->row.reason), "%s", reason);
	lane->row.code = code;
}

static void
set_wake(struct lane *lane, int64_t wait_ms)
{
	lane->wake_ms = core_steady_ms(lane->core) + wait_ms;
	lane->row.wake_at = core_wall_ms(lane->core) + wait_ms;
}

void
lane_set_ready(struct lane *lane)
{
	char name[800];

	if (lane->row.state == LANE_READY && lane->row.failures == 0 &&
	    lane->row.reason[0] == '\0')
		return;
	if (lane->row.state == LANE_HELD || lane->row.failures > 0)
		log_event(LOG_INFO, "lane_ready", "lane=%s",
		    lane_name(lane, name, sizeof(name)));
	enter(lane, LANE_READY);
	set_reason(lane, "", -1, "");
	lane->row.held_by[0] = '\0';
	lane->row.held_until = -1;
	lane->row.failures = lane->strange = 0;
	lane->row.wake_at = lane->wake_ms = -1;
	lane->probe_after = 0;
	lane->probe_asked = false; /* there is nothing to find out */
}

void
lane_set_waiting(struct lane *lane, int64_t wait_ms, const char *scope,
    int code, const char *reason)
{
	char name[800], text[300];

	if (lane->row.state == LANE_HELD)
		return;
	if (lane->row.code != code || strcmp(lane->row.reason, reason) != 0)
		log_event(LOG_WARN, "lane_waiting",
		    "lane=%s scope=%s code=%d reason=%s",
		    lane_name(lane, name, sizeof(name)), scope, code,
		    log_text(text, sizeof(text), reason));
	enter(lane, LANE_WAITING);
	set_reason(lane, scope, code, reason);
	set_wake(lane, wait_ms);
}

void
lane_set_held(struct lane *lane, const char *scope, int code,
    const char *reason, int64_t probe_in_ms)
{
	char name[800], text[300];

	log_event(LOG_ERROR, "lane_held", "lane=%s scope=%s code=%d reason=%s",
	    lane_name(lane, name, sizeof(name)), scope, code,
	    log_text(text, sizeof(text), reason));
	enter(lane, LANE_HELD);
	set_reason(lane, scope, code, reason);
	snprintf(lane->row.held_by, sizeof(lane->row.held_by), "forwarder");
	lane->row.held_until = -1;
	lane->row.failures = lane->strange = 0;
	lane->probe_after = 0;
	lane->probe_spent = false;
	set_wake(lane, probe_in_ms);
}

void
lane_brake(struct lane *lane, int code)
{
	const struct config_dead *dead = &lane->core->config->dead;
	char span[SPAN_TEXT_SIZE], reason[LANE_TEXT];

	if (lane_is_operators(&lane->row)) {
		snprintf(lane->row.scope, sizeof(lane->row.scope), LANE_BRAKE);
		lane->changed = true;
		return; /* the operator's own reason stays */
	}
	if (dead->soft)
		snprintf(reason, sizeof(reason),
		    "rows would have died, and [dead] soft keeps them");
	else if (lane->core->dead_full)
		snprintf(reason, sizeof(reason),
		    "no room for more dead letters under queue.max_size:"
		    " monspool dead export, dead purge, then hold release");
	else
		snprintf(reason, sizeof(reason),
		    "more than %lld rows would have died in %s",
		    (long long)dead->brake_rows,
		    span_print_ms(span, dead->brake_ms));
	lane_set_held(lane, LANE_BRAKE, code, reason, 0);
	lane->row.wake_at = lane->wake_ms = -1;
}

int64_t
lane_deaths_left(const struct lane *lane)
{
	const struct config_dead *dead = &lane->core->config->dead;

	if (dead->soft || lane->core->dead_full)
		return 0;
	return brake_left(&lane->brake, dead->brake_rows, dead->brake_ms,
	    core_steady_ms(lane->core));
}

void
lane_count_deaths(struct lane *lane, int64_t deaths)
{
	const struct config_dead *dead = &lane->core->config->dead;

	if (deaths > 0 && dead->brake_rows > 0)
		brake_count(&lane->brake, dead->brake_ms,
		    core_steady_ms(lane->core), deaths);
}

/* ---- settings of the namespace ---- */

void
lane_configure(struct lane *lane)
{
	const struct config *config = lane->core->config;
	const struct config_namespace *namespace;

	lane->max_age_ms = config->queue.max_age_ms;
	lane->late_after_ms = config->late.after_ms;
	lane->late_policy = (int)config->late.policy;
	lane->fresh.share = config->late.fresh_share;
	pace_start(&lane->late_pace, config->late.rate, config->late.rate, 1000,
	    core_steady_ms(lane->core));
	if ((namespace = config_namespace(config, lane->row.ns)) == NULL)
		return;
	if (namespace->max_age_ms >= 0)
		lane->max_age_ms = namespace->max_age_ms;
	if (namespace->late_after_ms >= 0)
		lane->late_after_ms = namespace->late_after_ms;
	if (namespace->late_policy >= 0)
		lane->late_policy = namespace->late_policy;
	if (namespace->late_fresh_share >= 0)
		lane->fresh.share = namespace->late_fresh_share;
}

bool
lane_row_is_late(const struct lane *lane, int64_t accepted_at, int64_t wall_ms)
{
	return lane->late_after_ms > 0 &&
	    wall_ms - accepted_at > lane->late_after_ms;
}
