#include "chunks.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "queue/db.h"
#include "queue/stage.h"
#include "import.h"
#include "input.h"
#include "progress.h"
#include "put.h"
#include "rejects.h"
#include "stop.h"

/* No good line waits longer for its commit. */
#define CHUNK_MS 1000

static void
add_result(struct put *put, const struct writer_result *result)
{
	put->result.queued += result->queued;
	put->result.duplicates += result->duplicates;
	if (put->result.first_id == -1)
		put->result.first_id = result->first_id;
	if (result->last_id != -1)
		put->result.last_id = result->last_id;
}

/* All records up to here are queued, or in the rejects file. */
static void
settle(struct chunks *chunks)
{
	const struct input *input = chunks->import->input;
	struct put *put = chunks->put;

	chunks->since_ms = -1;
	chunks->records = 0;
	if (input == NULL || chunks->line == 0)
		return;
	put->through_file = input->name;
	put->through_line = chunks->line;
}

static int
commit(struct chunks *chunks, struct fault *fault)
{
	struct put *put = chunks->put;
	struct stage *stage = chunks->import->stage;
	struct writer_result result;

	/* Each chunk of a long stream is accepted when it is committed. */
	if (put->options->per_line)
		put->now_ms = clock_wall_ms();
	if (stage_commit(stage, chunks->writer, put->now_ms, &result, fault))
		return -1;
	add_result(put, &result);
	return stage_clear(stage, fault);
}

int
chunks_commit(struct chunks *chunks, struct fault *fault)
{
	struct import *import = chunks->import;

	if (chunks->failed)
		return -1;
	/* The rejects first: a line that is passed over is on disk somewhere at
	 * any moment. */
	if ((import->rejects != NULL && rejects_sync(import->rejects, fault)) ||
	    (import->stage != NULL && stage_rows(import->stage) > 0 &&
		commit(chunks, fault))) {
		chunks->failed = true;
		return -1;
	}
	settle(chunks);
	return 0;
}

/* A record may be many rows, and those bound the transaction. */
static bool
is_due(const struct chunks *chunks, int64_t now_ms)
{
	const struct stage *stage = chunks->import->stage;
	int64_t most = chunks->put->options->chunk;

	return chunks->records >= most ||
	    (stage != NULL && stage_rows(stage) >= most) ||
	    now_ms - chunks->since_ms >= CHUNK_MS;
}

/* After each record of --per-line. */
static int
on_record(void *cookie, bool taken, struct fault *fault)
{
	struct chunks *chunks = cookie;
	int64_t now_ms = clock_steady_ms();

	(void)taken;
	chunks->line = chunks->import->input->line;
	if (chunks->since_ms == -1)
		chunks->since_ms = now_ms;
	chunks->records++;
	return is_due(chunks, now_ms) ? chunks_commit(chunks, fault) : 0;
}

/* Until the oldest line has to be committed; -1: there is none. */
static int
left_ms(const struct chunks *chunks)
{
	int64_t left;

	if (chunks->since_ms == -1)
		return -1;
	left = chunks->since_ms + CHUNK_MS - clock_steady_ms();
	return left > 0 ? (int)left : 0;
}

int
chunks_wait(void *cookie, int fd, struct fault *fault)
{
	struct chunks *chunks = cookie;

	for (;;) {
		switch (stop_poll(fd, left_ms(chunks))) {
		case 0:
			if (chunks_commit(chunks, fault))
				return -1;
			break;
		case -1:
			if (errno != EINTR)
				return fault_errno(
				    fault, errno, "cannot wait for the input");
			if (stop_check(fault))
				return -1;
			progress_poll();
			break;
		default:
			return 0;
		}
	}
}

int
chunks_open(struct chunks *chunks, struct put *put, struct import *import,
    struct fault *fault)
{
	*chunks = (struct chunks){
		.put = put, .import = import, .since_ms = -1
	};
	if (put->options->per_line) {
		import->done = on_record;
		import->cookie = chunks;
	}
	if (put->options->check)
		return 0;
	if ((chunks->writer = writer_new(put->db, put->config, fault)) ==
		NULL ||
	    (import->stage = stage_new(db_place(put->db)->dir, fault)) == NULL)
		return -1;
	if (put->options->key == NULL)
		return 0;
	return stage_set_key(import->stage, put->options->key, fault);
}

void
chunks_close(struct chunks *chunks)
{
	stage_free(chunks->import->stage);
	chunks->import->stage = NULL;
	writer_free(chunks->writer);
}
