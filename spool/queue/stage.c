#define _GNU_SOURCE /* O_TMPFILE */
#include "stageinside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "entry.h"
#include "memo.h"

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
	free(stage->key);
	free(stage->dir);
	free(stage);
}

int
stage_clear(struct stage *stage, struct fault *fault)
{
	memo_clear(stage->memo);
	text_clear(&stage->buffer);
	free(stage->key);
	stage->key = NULL;
	stage->rows = stage->spilled = stage->text_bytes = 0;
	if (stage->fd == -1)
		return 0;
	if (lseek(stage->fd, 0, SEEK_SET) == -1 || ftruncate(stage->fd, 0))
		return fault_errno(
		    fault, errno, "cannot empty the staging file");
	return 0;
}

int
stage_set_key(struct stage *stage, const char *key, struct fault *fault)
{
	free(stage->key);
	if ((stage->key = strdup(key)) == NULL)
		return fault_errno(fault, ENOMEM, "cannot queue");
	return 0;
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

int
stage_spill(struct stage *stage, struct fault *fault)
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
	if (flags & STAGE_TIMED) {
		text_add(&stage->buffer, &entry->observed_at,
		    sizeof(entry->observed_at));
		text_add(&stage->buffer, &entry->max_age_ms,
		    sizeof(entry->max_age_ms));
	}
	if (flags & STAGE_DEFINES)
		add_texts(stage, entry, wire);
	if (flags & STAGE_KEYED)
		add_string(&stage->buffer, entry->key);
}

static unsigned
flags_of(const struct entry *entry, bool defines)
{
	unsigned flags = defines ? STAGE_DEFINES : 0;

	if (entry->observed_at != -1 || entry->max_age_ms != -1)
		flags |= STAGE_TIMED;
	return entry->key == NULL ? flags : flags | STAGE_KEYED;
}

static int
append(struct stage *stage, const struct entry *entry,
    const struct entry_wire *wire)
{
	struct stage_record record = { 0 };
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
	return stage->buffer.len < STAGE_BUFFER ? 0 : stage_spill(stage, fault);
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
