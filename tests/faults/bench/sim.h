#ifndef BENCH_SIM_H
#define BENCH_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "forward/core.h"
#include "forward/world.h"

#include "bench.h"
#include "spool.h"

struct credentials;
struct sqlite3;
struct sqlite3_stmt;
struct trip;
struct sim_flight;

/*
 * A simulation of the forwarder's core, all of it drawn from one seed: the
 * settings, the rows, a receiver with its moods, and what befalls both.  The
 * queue is a real one, time is not.
 *   simplan.c      what a seed draws
 *   simair.c       clocks and requests under way
 *   simreceiver.c  the receiver, and what goes wrong on the way to it
 *   simasks.c      what operators ask for
 *   simbounds.c    what the settings bound
 *   simcases.c     what isolation costs
 *   simtrips.c     what must be true of every request,
 *   simlanes.c     of every lane,
 *   simbooks.c     and of every row
 *   simqueue.c     the queue, and who else uses it
 * ../simulate.c lets things happen.
 */

#define SIM_ROWS 400
#define SIM_SERIES 24
#define SIM_LANES 6
#define SIM_ACCOUNTS 3
#define SIM_START_MS 1700000000000
#define SIM_MINUTE_MS ((int64_t)60 * 1000)
#define SIM_HOUR_MS ((int64_t)60 * SIM_MINUTE_MS)

enum sim_end {
	SIM_PENDING,
	SIM_GONE,
	SIM_DEAD
};

/* A row's value is its index, so that a request tells which it carries. */
struct sim_row {
	int64_t id; /* its first one */
	int series;
	int code;                /* it is refused with this; 0: it is good */
	int64_t put_at, high_at; /* wall: when, and the latest since */
	int64_t max_age_ms;      /* of its own; 0: none */
	int out;                 /* requests under way that carry it */
	int taken;               /* how often the receiver took it */
	int aloft;               /* of those: the core is not told yet */
	int lost;                /* of those: so that the core could not know */
	int64_t tries;           /* requests that left with it, as told */
	bool clean;              /* taken and told so: to be gone next */
	bool doubted;            /* an outcome was unknown */
	bool convicted;          /* refused alone, so that it may die */
	bool replayed;           /* dead, it may be pending again */
	bool alone;              /* was refused without others */
	bool by_contrast;        /* convicted if another request is taken */
	int64_t refused_ms;      /* steady: then, alone */
	enum sim_end end;        /* as the queue has it */
};

struct sim_series {
	int lane;
	int code;         /* its shape is refused with this; 0: it is good */
	bool big;         /* longer than the receiver takes */
	bool convicted;   /* refused alone, not yet written down */
	int doomed_below; /* rows below this index may die; 0: none */
	int newest_taken; /* row; -1: none */
};

struct sim_lane {
	const char *ns, *account;
	int code;         /* its namespace is refused; 0: it is good */
	int doomed_below; /* as of a series */
	int state;        /* when last looked at */
	bool convicted;
};

/* The receiver's mood, or that of the way to it. */
/* As struct sim_receiver has what each needs. */
enum sim_mood {
	SIM_WELL,
	SIM_FLAKY,     /* any kind of fault, now and then */
	SIM_OUT,       /* one kind of fault, always */
	SIM_SLANDER,   /* blames good rows */
	SIM_BUSY,      /* takes so many requests a second */
	SIM_CROWDED,   /* takes so many rows a minute */
	SIM_NARROW,    /* takes no long requests */
	SIM_ROTATED,   /* the key is not the one it knows */
	SIM_ASKEW,     /* its clock is off */
	SIM_FORGETFUL, /* one namespace is unknown for a while */
	SIM_MOODS
};

struct sim_receiver {
	enum sim_mood mood;
	int fault;   /* SIM_OUT: which */
	int odds;    /* SIM_FLAKY: faults in a hundred */
	int slander; /* code */
	double rate, tokens;
	int64_t filled_ms;
	int pace_code;
	int64_t limit; /* bytes of a request; 0: none */
	int limit_code;
	int lane;        /* SIM_FORGETFUL: which */
	int64_t skew_ms; /* its clock, to true time */
	bool strict_clock, says_date;
	bool
	    any_guilt; /* refuses with the code of any guilty row, not the first */
};

