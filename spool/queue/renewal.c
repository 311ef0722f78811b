#include "renewal.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "dbinside.h"
#include "gate.h"

/*
 * Why so: after a sync that failed, the kernel keeps the pages but takes them
 * for written.  Who opens the log next recovers it from memory, appends, and
 * syncs with success; after a power cut the frames before are not there, and
 * SQLite stops reading where they are missing.  To copy them back is no cure
 * either: a power cut midway leaves half a commit in the database, and no log
 * to repeat it from.  Written again the same pages are dirty, and a sync
 * means something.
 *
 * Those of the frames that only memory held may also be gone from there.  So
 * each is read and its checksum compared before anything builds on it.
 *
 * Where somebody else had the queue open, its index does not know the frames
 * of a commit that failed; they stand behind those that it knows, and who
 * recovers the log later would take them for committed.  So they are spoilt.
 * The formats are SQLite's published ones (sqlite.org/walformat.html).
 */

/* Of the log. */
#define HEADER_SIZE 32
#define FRAME_HEADER 24
#define MAGIC 0x377f0682 /* its last bit: checksums are big-endian */

/* Of the index, in the byte order of the machine. */
#define INDEX_SIZE 32768
#define INDEX_VERSION 3007000
#define INDEX_FRAMES 16
#define INDEX_SALT 32

struct renewal {
	struct sqlite3_file *log;
	uint32_t frames; /* that the index knows */
	unsigned char salt[8];
	bool big;
	uint32_t page_size, sums[2];
	unsigned char *frame;
};

static uint32_t
big_endian(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	    (uint32_t)at[2] << 8 | (uint32_t)at[3];
}

static uint32_t
little_endian(const unsigned char *at)
{
	return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 |
	    (uint32_t)at[1] << 8 | (uint32_t)at[0];
}

/* Go on with the checksum. */
static void
add_up(struct renewal *renewal, const unsigned char *at, size_t len)
{
	uint32_t (*word)(const unsigned char *) = renewal->big ? big_endian
							       : little_endian;
	const unsigned char *end = at + len;

	for (; at < end; at += 8) {
		renewal->sums[0] += word(at) + renewal->sums[1];
		renewal->sums[1] += word(at + 4) + renewal->sums[0];
	}
}

static bool
sums_are(const struct renewal *renewal, const unsigned char *at)
{
	return renewal->sums[0] == big_endian(at) &&
	    renewal->sums[1] == big_endian(at + 4);
}

/* What the index says of the log.  No frame: it begins anew. */
static int
read_index(struct renewal *renewal, struct sqlite3_file *database)
{
	void volatile *shared = NULL;
	unsigned char index[48];
	uint32_t version;
	int code;

	code = database->pMethods->xShmMap(database, 0, INDEX_SIZE, 0, &shared);
	if (code != SQLITE_OK)
		return code;
	if (shared == NULL)
		return SQLITE_IOERR_SHMMAP;
	/* nobody changes it while we hold the lock of writers */
	memcpy(index, (const void *)(uintptr_t)shared, sizeof(index));
	memcpy(&version, index, sizeof(version));
	if (version != INDEX_VERSION)
		return SQLITE_IOERR_SHMMAP;
	memcpy(&renewal->frames, index + INDEX_FRAMES, sizeof(uint32_t));
	memcpy(renewal->salt, index + INDEX_SALT, sizeof(renewal->salt));
	return SQLITE_OK;
}

static int
renew_header(struct renewal *renewal)
{
	const struct sqlite3_io_methods *call = renewal->log->pMethods;
	unsigned char header[HEADER_SIZE];
	int code;

	code = call->xRead(renewal->log, header, HEADER_SIZE, 0);
	if (code != SQLITE_OK)
		return code;
	renewal->big = big_endian(header) & 1;
	renewal->page_size = big_endian(header + 8);
	add_up(renewal, header, HEADER_SIZE - 8);
	if ((big_endian(header) & ~1U) != MAGIC ||
	    memcmp(header + 16, renewal->salt, sizeof(renewal->salt)) != 0 ||
	    !sums_are(renewal, header + HEADER_SIZE - 8) ||
	    renewal->page_size < 512 || renewal->page_size > 65536)
		return SQLITE_IOERR_DATA;
	return call->xWrite(renewal->log, header, HEADER_SIZE, 0);
}

