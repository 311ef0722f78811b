#ifndef SIM_H
#define SIM_H

/*
 * The core of the forwarder on a real queue, in a world of its own: a clock
 * that stands still until it is turned, and a receiver that reads a script.
 * Include after cmocka.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "base/fault.h"
#include "base/log.h"
#include "forward/core.h"
#include "forward/key.h"
#include "forward/world.h"
#include "protocol/request.h"
#include "queue/audit.h"
#include "queue/db.h"
#include "queue/deadletter.h"
#include "queue/entry.h"
#include "queue/lane.h"
#include "queue/ledger.h"
#include "queue/queue.h"
#include "queue/status.h"
#include "queue/wish.h"
#include "queue/writer.h"

#define START_MS 1700000000000
#define KEY_TEXT "tsPHxrAB8fhffaGNmHZDjNSsBm3Ewdm"

/* ---- the world ---- */

struct flight {
	struct sim *sim;
	const struct request *request;
	reply_fn *done;
	void *owner;
	struct flight *next;
};

/* What the receiver makes of a request. */
struct said {
	int transfer;
	int http;
	int code; /* -1: body says it */
	const char *body;
	int64_t date_ms;
	int64_t retry_after_ms;
	bool nothing_left; /* no byte of the request left */
};
typedef struct said receiver_fn(struct sim *sim, const struct request *request);

struct sim {
	char dir[64], path[96];
	struct world world;
	struct config config;
	struct credentials *credentials;
	struct db *db;
	struct core *core;
	int64_t wall_ms, steady_ms;
	uint64_t seed;
	struct flight *flights;
	receiver_fn *receiver;
	int requests, accepted_rows;
	const char *bad[8]; /* texts whose rows the receiver refuses */
	int bad_code;
	int variant, accepted_requests;
	const struct said *lie;
	int digits; /* of a disk's number, at least */
	double tokens;
	int64_t filled_ms;
	int64_t sent_rows, most_at_risk; /* of post_watched() */
};

static inline int64_t
sim_wall(void *cookie)
{
	return ((struct sim *)cookie)->wall_ms;
}

static inline int64_t
sim_steady(void *cookie)
{
	return ((struct sim *)cookie)->steady_ms;
}

static inline uint64_t
sim_random(void *cookie)
{
	struct sim *sim = cookie;

	sim->seed = sim->seed * 6364136223846793005U + 1442695040888963407U;
	return sim->seed ^ (sim->seed >> 29);
}

static inline struct flight *
sim_post(
    void *cookie, const struct request *request, reply_fn *done, void *owner)
{
	struct sim *sim = cookie;
	struct flight *flight = calloc(1, sizeof(*flight)), **end;

	*flight = (struct flight){ sim, request, done, owner, NULL };
	for (end = &sim->flights; *end != NULL; end = &(*end)->next)
		;
	*end = flight;
	sim->requests++;
	return flight;
}

static inline void
sim_cancel(void *cookie, struct flight *flight)
{
	struct sim *sim = cookie;
	struct flight **link;

	for (link = &sim->flights; *link != flight; link = &(*link)->next)
		;
	*link = flight->next;
	free(flight);
}

static inline void
answer_first(struct sim *sim)
{
	struct flight *flight = sim->flights;
	struct said said = sim->receiver(sim, flight->request);
	struct reply reply = { .error = "", .location = "", .took_ms = 3 };
	char body[128];

	sim->flights = flight->next;
	snprintf(body, sizeof(body), "{\"code\":%d,\"message\":\"said %d\"}",
	    said.code, said.code);
	reply.transfer = said.transfer;
	reply.error = said.transfer != 0 ? "it broke" : "";
	reply.http_status = said.transfer == 0 ? said.http : 0;
	reply.request_size = said.nothing_left
	    ? 0
	    : (int64_t)flight->request->bytes + 100;
	reply.body = said.body != NULL ? said.body
	    : said.transfer != 0       ? ""
				       : body;
	reply.len = strlen(reply.body);
	reply.date_ms = said.date_ms;
	reply.retry_after_ms = said.retry_after_ms;
	if (said.transfer == 0 && said.http == 200 && said.code == 0 &&
	    said.body == NULL)
		sim->accepted_rows += (int)flight->request->rows;
	flight->done(flight->owner, &reply);
	free(flight);
}

