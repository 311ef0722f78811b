#define _GNU_SOURCE /* OFD locks, flock(), syscall() */
#include "gate.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "place.h"

/*
 * A queue in front of a turnstile, made of three locks on one file.
 *
 *   turn    flock(): who has it writes.  The only one that matters for
 *           safety; the others merely order those who wait.
 *   room    a byte, locked (OFD): the one process that is next.  It alone
 *           tries for the turn, so whoever just left cannot overtake it by
 *           coming straight back, which is what starves writers under a
 *           plain lock.
 *   outside a byte, locked shared (OFD): somebody waits for the room.
 *
 * Sleepers are woken through two words of the file (futexes of a shared
 * mapping, first come first woken): the room's by who leaves it for the
 * turn, the turn's by who leaves the gate.  The words are hints.  All truth
 * is in the kernel's locks, which die with their holder; a wake-up lost to a
 * crash costs one nap.  The words are read by pread() and changed by the
 * kernel only, so that a truncated file gives an error here, not SIGBUS.
 * Nobody waiting, an entry costs four system calls and no mapping.
 */
struct gate {
	int fd;
	int entered; /* times; the outermost counts */
	char
	    *words; /* the mapping, or NULL until somebody must sleep or wake */
};

/* The first bytes of the file; written in one piece. */
struct mark {
	uint32_t magic;
	uint32_t crc; /* of last_id */
	int64_t last_id;
	uint32_t doubt; /* 0: none */
	uint32_t unused;
};

#define MARK_MAGIC 0x6d73676dU /* "msgm" */
#define DOUBT_AT ((off_t)offsetof(struct mark, doubt))
#define ROOM_WORD 64
#define TURN_WORD 68
#define FILE_SIZE 128
#define ROOM_BYTE 128
#define OUTSIDE_BYTE 129
#define NAP_LONG_MS 24 /* of a newcomer; a lost wake-up costs this much */
#define NAP_SHORT_MS 2 /* of the next, and of who has waited long */

/* Set (F_WRLCK, F_RDLCK) or end (F_UNLCK) a lock on one byte.  0 or -1. */
static int
lock_byte(struct gate *gate, int type, off_t byte)
{
	struct flock range = { 0 };

	range.l_type = (short)type;
	range.l_whence = SEEK_SET;
	range.l_start = byte;
	range.l_len = 1;
	return fcntl(gate->fd, F_OFD_SETLK, &range);
}

/* Whether another has locked the byte. */
static bool
byte_taken(struct gate *gate, off_t byte)
{
	struct flock range = { 0 };

	range.l_type = F_WRLCK;
	range.l_whence = SEEK_SET;
	range.l_start = byte;
	range.l_len = 1;
	return fcntl(gate->fd, F_OFD_GETLK, &range) == 0 &&
	    range.l_type != F_UNLCK;
}

static int
take_turn(struct gate *gate)
{
	return flock(gate->fd, LOCK_EX | LOCK_NB);
}

static int
take_room(struct gate *gate)
{
	return lock_byte(gate, F_WRLCK, ROOM_BYTE);
}

static uint32_t
read_word(struct gate *gate, off_t word)
{
	uint32_t value = 0;

	if (pread(gate->fd, &value, sizeof(value), word) !=
	    (ssize_t)sizeof(value))
		return 0;
	return value;
}

static bool
map_words(struct gate *gate)
{
	void *words;

	if (gate->words != NULL)
		return true;
	words = mmap(
	    NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, gate->fd, 0);
	if (words == MAP_FAILED)
		return false;
	gate->words = words;
	return true;
}

/* Sleep until the word differs from ${seen}, or is woken, or ${ms} are over. */
static void
nap(struct gate *gate, off_t word, uint32_t seen, int64_t ms)
{
	struct timespec span = { .tv_sec = 0, .tv_nsec = (long)ms * 1000000 };

	/* anything but a missing facility is a reason to look again at once */
	if (map_words(gate) &&
	    (syscall(SYS_futex, gate->words + word, FUTEX_WAIT, seen, &span,
		 NULL, 0) == 0 ||
		errno == EAGAIN || errno == ETIMEDOUT || errno == EINTR))
		return;
	nanosleep(&span, NULL);
}

/* Change the word and wake the longest sleeper, in one call. */
static void
wake(struct gate *gate, off_t word)
{
	if (!map_words(gate))
		return;
	syscall(SYS_futex, gate->words + word, FUTEX_WAKE_OP, 1, 0UL,
	    gate->words + word, FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 0));
}

/* Wait for one of the locks, waking at changes of its word.  0; 1 when the
 * time is over; -1 with errno. */
