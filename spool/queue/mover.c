#include "mover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/text.h"
#include "db.h"
#include "enqueue_key.h"
#include "entry.h"
#include "outbox_file.h"
#include "queue.h"
#include "writer.h"

/* Tokens are forgotten when their rows are gone, not by the clock. */
#define FOR_EVER INT64_MAX
/* "outbox:" uuid ":" id ":" token */
#define TOKEN_KEY_SIZE 512
#define DIMENSIONS 64

struct mover {
	char *queue;
	struct outbox_file file;
	struct db *db; /* NULL: to be opened */
	struct config config;
	struct writer *writer;
	bool swept; /* tokens of an earlier process are looked through */
	struct entry_wire wire;
	struct text gone; /* token keys, each with its NUL, to be forgotten */
};

struct mover *
mover_new(const char *queue, const char *outbox)
{
	struct mover *mover = calloc(1, sizeof(*mover));

	if (mover == NULL)
		return NULL;
	mover->queue = strdup(queue);
	if (outbox_file_init(&mover->file, outbox) == 0 && mover->queue != NULL)
		return mover;
	mover_free(mover);
	return NULL;
}

static void
disconnect(struct mover *mover)
{
	writer_free(mover->writer);
	db_close(mover->db);
	mover->writer = NULL;
	mover->db = NULL;
}

void
mover_free(struct mover *mover)
{
	if (mover == NULL)
		return;
	disconnect(mover);
	outbox_file_end(&mover->file);
	entry_wire_free(&mover->wire);
	text_free(&mover->gone);
	free(mover->queue);
	free(mover);
}

static int
fail_memory(struct fault *fault)
{
	return fault_errno(fault, ENOMEM, "cannot move rows of an outbox");
}

static int
connect_queue(struct mover *mover, struct fault *fault)
{
	if (mover->db != NULL && !db_broken(mover->db))
		return 0;
	disconnect(mover);
	mover->db = queue_open(
	    mover->queue, DB_WRITER, -1, &mover->config, fault);
	if (mover->db == NULL)
		return -1;
	mover->writer = writer_new(mover->db, &mover->config, fault);
	if (mover->writer != NULL)
		return 0;
	disconnect(mover);
	return -1;
}

static void
name_token(const struct mover *mover, int64_t id, const char *token,
    char key[TOKEN_KEY_SIZE])
{
	snprintf(key, TOKEN_KEY_SIZE, "outbox:%s:%lld:%.400s", mover->file.uuid,
	    (long long)id, token);
}

/* Leave the row where it is, with what is wrong with it.  0, or -1 where it
 * is not the row's fault. */
static int
refuse(struct mover *mover, struct outbox_row *row, const struct fault *unfit,
    struct fault *fault)
{
	struct text *bytes = &mover->file.bytes;

	if (unfit->kind == FAULT_INTERNAL || unfit->sys_errno == ENOMEM)
		return fail_memory(fault);
	row->error = bytes->len;
	if (unfit->field[0] != '\0')
		text_addf(bytes, "%s: ", unfit->field);
	text_add(bytes, unfit->message, strlen(unfit->message) + 1);
	return 0;
}

/* The tree's texts become the entry's.  0, or -1 with ${fault}. */
static int
read_dimensions(const struct cJSON *tree,
    struct entry_dimension dimensions[DIMENSIONS], struct entry *entry,
    struct fault *fault)
{
	const struct cJSON *member;
	size_t count = 0;

	if (!cJSON_IsObject(tree))
		return fault_set(
		    fault, FAULT_BAD_JSON, "dimensions are not a JSON object");
	cJSON_ArrayForEach(member, tree)
	{
		if (count == DIMENSIONS)
			return fault_set(fault, FAULT_TOO_MANY_DIMENSIONS,
			    "too many dimensions");
		if (!cJSON_IsString(member))
			return fault_set(fault, FAULT_BAD_VALUE,
			    "a dimension value is not a string");
		dimensions[count].key = member->string;
		dimensions[count].value = member->valuestring;
		count++;
	}
	entry->dimensions = dimensions;
	entry->dimension_count = count;
	return 0;
}

