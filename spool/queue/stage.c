#define _GNU_SOURCE /* O_TMPFILE */
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/number.h"
#include "base/text.h"
#include "entry.h"
#include "memo.h"
#include "writer.h"

/* Bytes kept in memory, and read back at a time. */
#define BUFFER (256u << 10)
/* What a staged row and a staged byte of series text take in the end: in the
 * WAL and, after the checkpoint, in the database. */
#define ROW_BYTES 100
#define TEXT_TIMES 4
/* Below this many bytes nobody asks the disk. */
#define LARGE (1 << 20)

/*
 * A record: this head, the value, then as the flags say the two times, the
 * texts of the series, each with its NUL, and the key with its NUL.
 */
struct record {
	uint32_t len; /* of all that follows the head */
	uint16_t slot;
	uint8_t flags, value_len;
};
#define DEFINES 1 /* the slot's series, from here on */
#define TIMED 2   /* observed_at and max_age_ms follow */
#define KEYED 4

struct stage {
	char *dir;
	int fd;             /* -1 while all fits the buffer */
	struct text buffer; /* not yet in the file */
	int64_t rows, bytes, spilled, text_bytes;
	struct memo *memo;
	struct text name; /* of the series looked for */
};

struct stage *
stage_new(const char *dir, struct fault *fault)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	if (stage == NULL || (stage->memo = memo_new()) == NULL ||
	    (stage->dir = strdup(dir)) == NULL) {
		fault_errno(fault, ENOMEM, "cannot queue");
		if (stage != NULL)
			memo_free(stage->memo);
		free(stage);
		return NULL;
	}
	stage->fd = -1;
	return stage;
}

void
stage_free(struct stage *stage)
{
	if (stage == NULL)
		return;
	if (stage->fd != -1)
		close(stage->fd);
	memo_free(stage->memo);
	text_free(&stage->buffer);
	text_free(&stage->name);
	free(stage->dir);
	free(stage);
}

/* For file systems without O_TMPFILE. */
static int
open_unlinked(const char *dir)
{
	struct text path = { 0 };
	int fd = -1, error = ENOMEM;

	text_addf(&path, "%s/.stage.XXXXXX", dir);
	if (!path.failed) {
		fd = mkostemp(path.data, O_CLOEXEC); /* 0600 */
		error = errno;
		if (fd != -1)
			unlink(path.data);
	}
	text_free(&path);
	errno = error;
	return fd;
}

static int
open_file(struct stage *stage, struct fault *fault)
{
	stage->fd = open(
	    stage->dir, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
	if (stage->fd == -1)
		stage->fd = open_unlinked(stage->dir);
	if (stage->fd != -1)
		return 0;
	return fault_errno(
	    fault, errno, "cannot make a staging file in %s", stage->dir);
}

/* Move the buffer to the file. */
static int
spill(struct stage *stage, struct fault *fault)
{
	size_t done = 0;
	ssize_t wrote;

	if (stage->fd == -1 && open_file(stage, fault))
		return -1;
	while (done < stage->buffer.len) {
		wrote = write(stage->fd, stage->buffer.data + done,
		    stage->buffer.len - done);
		if (wrote == -1 && errno == EINTR)
			continue;
		if (wrote == -1)
			return fault_errno(fault, errno,
			    "cannot write the staging file in %s", stage->dir);
		done += (size_t)wrote;
	}
	stage->spilled += (int64_t)done;
	text_clear(&stage->buffer);
	return 0;
}

static const char *
region_of(const struct entry *entry)
{
	return entry->region == NULL ? "" : entry->region;
}

static const char *
account_of(const struct entry *entry)
{
	return entry->account == NULL ? "default" : entry->account;
}

static void
add_string(struct text *text, const char *string)
{
	text_add(text, string, strlen(string) + 1);
}

/* The slot of the entry's series, and whether it is defined already. */
static int
find_slot(struct stage *stage, const struct entry *entry,
    const struct entry_wire *wire, bool *known)
{
	struct text *name = &stage->name;

	text_clear(name);
	add_string(name, entry->ns);
	add_string(name, region_of(entry));
	add_string(name, account_of(entry));
	text_add(name, wire->wire.data, wire->wire.len + 1);
	if (name->failed)
		return -1;
	return memo_slot(stage->memo, name->data, name->len, known);
}

/* Texts of the series: those of its name, then what is not in it. */
static void
add_texts(struct stage *stage, const struct entry *entry,
    const struct entry_wire *wire)
{
	text_add(&stage->buffer, stage->name.data, stage->name.len);
	add_string(&stage->buffer, entry->metric);
	add_string(&stage->buffer, wire->dimensions.data);
}

static void
add_body(struct stage *stage, const struct entry *entry,
    const struct entry_wire *wire, unsigned flags)
{
	text_add(&stage->buffer, wire->value, wire->value_len);
	if (flags & TIMED) {
		text_add(&stage->buffer, &entry->observed_at,
		    sizeof(entry->observed_at));
		text_add(&stage->buffer, &entry->max_age_ms,
		    sizeof(entry->max_age_ms));
	}
	if (flags & DEFINES)
		add_texts(stage, entry, wire);
	if (flags & KEYED)
		add_string(&stage->buffer, entry->key);
}

static unsigned
flags_of(const struct entry *entry, bool defines)
{
	unsigned flags = defines ? DEFINES : 0;

	if (entry->observed_at != -1 || entry->max_age_ms != -1)
		flags |= TIMED;
	return entry->key == NULL ? flags : flags | KEYED;
}

static int
append(struct stage *stage, const struct entry *entry,
    const struct entry_wire *wire)
{
	struct record record = { 0 };
	size_t start = stage->buffer.len, len;
	unsigned flags;
	bool known;
	int slot;

	if ((slot = find_slot(stage, entry, wire, &known)) == -1)
		return -1;
	flags = flags_of(entry, !known);
	text_add(&stage->buffer, &record, sizeof(record));
	add_body(stage, entry, wire, flags);
	if (stage->buffer.failed)
		return -1;
	len = stage->buffer.len - start - sizeof(record);
	record.len = (uint32_t)len;
	record.slot = (uint16_t)slot;
	record.flags = (uint8_t)flags;
	record.value_len = (uint8_t)wire->value_len;
	memcpy(stage->buffer.data + start, &record, sizeof(record));
	if (!known)
		stage->text_bytes += record.len;
	return 0;
}

int
stage_add(struct stage *stage, const struct entry *entry,
    const struct entry_wire *wire, struct fault *fault)
{
	if (append(stage, entry, wire))
		return fault_errno(fault, ENOMEM, "cannot queue");
	stage->rows++;
	return stage->buffer.len < BUFFER ? 0 : spill(stage, fault);
}

int64_t
stage_rows(const struct stage *stage)
{
	return stage->rows;
}

int64_t
stage_bytes(const struct stage *stage)
{
	return stage->spilled + (int64_t)stage->buffer.len;
}

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
	if (text_reserve(window, need > BUFFER ? need : BUFFER))
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
    const struct record *record, int64_t now_ms)
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
	if (record->flags & TIMED)
		read_times(&row, &at);
	if ((record->flags & DEFINES) &&
	    define(source, writer, record->slot, &at))
		return -1;
	if ((record->flags & KEYED) &&
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
	struct record record;
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
	if (spill(stage, source->fault))
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

static int
commit(struct source *source, struct writer *writer, int64_t now_ms,
    struct writer_result *result)
{
	if (writer_begin(writer, source->fault))
		return -1;
	if (reserve(source->stage, writer, source->fault) ||
	    queue_all(source, writer, now_ms)) {
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