static int
wait_for(struct gate *gate, int (*take)(struct gate *), off_t word,
    int64_t nap_ms, int64_t until)
{
	int64_t left;
	uint32_t seen;

	for (;;) {
		seen = read_word(gate, word); /* before the try: none is lost */
		if (take(gate) == 0)
			return 0;
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			return -1;
		if ((left = until - clock_steady_ms()) <= 0)
			return 1;
		nap(gate, word, seen, left < nap_ms ? left : nap_ms);
		if (nap_ms > NAP_SHORT_MS)
			nap_ms -= 1; /* the longer one waited, the oftener */
	}
}

static int
wait_room(struct gate *gate, int64_t until)
{
	int waited;

	if (take_room(gate) == 0)
		return 0;
	lock_byte(gate, F_RDLCK, OUTSIDE_BYTE);
	waited = wait_for(gate, take_room, ROOM_WORD, NAP_LONG_MS, until);
	lock_byte(gate, F_UNLCK, OUTSIDE_BYTE);
	return waited;
}

static void
leave_room(struct gate *gate)
{
	lock_byte(gate, F_UNLCK, ROOM_BYTE);
	if (byte_taken(gate, OUTSIDE_BYTE))
		wake(gate, ROOM_WORD);
}

static enum gate_entered
busy(int64_t wait_ms, struct fault *fault)
{
	fault_set(fault, FAULT_QUEUE_BUSY,
	    "the queue is busy: others wrote to it for %lld ms",
	    (long long)wait_ms);
	fault_hint(fault, "try again, or wait longer (--busy-timeout)");
	return GATE_BUSY;
}

struct gate *
gate_open(const char *path, struct fault *fault)
{
	struct gate *gate;
	struct stat st;

	if ((gate = calloc(1, sizeof(*gate))) == NULL) {
		fault_errno(fault, ENOMEM, "cannot open %s", path);
		return NULL;
	}
	if ((gate->fd = place_open(path, true, 0660, fault)) == -1) {
		free(gate);
		return NULL;
	}
	/* the words must lie inside the file; bytes of a mark stay */
	if (fstat(gate->fd, &st) == 0 && st.st_size < FILE_SIZE &&
	    ftruncate(gate->fd, FILE_SIZE)) {
		/* without them everybody naps: slower, and as safe */
	}
	return gate;
}

void
gate_close(struct gate *gate)
{
	if (gate == NULL)
		return;
	if (gate->words != NULL)
		munmap(gate->words, FILE_SIZE);
	/* Not flock(LOCK_UN): in a child of fork() the lock is the parent's */
	close(gate->fd);
	free(gate);
}

enum gate_entered
gate_enter(struct gate *gate, int64_t wait_ms, struct fault *fault)
{
	int64_t until = wait_ms <= 0 ? 0 : clock_steady_ms() + wait_ms;
	int waited, error;

	if (gate->entered > 0) {
		gate->entered++;
		return GATE_IN;
	}
	if ((waited = wait_room(gate, until)) == 0) {
		waited = wait_for(
		    gate, take_turn, TURN_WORD, NAP_SHORT_MS, until);
		error = errno;
		leave_room(gate);
		errno = error;
	}
	if (waited == 1)
		return busy(wait_ms, fault);
	if (waited == -1) {
		fault_errno(fault, errno, "cannot lock the gate of the queue");
		return GATE_FAILED;
	}
	gate->entered = 1;
	return GATE_IN;
}

void
gate_leave(struct gate *gate)
{
	if (gate->entered == 0 || --gate->entered > 0)
		return;
	flock(gate->fd, LOCK_UN);
	if (byte_taken(gate, ROOM_BYTE))
		wake(gate, TURN_WORD);
}

int64_t
gate_mark(struct gate *gate)
{
	struct mark mark;

	if (pread(gate->fd, &mark, sizeof(mark), 0) != (ssize_t)sizeof(mark))
		return -1;
	if (mark.magic != MARK_MAGIC || mark.last_id < 0 ||
	    mark.crc != text_crc32(&mark.last_id, sizeof(mark.last_id)))
		return -1;
	return mark.last_id;
}

void
gate_set_mark(struct gate *gate, int64_t last_id)
{
	struct mark mark = { .magic = MARK_MAGIC, .last_id = last_id };

	mark.crc = text_crc32(&last_id, sizeof(last_id));
	if (pwrite(gate->fd, &mark, sizeof(mark), 0) != (ssize_t)sizeof(mark)) {
		/* a short mark reads as none */
	}
}

bool
gate_doubt(struct gate *gate)
{
	uint32_t doubt = 0;

	/* what cannot be read may have been set */
	return pread(gate->fd, &doubt, sizeof(doubt), DOUBT_AT) == -1 ||
	    doubt != 0;
}

int
gate_set_doubt(struct gate *gate, bool doubt)
{
	uint32_t word = doubt;
	ssize_t written = pwrite(gate->fd, &word, sizeof(word), DOUBT_AT);

	if (written == -1)
		return -1;
	errno = EIO;
	return written == (ssize_t)sizeof(word) ? 0 : -1;
}
