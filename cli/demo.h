#ifndef CLI_DEMO_H
#define CLI_DEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/config.h"
#include "queue/ledger.h"

struct cli;
struct db;
struct fault;

#define DEMO_PATH 256
#define DEMO_PROGRAM 4096

/**
 * The world of the demo: a fresh directory with a queue, a key and a
 * configuration, and the two other programs as children, ended by their
 * pids.  Waiting is always for a condition, within a deadline.
 */
struct demo {
	struct cli *cli;
	bool keep;
	char dir[DEMO_PATH], queue[DEMO_PATH + 32];
	char receiver_program[DEMO_PROGRAM], forwarder_program[DEMO_PROGRAM];
	pid_t receiver, forwarder; /* 0: not running */
	int64_t port;
	struct db *db;
	struct config config; /* the queue's copy */
	int64_t put; /* rows the receiver must get once, numbered from 0 */
};

/** Make directory, key and queue; find the programs.  0 or -1. */
int demo_open(struct demo *demo, struct fault *fault);
/** End the children; remove the directory unless it is to be kept.  After SIGINT or
 * SIGTERM, which demo_wait() notices, end the process by it. */
void demo_close(struct demo *demo);

/** "DIR/name" into ${path}. */
void demo_path(
    const struct demo *demo, const char *name, char path[DEMO_PATH + 32]);

/** Start the receiver, on the port it had before if it had one; ${trouble} is a
 * --fault for it, or NULL.  0 or -1. */
int demo_start_receiver(
    struct demo *demo, const char *trouble, struct fault *fault);
int demo_start_forwarder(struct demo *demo, struct fault *fault);
/** Start ${argv}[0], its words appended to the file ${log}.  0 or -1. */
int demo_spawn(struct demo *demo, const char *log, const char *const argv[],
    pid_t *child, struct fault *fault);
/** End a child by ${signal} and forget it. */
void demo_end(pid_t *child, int signal);

/** Rows of one put: namespace, dimension name, how many. */
struct demo_rows {
	const char *ns, *dimension;
	int64_t count;
	int64_t first_value; /* the value of the first; each next is one more */
};
/** Queue them in one transaction.  0 or -1. */
int demo_put(
    struct demo *demo, const struct demo_rows *rows, struct fault *fault);

/** Wait until ${condition} holds: 0, or -1 with ${fault} saying that ${what} did not
 * come true, or that a child ended. */
typedef bool demo_condition(struct demo *demo, int64_t number);
int demo_wait(struct demo *demo, demo_condition *condition, int64_t number,
    const char *what, struct fault *fault);

/** Conditions: rows pending are none; rows recorded by the receiver are over
 * ${number}. */
bool demo_nothing_pends(struct demo *demo, int64_t number);
bool demo_recorded_over(struct demo *demo, int64_t number);

/** Lines of the receiver's file ${name} ("record", "requests"). */
int64_t demo_lines(const struct demo *demo, const char *name);

/** Correct what was refused, by monspool's own commands, and replay it; the
 * forwarder runs.  0 or -1. */
int demo_repair(struct demo *demo, struct fault *fault);

/** How often each of the numbered rows arrived. */
struct demo_tally {
	int64_t received; /* rows that arrived at all */
	int64_t lost, twice;
};
int demo_count(
    const struct demo *demo, struct demo_tally *tally, struct fault *fault);
int demo_ledger(
    struct demo *demo, struct ledger_row *ledger, struct fault *fault);

#endif