static struct entry
entry_of(const struct mover *mover, const struct outbox_row *row)
{
	return (struct entry){ .ns = outbox_file_text(
				   &mover->file, row, OUTBOX_NAMESPACE),
		.metric = outbox_file_text(&mover->file, row, OUTBOX_METRIC),
		.region = outbox_file_text(&mover->file, row, OUTBOX_REGION),
		.account = outbox_file_text(&mover->file, row, OUTBOX_ACCOUNT),
		.key = outbox_file_text(&mover->file, row, OUTBOX_KEY),
		.value = row->value,
		.observed_at = row->observed_at,
		.max_age_ms = row->max_age_ms };
}

static int
check(struct mover *mover, const struct entry *entry,
    const struct outbox_row *row, struct fault *fault)
{
	const struct config_checks *checks = &mover->config.checks;

	if (row->cut)
		return fault_set(
		    fault, FAULT_BAD_VALUE, "a text has a NUL character");
	return entry_check(entry, checks, checks->strict, fault) ||
		entry_render(entry, checks, &mover->wire, fault)
	    ? -1
	    : 0;
}

/* Queue one, whose token is not known.  0, or -1 when the round is lost. */
static int
add_entry(struct mover *mover, struct outbox_row *row, const struct cJSON *tree,
    int64_t *id, struct mover_result *result, struct fault *fault)
{
	struct entry_dimension dimensions[DIMENSIONS];
	struct entry entry = entry_of(mover, row);
	struct fault unfit = { 0 };
	int added;

	if ((tree != NULL &&
		read_dimensions(tree, dimensions, &entry, &unfit)) ||
	    check(mover, &entry, row, &unfit))
		return refuse(mover, row, &unfit, fault);
	added = writer_add(
	    mover->writer, &entry, &mover->wire, clock_wall_ms(), id, fault);
	if (added == -1)
		return -1;
	result->moved += added == 0;
	result->known += added == 1;
	return 0;
}

static int
add_row(struct mover *mover, struct outbox_row *row, int64_t *id,
    struct mover_result *result, struct fault *fault)
{
	const char *json = outbox_file_text(
	    &mover->file, row, OUTBOX_DIMENSIONS);
	struct fault unfit = { 0 };
	struct cJSON *tree = NULL;
	int failed;

	if (json != NULL &&
	    (tree = json_parse(json, strlen(json), &unfit)) == NULL)
		return refuse(mover, row, &unfit, fault);
	failed = add_entry(mover, row, tree, id, result, fault);
	cJSON_Delete(tree);
	return failed;
}

static int
move_row(struct mover *mover, struct outbox_row *row,
    struct mover_result *result, struct fault *fault)
{
	char key[TOKEN_KEY_SIZE];
	int64_t id;
	int known;

	name_token(mover, row->id,
	    outbox_file_text(&mover->file, row, OUTBOX_TOKEN), key);
	known = enqueue_key_find(mover->db, key, clock_wall_ms(), &id);
	if (known == 0) {
		if (add_row(mover, row, &id, result, fault))
			return -1;
		if (row->error != OUTBOX_NO_TEXT) {
			result->refused++;
			return 0;
		}
		known = enqueue_key_add(mover->db, key, id, FOR_EVER);
	} else if (known == 1) {
		result->known++;
		known = 0;
	}
	if (known == -1)
		*fault = *db_fault(mover->db);
	return known;
}

/* Tokens whose rows are gone. */
static int
forget(struct mover *mover, struct fault *fault)
{
	const char *at = mover->gone.data;
	size_t left = mover->gone.len;

	while (left > 0) {
		if (enqueue_key_remove(mover->db, at)) {
			*fault = *db_fault(mover->db);
			return -1;
		}
		left -= strlen(at) + 1;
		at += strlen(at) + 1;
	}
	return 0;
}