static int
renew_frame(struct renewal *renewal, sqlite3_int64 offset)
{
	const struct sqlite3_io_methods *call = renewal->log->pMethods;
	unsigned char *frame = renewal->frame;
	int code, size = (int)(FRAME_HEADER + renewal->page_size);

	code = call->xRead(renewal->log, frame, size, offset);
	if (code != SQLITE_OK)
		return code;
	add_up(renewal, frame, 8);
	add_up(renewal, frame + FRAME_HEADER, renewal->page_size);
	if (memcmp(frame + 8, renewal->salt, sizeof(renewal->salt)) != 0 ||
	    !sums_are(renewal, frame + 16))
		return SQLITE_IOERR_DATA;
	return call->xWrite(renewal->log, frame, size, offset);
}

static sqlite3_int64
offset_of(const struct renewal *renewal, uint32_t frame)
{
	return HEADER_SIZE +
	    frame * ((sqlite3_int64)FRAME_HEADER + renewal->page_size);
}

static int
renew_frames(struct renewal *renewal)
{
	uint32_t frame;
	int code;

	if (renewal->frames == 0)
		return SQLITE_OK; /* the next commit writes header and all */
	if ((code = renew_header(renewal)) != SQLITE_OK)
		return code;
	renewal->frame = malloc(FRAME_HEADER + renewal->page_size);
	if (renewal->frame == NULL)
		return SQLITE_NOMEM;
	for (frame = 0; frame < renewal->frames && code == SQLITE_OK; frame++)
		code = renew_frame(renewal, offset_of(renewal, frame));
	free(renewal->frame);
	return code;
}

/* What follows the frames that the index knows: without its header the first
 * of them is none, and without it no other. */
static int
spoil_rest(struct renewal *renewal)
{
	static const unsigned char none[FRAME_HEADER];
	const struct sqlite3_io_methods *call = renewal->log->pMethods;
	sqlite3_int64 size, offset = offset_of(renewal, renewal->frames);
	int code = call->xFileSize(renewal->log, &size);

	if (code != SQLITE_OK || size <= offset)
		return code;
	return call->xWrite(renewal->log, none, FRAME_HEADER, offset);
}

static int
renew(struct sqlite3 *handle)
{
	struct renewal renewal = { 0 };
	struct sqlite3_file *database;
	int code;

	code = sqlite3_file_control(
	    handle, "main", SQLITE_FCNTL_FILE_POINTER, &database);
	if (code == SQLITE_OK)
		code = sqlite3_file_control(
		    handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &renewal.log);
	if (code == SQLITE_OK)
		code = read_index(&renewal, database);
	if (code == SQLITE_OK)
		code = renew_frames(&renewal);
	if (code == SQLITE_OK)
		code = spoil_rest(&renewal);
	if (code == SQLITE_OK)
		code = renewal.log->pMethods->xSync(
		    renewal.log, SQLITE_SYNC_NORMAL);
	return code;
}

/* Frames that only memory had, and has no more.  Whoever has the queue open
 * takes them for there; who opens it afterwards does not. */
static int
lost(struct db *db)
{
	struct fault fault;

	fault_set(&fault, FAULT_IO_ERROR, "cannot write to the queue %s",
	    db->place.file);
	fault_why(&fault,
	    "the end of its log is gone; the commit that wrote it was told"
	    " that its outcome is unknown");
	fault_hint(&fault,
	    "check the disk, end all programs that have the queue open, then"
	    " try again");
	fault.sqlite_code = SQLITE_IOERR_DATA;
	return db_fail(db, &fault);
}

int
renewal_make(struct db *db, struct sqlite3 *handle)
{
	int code;

	if (db->gate == NULL || !gate_doubt(db->gate))
		return 0;
	errno = 0;
	code = renew(handle);
	if (code == SQLITE_IOERR_DATA || code == SQLITE_IOERR_SHORT_READ)
		return lost(db);
	if (code != SQLITE_OK)
		return db_fail_code(db, code, "write to");
	gate_set_doubt(db->gate, false); /* where that fails: again */
	return 0;
}
