#include "forwarder_state.h"

#include <signal.h>
#include <stddef.h>

#include "queue/ledger.h"

static void
on_terminate(struct ev_loop *loop, ev_signal *signal, int events)
{
	struct forwarder *forwarder = signal->data;

	(void)events;
	log_event(LOG_INFO, forwarder->stopping ? "stop_now" : "stopping",
	    "signal=%d", signal->signum);
	if (forwarder->stopping)
		ev_break(loop, EVBREAK_ALL);
	else
		turn_stop(forwarder);
}

static void
on_reload(struct ev_loop *loop, ev_signal *signal, int events)
{
	(void)loop;
	(void)events;
	reload(signal->data);
}

static void
on_retry(struct ev_loop *loop, ev_signal *signal, int events)
{
	(void)loop;
	(void)events;
	reload_retry(signal->data);
}

void
signals_log_status(const struct forwarder *forwarder, const char *event)
{
	struct core_stats stats;
	struct ledger_row ledger = { 0 };

	core_stats(forwarder->core, &stats);
	if (forwarder->db != NULL)
		(void)ledger_read(forwarder->db, &ledger);
	log_event(LOG_INFO, event,
	    "requests=%lld delivered=%lld dead=%lld ambiguous=%lld"
	    " pending=%lld in_flight=%lld lanes=%lld held_lanes=%lld",
	    (long long)stats.requests, (long long)stats.delivered,
	    (long long)stats.dead, (long long)stats.ambiguous,
	    (long long)ledger.pending, (long long)stats.in_flight,
	    (long long)stats.lanes, (long long)stats.held_lanes);
}

static void
on_status(struct ev_loop *loop, ev_signal *signal, int events)
{
	(void)loop;
	(void)events;
	signals_log_status(signal->data, "status");
}

static const struct {
	int number;
	void (*heard)(struct ev_loop *, ev_signal *, int);
} SIGNALS[FORWARDER_SIGNALS] = {
	{ SIGTERM, on_terminate },
	{ SIGINT, on_terminate },
	{ SIGHUP, on_reload },
	{ SIGUSR1, on_status },
	{ SIGUSR2, on_retry },
};

void
signals_watch(struct forwarder *forwarder)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	size_t i;

	sigaction(SIGPIPE, &ignore, NULL);
	for (i = 0; i < FORWARDER_SIGNALS; i++) {
		ev_signal_init(&forwarder->signals[i], SIGNALS[i].heard,
		    SIGNALS[i].number);
		forwarder->signals[i].data = forwarder;
		ev_signal_start(forwarder->loop, &forwarder->signals[i]);
	}
}