static int
fill_queue(
    struct mover *mover, struct mover_result *result, struct fault *fault)
{
	struct writer_result written;
	size_t i;
	int failed;

	/* One bracket: rows and tokens are in the queue, or not one is. */
	if (writer_begin(mover->writer, fault))
		return -1;
	failed = forget(mover, fault);
	for (i = 0; i < mover->file.count && failed == 0; i++)
		failed = move_row(mover, &mover->file.rows[i], result, fault);
	if (failed == 0 && mover->file.bytes.failed)
		failed = fail_memory(fault);
	if (failed) {
		writer_abandon(mover->writer);
		return -1;
	}
	if (writer_commit(mover->writer, &written, fault))
		return -1;
	text_clear(&mover->gone);
	return 0;
}

/* The rows are gone there for good: so may their tokens go. */
static void
note_gone(struct mover *mover)
{
	char key[TOKEN_KEY_SIZE];
	size_t i;

	for (i = 0; i < mover->file.count; i++) {
		if (mover->file.rows[i].error != OUTBOX_NO_TEXT)
			continue;
		name_token(mover, mover->file.rows[i].id,
		    outbox_file_text(
			&mover->file, &mover->file.rows[i], OUTBOX_TOKEN),
		    key);
		text_add(&mover->gone, key, strlen(key) + 1);
	}
	if (!mover->gone.failed)
		return;
	text_free(&mover->gone); /* then the next process finds them */
	mover->gone = (struct text){ 0 };
}

/* Whether the row that ${key} was made for is still there. */
static int
row_is_there(struct mover *mover, const char *key, struct fault *fault)
{
	const char *id = key + strlen("outbox::") + strlen(mover->file.uuid);
	const char *token = strchr(id, ':');

	return outbox_file_has(&mover->file, strtoll(id, NULL, 10),
	    token == NULL ? "" : token + 1, fault);
}

/* An earlier process may have ended before it forgot them. */
static int
sweep(struct mover *mover, struct fault *fault)
{
	char first[TOKEN_KEY_SIZE], key[ENQUEUE_KEY_SIZE];
	int found, there;

	if (mover->swept)
		return 0;
	snprintf(first, sizeof(first), "outbox:%s:", mover->file.uuid);
	snprintf(key, sizeof(key), "%s", first);
	while ((found = enqueue_key_next(mover->db, first, key)) == 1) {
		if ((there = row_is_there(mover, key, fault)) == -1)
			return -1;
		if (!there)
			text_add(&mover->gone, key, strlen(key) + 1);
	}
	if (found == -1) {
		*fault = *db_fault(mover->db);
		return -1;
	}
	mover->swept = !mover->gone.failed;
	return mover->swept ? 0 : fail_memory(fault);
}

static int
move_rows(struct mover *mover, struct mover_result *result, struct fault *fault)
{
	/* All is read before the queue is entered: nobody waits for both. */
	if (connect_queue(mover, fault) || sweep(mover, fault) ||
	    outbox_file_read(&mover->file, fault))
		return -1;
	if (mover->file.count == 0 && mover->gone.len == 0)
		return 0;
	result->more = mover->file.more;
	if (fill_queue(mover, result, fault))
		return -1;
	/* Should this fail, or be cut off, the next round reads the rows again
	 * and knows their tokens. */
	if (mover->file.count > 0 && outbox_file_clear(&mover->file, fault))
		return -1;
	note_gone(mover);
	return 0;
}

int
mover_round(
    struct mover *mover, struct mover_result *result, struct fault *fault)
{
	*result = (struct mover_result){ 0 };
	if (outbox_file_connect(&mover->file, fault))
		return -1;
	if (move_rows(mover, result, fault) == 0)
		return 0;
	/* Files are replaced, disks come back: begin anew. */
	result->more = false;
	if (fault->kind != FAULT_QUEUE_BUSY &&
	    fault->kind != FAULT_QUEUE_FULL) {
		outbox_file_disconnect(&mover->file);
		disconnect(mover);
	}
	return -1;
}
