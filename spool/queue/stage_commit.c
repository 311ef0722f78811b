#include "stageinside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "memo.h"
#include "writer.h"

/* What a staged row and a staged byte of series text take in the end: in the
 * WAL and, after the checkpoint, in the database. */
#define ROW_BYTES 100
#define TEXT_TIMES 4
/* Below this many bytes nobody asks the disk. */
#define LARGE (64 << 10)

/* The staged bytes in order, from the file or, if there is none, from the
 * stage's buffer. */
struct source {
	struct stage *stage;
	struct text window; /* what was read from the file */
	const char *bytes;
	size_t at, len;
	struct fault *fault;
	struct resolved {
		int64_t lane_id, series_id;
	} * resolved; /* of the slots */
};

/* Read on, keeping what is not used yet. */
static int
refill(struct source *source, size_t need)
{
	size_t kept = source->len - source->at;
	struct text *window = &source->window;
	ssize_t got;

	if (kept > 0)
		memmove(window->data, window->data + source->at, kept);
	window->len = kept;
	source->at = 0;
	if (text_reserve(window, need > STAGE_BUFFER ? need : STAGE_BUFFER))
		return fault_errno(source->fault, ENOMEM, "cannot queue");
	source->bytes = window->data;
	while (window->len < need) {
		got = read(source->stage->fd, window->data + window->len,
		    window->size - window->len - 1);
		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			return fault_errno(source->fault,
			    got == 0 ? EIO : errno,
			    "cannot read the staging file back");
		window->len += (size_t)got;
	}
	source->len = window->len;
	return 0;
}

/* Take ${len} bytes; they live until the next call. */
static const char *
take(struct source *source, size_t len)
{
	const char *taken;

	if (source->len - source->at < len) {
		if (source->stage->fd == -1) {
			fault_set(source->fault, FAULT_INTERNAL,
			    "the staged rows end too soon");
			return NULL;
		}
		if (refill(source, len))
			return NULL;
	}
	taken = source->bytes + source->at;
	source->at += len;
	return taken;
}

/* The string at ${at}, which moves behind it; ours is what ends it. */
static const char *
next_string(const char **at)
{
	const char *string = *at;

	*at += strlen(string) + 1;
	return string;
}

static int64_t
next_time(const char **at)
{
	int64_t time;

	memcpy(&time, *at, sizeof(time));
	*at += sizeof(time);
	return time;
}

/* Resolve the series that a record defines. */
static int
define(
    struct source *source, struct writer *writer, size_t slot, const char **at)
{
	struct resolved *resolved = &source->resolved[slot];
	struct writer_series series;

	series.ns = next_string(at);
	series.region = next_string(at);
	series.account = next_string(at);
	series.wire = next_string(at);
	series.wire_len = (size_t)(*at - series.wire) - 1;
	series.metric = next_string(at);
	series.dimensions = next_string(at);
	return writer_intern(writer, &series, &resolved->lane_id,
	    &resolved->series_id, source->fault);
}

static void
read_times(struct writer_row *row, const char **at)
{
	int64_t max_age_ms;

	row->observed_at = next_time(at);
	if ((max_age_ms = next_time(at)) >= 0)
		row->expires_at = row->accepted_at + max_age_ms;
}

static int
queue_record(struct source *source, struct writer *writer,
    const struct stage_record *record, int64_t now_ms)
{
	struct writer_row row = {
		.accepted_at = now_ms, .observed_at = -1, .expires_at = -1
	};
	const char *at;
	int64_t id;
	int taken;

	if ((at = take(source, record->len)) == NULL)
		return -1;
	row.value = at;
	row.value_len = record->value_len;
	at += record->value_len;
	if (record->flags & STAGE_TIMED)
		read_times(&row, &at);
	if ((record->flags & STAGE_DEFINES) &&
	    define(source, writer, record->slot, &at))
		return -1;
	if ((record->flags & STAGE_KEYED) &&
	    (taken = writer_take_key(writer, at, now_ms, &id, source->fault)) !=
		0)
		return taken == 1 ? 0 : -1;
	row.lane_id = source->resolved[record->slot].lane_id;
	row.series_id = source->resolved[record->slot].series_id;
	return writer_add_interned(writer, &row, &id, source->fault);
}

static int
queue_all(struct source *source, struct writer *writer, int64_t now_ms)
{
	struct stage_record record;
	const char *head;
	int64_t row;

	for (row = 0; row < source->stage->rows; row++) {
		if ((head = take(source, sizeof(record))) == NULL)
			return -1;
		memcpy(&record, head, sizeof(record));
		if (queue_record(source, writer, &record, now_ms))
			return -1;
	}
	return 0;
}

/* Stand before the first record. */
static int
rewind_source(struct source *source, struct stage *stage)
{
	source->stage = stage;
	source->bytes = stage->buffer.data;
	source->len = stage->buffer.len;
	if (stage->fd == -1)
		return 0;
	if (stage_spill(stage, source->fault))
		return -1;
	source->len = 0;
	if (lseek(stage->fd, 0, SEEK_SET) == -1)
		return fault_errno(
		    source->fault, errno, "cannot read the staging file back");
	return 0;
}

static int
reserve(struct stage *stage, struct writer *writer, struct fault *fault)
{
	int64_t bytes = stage->rows * ROW_BYTES +
	    stage->text_bytes * TEXT_TIMES;

	return bytes < LARGE ? 0 : writer_reserve(writer, bytes, fault);
}

/* Take the key of the whole: 1 if it is known, and so all rows are duplicates;
 * 0; -1. */
static int
take_key(struct source *source, struct writer *writer, int64_t now_ms)
{
	const struct stage *stage = source->stage;
	int64_t id;
	int taken;

	if (stage->key == NULL)
		return 0;
	taken = writer_take_key(writer, stage->key, now_ms, &id, source->fault);
	if (taken == 1)
		writer_count_duplicates(writer, stage->rows - 1);
	return taken;
}

/* Key and rows are stored in one bracket: after a crash both are there, or
 * neither. */
static int
fill(struct source *source, struct writer *writer, int64_t now_ms)
{
	int taken;

	if ((taken = take_key(source, writer, now_ms)) != 0)
		return taken == 1 ? 0 : -1;
	if (reserve(source->stage, writer, source->fault))
		return -1;
	return queue_all(source, writer, now_ms);
}

static int
commit(struct source *source, struct writer *writer, int64_t now_ms,
    struct writer_result *result)
{
	if (writer_begin(writer, source->fault))
		return -1;
	if (fill(source, writer, now_ms)) {
		writer_abandon(writer);
		return -1;
	}
	return writer_commit(writer, result, source->fault);
}

int
stage_commit(struct stage *stage, struct writer *writer, int64_t now_ms,
    struct writer_result *result, struct fault *fault)
{
	struct source source = { .fault = fault };
	int failed = -1;

	source.resolved = calloc(MEMO_SLOTS, sizeof(*source.resolved));
	if (source.resolved == NULL)
		fault_errno(fault, ENOMEM, "cannot queue");
	else if (rewind_source(&source, stage) == 0)
		failed = commit(&source, writer, now_ms, result);
	text_free(&source.window);
	free(source.resolved);
	return failed;
}