/* What became of a request: the reply, and whether the rows were taken. */
struct sim_heard {
	int transfer, http, code;
	const char *body; /* NULL: {"code":code} */
	bool unsent;      /* no byte of it left */
	bool taken;
	bool doubtful; /* the core cannot know whether they were */
	int64_t retry_after_ms, date_ms;
};

/* What an account may send. */
struct sim_bucket {
	double rate, tokens, most; /* rate 0: any number */
	int64_t at_ms;             /* steady: when tokens was right */
};

/* The cost of the isolation that one refused batch leads to. */
struct sim_case {
	bool open; /* it counts */
	bool busy; /* an isolation was begun, and others wait for it */
	int units, guilty, requests;
	bool by_series;
};

struct sim {
	uint64_t seed, chance;
	bool trace, failed;
	char complaint[512];
	/* for all seeds */
	struct spool spool;
	struct sqlite3 *foreign; /* another program with the queue open */
	struct sqlite3_stmt *pending, *dead, *replayable, *deaths;
	struct credentials *right, *wrong;
	struct world world;
	struct config base;
	/* for one */
	struct config config; /* a copy of the one in force */
	struct config in_force[2];
	struct core *core;
	enum core_mode mode;
	int64_t wall_ms, steady_ms, began_ms, end_ms;
	int delay_ms; /* the longest answer */
	struct sim_flight *flights;
	struct sim_receiver receiver;
	bool key_is_wrong;
	bool honest; /* no good row was ever blamed */
	bool quiet;  /* nothing went wrong but guilt */
	bool healed;
	bool ordered; /* one request of a lane at a time, from its head */
	int most_rows, most_flights; /* by any settings in force */
	int64_t most_bytes;
	bool ages;                /* some rows have an age limit of their own */
	int bad_rows;             /* in a hundred */
	int64_t standing_limit;   /* of a request, in bytes; 0: none */
	int64_t foreign_until_ms; /* the other program holds the lock; -1 */
	int io_call, io_code, io_left; /* a call that fails, and how often */
	bool io_failed;                /* some call did, in this seed */
	int in_use;                    /* of in_force */
	bool wished;                   /* an operator had wishes for lanes */
	int64_t taken_ms[SIM_LANES];   /* steady: a lane's latest, as told */
	struct sim_bucket requests_of[SIM_ACCOUNTS], rows_of[SIM_ACCOUNTS];
	int64_t paused_until_ms[SIM_ACCOUNTS]; /* steady */
	bool began_anew;                       /* the core, or the clock */
	int64_t held_id;     /* of a lane that may be held by one; 0 */
	bool commit_unknown; /* one failed so, in this seed */
	bool released;       /* what may end a hold has happened */
	int64_t base_id;     /* the ledger's last id before the first row */
	struct sim_row rows[SIM_ROWS];
	struct sim_series series[SIM_SERIES];
	struct sim_lane lanes[SIM_LANES];
	int row_count, series_count, lane_count, account_count;
	struct sim_case cases[SIM_LANES];
	int64_t requests, turns;
	int turns_here; /* since anything happened */
	/* over all seeds, for the last line */
	int64_t all_rows, all_requests, all_turns, all_dead, all_faults;
};