/* Let everything happen until ${until_ms}, steady, or until nothing does. */
static inline void
run_until(struct sim *sim, int64_t until_ms)
{
	int64_t next_ms;
	int turns;

	for (turns = 0; turns < 100000; turns++) {
		core_turn(sim->core);
		if (sim->flights != NULL) {
			answer_first(sim);
			continue;
		}
		next_ms = core_next_ms(sim->core);
		if (next_ms < 0 || next_ms > until_ms)
			break;
		if (next_ms > sim->steady_ms) {
			sim->wall_ms += next_ms - sim->steady_ms;
			sim->steady_ms = next_ms;
		}
	}
	assert_true(turns < 100000);
	if (until_ms > sim->steady_ms) {
		sim->wall_ms += until_ms - sim->steady_ms;
		sim->steady_ms = until_ms;
	}
}

static inline void
run_for(struct sim *sim, int64_t ms)
{
	run_until(sim, sim->steady_ms + ms);
}

/* ---- receivers ---- */

static inline struct said
takes_all(struct sim *sim, const struct request *request)
{
	(void)sim;
	(void)request;
	return (struct said){ .http = 200 };
}

/* Refuses a request that holds any of the bad texts. */
static inline struct said
refuses_bad(struct sim *sim, const struct request *request)
{
	size_t i;

	for (i = 0; i < 8 && sim->bad[i] != NULL; i++)
		if (strstr(request->body.data, sim->bad[i]) != NULL)
			return (
			    struct said){ .http = 200, .code = sim->bad_code };
	return (struct said){ .http = 200 };
}

static inline struct said
says_code(struct sim *sim, const struct request *request)
{
	(void)request;
	return (struct said){ .http = 200, .code = sim->bad_code };
}

static inline struct said
lies(struct sim *sim, const struct request *request)
{
	(void)request;
	return *sim->lie;
}

/* Its clock is an hour ahead; variant 1 refuses even the right time. */
static inline struct said
wants_time(struct sim *sim, const struct request *request)
{
	int64_t date_ms = sim->wall_ms + 3600 * 1000;
	char right[40];

	snprintf(right, sizeof(right), "\"Timestamp\":%lld",
	    (long long)(date_ms / 1000));
	if (sim->variant == 0 && strstr(request->body.data, right) != NULL)
		return (struct said){ .http = 200 };
	return (struct said){ .http = 200, .code = 1021, .date_ms = date_ms };
}

static inline struct said
takes_2000_bytes(struct sim *sim, const struct request *request)
{
	if (request->bytes > 2000)
		return (struct said){ .http = 200, .code = 1015 };
	sim->accepted_requests++;
	return (struct said){ .http = 200 };
}

/* Ten requests a second, at most ten saved up. */
static inline struct said
takes_ten_a_second(struct sim *sim, const struct request *request)
{
	(void)request;
	sim->tokens += (double)(sim->steady_ms - sim->filled_ms) / 100;
	sim->filled_ms = sim->steady_ms;
	if (sim->tokens > 10)
		sim->tokens = 10;
	if (sim->tokens < 1)
		return (struct said){ .http = 200, .code = 1006 };
	sim->tokens -= 1;
	sim->accepted_requests++;
	return (struct said){ .http = 200 };
}

static inline struct said
is_away(struct sim *sim, const struct request *request)
{
	(void)sim;
	(void)request;
	return (struct said){ .transfer = 7, .nothing_left = true };
}

/* ---- the queue ---- */

static inline int
setup(void **state)
{
	struct sim *sim = calloc(1, sizeof(*sim));
	struct queue_init init = { 0 };
	struct fault fault = { 0 };
	char key_file[96];
	bool created;
	FILE *key;

	log_to(-1, LOG_PLAIN, LOG_ERROR);
	strcpy(sim->dir, "/tmp/monspool-core-XXXXXX");
	assert_non_null(mkdtemp(sim->dir));
	snprintf(sim->path, sizeof(sim->path), "%s/q/queue.db", sim->dir);
	snprintf(key_file, sizeof(key_file), "%s/key", sim->dir);
	config_defaults(&sim->config);
	snprintf(sim->config.accounts[0].secret_id, CONFIG_NAME, "AKID");
	snprintf(sim->config.accounts[0].region, CONFIG_NAME, "gz");
	snprintf(sim->config.accounts[0].secret_key_file, CONFIG_PATH, "%s",
	    key_file);
	sim->config.rate.requests_per_second = 0;
	sim->config.queue.reserve = 0;
	sim->config.batch.linger_ms = 0;
	key = fopen(key_file, "w");
	fputs(KEY_TEXT "\n", key);
	fclose(key);
	chmod(key_file, 0600);
	init.path = sim->path;
	init.config = &sim->config;
	init.any_filesystem = true;
	if (queue_init(&init, &created, &fault) != 0)
		fail_msg("%s", fault.message);
	sim->credentials = credentials_load(&sim->config, &fault);
	if (sim->credentials == NULL)
		fail_msg("%s", fault.message);
	sim->wall_ms = START_MS;
	sim->steady_ms = 5000;
	sim->seed = 42;
	sim->receiver = takes_all;
	sim->world = (struct world){ sim, sim_wall, sim_steady, sim_random,
		sim_post, sim_cancel };
	*state = sim;
	return 0;
}