/** The first reason why this seed failed. */
void sim_complain(struct sim *sim, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** With a trace: one line. */
void sim_say(const struct sim *sim, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int sim_below(struct sim *sim, int bound);
/** ${percent} times in a hundred. */
bool sim_odds(struct sim *sim, int percent);
/** The lane of that namespace; -1: none. */
int sim_find_lane(const struct sim *sim, const char *ns);
/** Whether a row is over its age limit then. */
bool sim_is_too_old(
    const struct sim *sim, const struct sim_row *row, int64_t wall_ms);
/** Whether all that the core was told is written down. */
bool sim_is_settled(const struct sim *sim);

/* ---- simplan.c ---- */

/** Draw settings, lanes, series and the receiver's rules of ${sim->seed}. */
void simplan_draw(struct sim *sim);
/** Draw the settings of a reload into ${config}. */
void simplan_draw_reload(struct sim *sim, struct config *config);
/** The next ${count} rows, good and bad; the first one's index. */
int simplan_rows(struct sim *sim, int count);
/** The receiver's next mood. */
void simplan_mood(struct sim *sim);
/** Whether a row is one that an honest receiver refuses. */
bool sim_is_guilty(const struct sim *sim, const struct sim_row *row);
/** The dimensions' one value, its metric's name. */
void simplan_name(
    const struct sim *sim, int series, char metric[32], char value[1400]);

/* ---- simair.c ---- */

struct sim_flight {
	struct sim_flight *next;
	const struct request *request;
	reply_fn *done;
	struct trip *trip;
	struct sim_heard heard;
	int64_t due_ms;
	int lane, count;
	int rows[SIM_ROWS];
};

void simair_set_up(struct sim *sim);
/** When the next answer comes, steady; -1: none is awaited. */
int64_t simair_next_ms(const struct sim *sim);
/** Give the core the next answer. */
void simair_answer(struct sim *sim);
/** Time passes, both clocks alike. */
void simair_pass(struct sim *sim, int64_t to_ms);
/** The wall clock is set. */
void simair_set_wall(struct sim *sim, int64_t wall_ms);
int simair_count(const struct sim *sim, int lane);

/* ---- simreceiver.c ---- */

/** What the receiver makes of a request now. */
void simreceiver_hear(struct sim *sim, struct sim_flight *flight);
/** Take back to perfect health. */
void simreceiver_heal(struct sim *sim);
int simreceiver_faults(void);
/** One member of a request's envelope. */
void simreceiver_member(
    const struct request *request, const char *name, char *buf, size_t size);

/* ---- simasks.c ---- */

/** Somebody holds, releases or probes a lane. */
void simasks_wish(struct sim *sim);
/** All that operators hold is released. */
void simasks_release(struct sim *sim);
/** Some dead letters shall be sent again. */
void simasks_replay(struct sim *sim);

/* ---- simbounds.c ---- */

/** The settings are those in force from now on, and nothing was spent. */
void simbounds_start(struct sim *sim);
/** An operator asked for a probe: that may end a pause. */
void simbounds_hurry(struct sim *sim);
void simbounds_sent(struct sim *sim, const struct sim_flight *flight);
void simbounds_told(struct sim *sim, const struct sim_flight *flight);
void simbounds_end(struct sim *sim);

/* ---- simcases.c ---- */

void simcases_sent(struct sim *sim, const struct sim_flight *flight);
void simcases_told(struct sim *sim, const struct sim_flight *flight);

/* ---- simtrips.c ---- */

/** A request was sent. */
void simtrips_sent(struct sim *sim, struct sim_flight *flight);
/** The receiver took its rows. */
void simtrips_taken(struct sim *sim, const struct sim_flight *flight);
/** Its answer is about to be told to the core. */
void simtrips_told(struct sim *sim, const struct sim_flight *flight);
/** It was cancelled: the core will never know. */
void simtrips_lost(struct sim *sim, const struct sim_flight *flight);

/* ---- simlanes.c ---- */

/** The lanes, after each thing that happens. */
void simlanes_see(struct sim *sim);
/** After a turn. */
void simlanes_turned(struct sim *sim);
/** The state of a lane when last looked at. */
const char *simlanes_state(const struct sim_lane *lane);

/* ---- simbooks.c ---- */

/** The core is gone, and what it was told but had not written down. */
void simbooks_crashed(struct sim *sim);
/** A replay of the row whose first id is ${id} was asked for. */
void simbooks_replayed(struct sim *sim, int64_t id);
/** Compare the queue with the books. */
void simbooks_check(struct sim *sim);
/** Whether nothing pends. */
bool simbooks_is_empty(struct sim *sim);
/** Whether nothing pends and no replay is open. */
bool simbooks_is_over(struct sim *sim);
/** Whether all that pends may do so for ever. */
bool simbooks_is_stuck(struct sim *sim);
/** All is well for long: what may be left? */
void simbooks_end(struct sim *sim);

/* ---- simqueue.c ---- */

/** The queue, its keys, and another program that has it open. */
void simqueue_set_up(struct sim *sim);
void simqueue_tear_down(struct sim *sim);
/** Open the connection that the core works with. */
void simqueue_open(struct sim *sim);
/** A seed begins with an empty queue; ids go on. */
void simqueue_empty(struct sim *sim);
/** The other program asks ${sql}. */
void simqueue_ask(struct sim *sim, const char *sql);
/** It gives its lock back, if it has it. */
void simqueue_let_go(struct sim *sim);
/** Put ${count} rows, or as many as there is room for. */
void simqueue_put(struct sim *sim, int count);

#endif