static inline void
start(struct sim *sim, enum core_mode mode)
{
	struct config copy;
	struct fault fault = { 0 };

	sim->db = queue_open(sim->path, DB_WRITER, 1000, &copy, &fault);
	if (sim->db == NULL)
		fail_msg("%s", fault.message);
	sim->core = core_new(
	    &sim->world, sim->db, &sim->config, sim->credentials, mode, &fault);
	if (sim->core == NULL)
		fail_msg("%s", fault.message);
}

static inline void
stop(struct sim *sim)
{
	core_free(sim->core);
	db_close(sim->db);
	sim->core = NULL;
	sim->db = NULL;
}

static inline int
teardown(void **state)
{
	struct sim *sim = *state;
	char command[128];

	stop(sim);
	credentials_free(sim->credentials);
	snprintf(command, sizeof(command), "rm -rf %s", sim->dir);
	assert_int_equal(system(command), 0);
	free(sim);
	return 0;
}

struct put {
	const char *ns;
	int rows, series;
	int64_t max_age_ms; /* 0: none */
};

/* Queue rows: row i is of series i % series, named "disk<n>x". */
static inline void
put(struct sim *sim, struct put what)
{
	struct config config;
	struct fault fault = { 0 };
	struct entry_wire wire = { 0 };
	struct writer_result result;
	struct writer *writer;
	struct db *db;
	int64_t id;
	char disk[256];
	int i;

	db = queue_open(sim->path, DB_WRITER, 1000, &config, &fault);
	assert_non_null(db);
	writer = writer_new(db, &config, &fault);
	assert_int_equal(writer_begin(writer, &fault), 0);
	for (i = 0; i < what.rows; i++) {
		struct entry_dimension dimension = { "diskname", disk };
		struct entry entry = { .ns = what.ns,
			.metric = "diskusage",
			.dimensions = &dimension,
			.dimension_count = 1,
			.value = i,
			.observed_at = -1,
			.max_age_ms = what.max_age_ms > 0 ? what.max_age_ms
							  : -1 };

		snprintf(disk, sizeof(disk), "disk%0*dx", sim->digits,
		    i % what.series);
		assert_int_equal(
		    entry_check(&entry, &config.checks, true, &fault), 0);
		assert_int_equal(
		    entry_render(&entry, &config.checks, &wire, &fault), 0);
		assert_int_equal(writer_add(writer, &entry, &wire, sim->wall_ms,
				     &id, &fault),
		    0);
	}
	assert_int_equal(writer_commit(writer, &result, &fault), 0);
	assert_int_equal(result.queued, what.rows);
	entry_wire_free(&wire);
	writer_free(writer);
	db_close(db);
	if (sim->core != NULL)
		core_wake(sim->core);
}

static inline struct ledger_row
ledger(struct sim *sim)
{
	struct ledger_row row;
	struct audit audit = { 0 };

	assert_int_equal(audit_run(sim->db, false, &audit), 0);
	if (audit.problem_count != 0)
		fail_msg("%s", audit.problems[0]);
	assert_int_equal(ledger_read(sim->db, &row), 0);
	return row;
}

static inline struct lane_row
lane(struct sim *sim, int number)
{
	struct lane_row rows[8];

	assert_true(lane_list(sim->db, 0, rows, 8) > number);
	return rows[number];
}

struct tally {
	int rows;
	int64_t codes[8];
	char last[64];
};

static inline int
count_dead(void *cookie, const struct deadletter_row *row)
{
	struct tally *tally = cookie;

	tally->rows++;
	tally->codes[0] = row->code;
	snprintf(tally->last, sizeof(tally->last), "%.63s", row->dimensions);
	return 0;
}

static inline int
read_attempts(void *cookie, const struct pending_row *row)
{
	*(int64_t *)cookie = row->attempts;
	return 0;
}

static inline int64_t
attempts_of(struct sim *sim, int64_t id)
{
	int64_t attempts = -1;

	assert_int_equal(status_show(sim->db, id, read_attempts, &attempts), 1);
	return attempts;
}

#endif
