#define _POSIX_C_SOURCE 200809L
#include "disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define SECTOR 512
#define PAGE 4096 /* what the system syncs */
#define MARK 24   /* bytes of the gate file that hold mark and doubt */

enum disk_file {
	DATABASE,
	WAL,
	JOURNAL, /* of a queue that an old version makes in its place */
	DRAFT,   /* under which name a queue is made */
	DRAFT_WAL,
	DRAFT_JOURNAL,
	FILES
};

static const char *const SUFFIXES[FILES] = {
	[DATABASE] = "",
	[WAL] = "-wal",
	[JOURNAL] = "-journal",
	[DRAFT] = ".making",
	[DRAFT_WAL] = ".making-wal",
	[DRAFT_JOURNAL] = ".making-journal",
};

#define PATH_SIZE (PLACE_PATH + 16)

struct step {
	bool note;   /* else a call: */
	bool failed; /* a sync that did; state is the chance of its pages */
	bool placed; /* the draft has become the queue */
	enum shim_call call;
	enum disk_file file;
	int64_t offset, len;
	unsigned char *data;
	uint64_t state;
	unsigned char mark[MARK]; /* in the gate file then */
};

/* What a file holds. */
struct content {
	unsigned char *data;
	int64_t size, room;
	uint64_t version; /* tells contents apart */
	/* present only: pages written since the sync, and whether one failed */
	unsigned char *dirty;
	int64_t dirty_room;
	bool failed;
};

struct disk {
	char path[FILES][PATH_SIZE];
	bool drafted; /* a draft was written, and is not known to be placed */
	int gate;
	struct step *steps;
	size_t count, room, at; /* at: steps played */
	size_t synced[FILES];   /* steps up to which the file is synced */
	struct content durable[FILES], present[FILES], scratch;
	uint64_t versions;
	uint64_t written; /* version in the image's database file */
};

struct disk *
disk_new(const struct place *place)
{
	struct disk *disk = calloc(1, sizeof(*disk));
	enum disk_file file;

	if (disk == NULL)
		bench_die("out of memory");
	for (file = DATABASE; file < FILES; file++)
		snprintf(disk->path[file], PATH_SIZE, "%s%s", place->file,
		    SUFFIXES[file]);
	disk->written = (uint64_t)-1;
	disk->gate = open(place->gate, O_RDONLY | O_CREAT | O_CLOEXEC, 0660);
	return disk;
}

void
disk_free(struct disk *disk)
{
	size_t i;

	if (disk == NULL)
		return;
	for (i = 0; i < disk->count; i++)
		free(disk->steps[i].data);
	for (i = 0; i < FILES; i++) {
		free(disk->durable[i].data);
		free(disk->present[i].data);
		free(disk->present[i].dirty);
	}
	free(disk->scratch.data);
	free(disk->steps);
	close(disk->gate);
	free(disk);
}

/* ---- recording ---- */

static struct step *
new_step(struct disk *disk)
{
	struct step *step;

	if (disk->count == disk->room) {
		disk->room = disk->room * 2 + 1024;
		disk->steps = realloc(
		    disk->steps, disk->room * sizeof(*disk->steps));
		if (disk->steps == NULL)
			bench_die("out of memory");
	}
	step = &disk->steps[disk->count++];
	memset(step, 0, sizeof(*step));
	if (pread(disk->gate, step->mark, MARK, 0) != MARK)
		memset(step->mark, 0, MARK);
	return step;
}

/* The shim does not see how the draft becomes the queue. */
static struct step *
add_step(struct disk *disk)
{
	if (disk->drafted && access(disk->path[DATABASE], F_OK) == 0) {
		new_step(disk)->placed = true;
		disk->drafted = false;
	}
	return new_step(disk);
}

static bool
is_recorded(enum shim_call call)
{
	return call == SHIM_WRITE || call == SHIM_TRUNCATE ||
	    call == SHIM_SYNC || call == SHIM_DELETE;
}

/* A step for the call, if the file is one of ours. */
static struct step *
add_call(struct disk *disk, const struct shim_event *event)
{
	struct step *step;
	enum disk_file file = DATABASE;

	if (!is_recorded(event->call) || event->path == NULL)
		return NULL;
	while (file < FILES && strcmp(event->path, disk->path[file]) != 0)
		file++;
	if (file == FILES)
		return NULL;
	step = add_step(disk);
	step->call = event->call;
	disk->drafted |= file == DRAFT;
	step->file = file;
	step->offset = event->offset;
	step->len = event->len;
	return step;
}

void
disk_fail_sync(
    struct disk *disk, const struct shim_event *event, uint64_t chance)
{
	struct step *step = add_call(disk, event);

	if (step == NULL)
		return;
	step->failed = true;
	step->state = chance;
}

void
disk_record(void *cookie, const struct shim_event *event)
{
	struct step *step = add_call(cookie, event);

	if (step == NULL || event->call != SHIM_WRITE)
		return;
	if ((step->data = malloc((size_t)event->len)) == NULL)
		bench_die("out of memory");
	memcpy(step->data, event->data, (size_t)event->len);
}

void
disk_note(struct disk *disk, uint64_t state)
{
	struct step *step = add_step(disk);

	step->note = true;
	step->state = state;
}

/* ---- contents ---- */

static void
resize(struct content *content, int64_t size)
{
	if (size > content->room) {
		content->room = size + size / 2;
		content->data = realloc(content->data, (size_t)content->room);
		if (content->data == NULL)
			bench_die("out of memory");
	}
	if (size > content->size)
		memset(content->data + content->size, 0,
		    (size_t)(size - content->size));
	content->size = size;
}

static void
put_bytes(struct content *content, int64_t offset, const unsigned char *data,
    int64_t len)
{
	if (offset + len > content->size)
		resize(content, offset + len);
	memcpy(content->data + offset, data, (size_t)len);
}

/* Some of the sectors of a write. */
static void
put_sectors(struct content *content, const struct step *step, uint64_t *chance)
{
	int64_t done = 0, len;

	while (done < step->len) {
		len = SECTOR - (step->offset + done) % SECTOR;
		if (len > step->len - done)
			len = step->len - done;
		if (bench_below(chance, 2))
			put_bytes(content, step->offset + done,
			    step->data + done, len);
		done += len;
	}
}

static void
apply(struct content *content, const struct step *step)
{
	if (step->call == SHIM_WRITE)
		put_bytes(content, step->offset, step->data, step->len);
	else if (step->call == SHIM_TRUNCATE)
		resize(content, step->offset);
	else if (step->call == SHIM_DELETE)
		resize(content, 0);
}

static void
copy(struct content *to, const struct content *from)
{
	to->size = 0;
	resize(to, from->size);
	if (from->size > 0)
		memcpy(to->data, from->data, (size_t)from->size);
	to->version = from->version;
}

/* ---- playing ---- */

static void
make_dirty(struct content *content, const struct step *step)
{
	int64_t page, last;

	if (step->call != SHIM_WRITE || step->len == 0)
		return;
	last = (step->offset + step->len - 1) / PAGE;
	if (last >= content->dirty_room) {
		content->dirty = realloc(content->dirty, (size_t)last * 2 + 16);
		if (content->dirty == NULL)
			bench_die("out of memory");
		memset(content->dirty + content->dirty_room, 0,
		    (size_t)(last * 2 + 16 - content->dirty_room));
		content->dirty_room = last * 2 + 16;
	}
	for (page = step->offset / PAGE; page <= last; page++)
		content->dirty[page] = 1;
}

/* The system writes what is dirty; all pages, or some of them. */
static void
write_pages(struct content *to, struct content *from, bool all, uint64_t chance)
{
	int64_t page, len;

	resize(to, from->size);
	for (page = 0; page < from->dirty_room; page++) {
		len = from->size - page * PAGE;
		if (from->dirty[page] && len > 0 &&
		    (all || bench_below(&chance, 2)))
			put_bytes(to, page * PAGE, from->data + page * PAGE,
			    len < PAGE ? len : PAGE);
		from->dirty[page] = 0;
	}
	to->version = from->version;
}

static void
sync_file(struct disk *disk, const struct step *step)
{
	struct content *present = &disk->present[step->file];
	struct content *durable = &disk->durable[step->file];

	present->failed |= step->failed;
	if (!present->failed) {
		copy(durable, present);
		if (present->dirty_room > 0)
			memset(present->dirty, 0, (size_t)present->dirty_room);
	} else {
		write_pages(durable, present, !step->failed, step->state);
		durable->version = ++disk->versions;
	}
	disk->synced[step->file] = disk->at;
}

/* It was synced before, and its log removed. */
static void
place_draft(struct disk *disk)
{
	enum disk_file file;

	copy(&disk->durable[DATABASE], &disk->durable[DRAFT]);
	copy(&disk->present[DATABASE], &disk->present[DRAFT]);
	disk->synced[DATABASE] = disk->at;
	for (file = DRAFT; file < FILES; file++) {
		resize(&disk->durable[file], 0);
		resize(&disk->present[file], 0);
		disk->synced[file] = disk->at;
	}
}

bool
disk_step(struct disk *disk)
{
	const struct step *step;
	struct content *present;

	if (disk->at == disk->count)
		return false;
	step = &disk->steps[disk->at++];
	if (step->note)
		return true;
	if (step->placed) {
		place_draft(disk);
		return true;
	}
	present = &disk->present[step->file];
	apply(present, step);
	make_dirty(present, step);
	if (step->call != SHIM_SYNC)
		present->version = ++disk->versions;
	/* who deletes syncs the directory, too */
	if (step->call == SHIM_SYNC || step->call == SHIM_DELETE)
		sync_file(disk, step);
	return true;
}

bool
disk_state(const struct disk *disk, int back, uint64_t *state)
{
	size_t i;

	for (i = disk->at; i > 0; i--)
		if (disk->steps[i - 1].note && back-- == 0) {
			*state = disk->steps[i - 1].state;
			return true;
		}
	return false;
}

bool
disk_next_state(const struct disk *disk, uint64_t *state)
{
	size_t i;

	for (i = disk->at; i < disk->count; i++)
		if (disk->steps[i].note) {
			*state = disk->steps[i].state;
			return true;
		}
	return false;
}

/* What of ${file} is found, in disk->scratch. */
static void
find(struct disk *disk, enum disk_file file, enum disk_keep keep,
    uint64_t *chance)
{
	const struct step *step;
	size_t i;

	copy(&disk->scratch, &disk->durable[file]);
	for (i = disk->synced[file]; i < disk->at; i++) {
		step = &disk->steps[i];
		if (step->note || step->placed || step->file != file)
			continue;
		disk->scratch.version = ++disk->versions;
		if (keep == DISK_TORN && step->call == SHIM_WRITE)
			put_sectors(&disk->scratch, step, chance);
		else if (bench_below(chance, 2))
			apply(&disk->scratch, step);
	}
}

static void
write_file(const char *path, const void *data, int64_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);

	if (fd == -1 || ftruncate(fd, (off_t)size) ||
	    pwrite(fd, data, (size_t)size, 0) != (ssize_t)size)
		bench_die("cannot write %s", path);
	close(fd);
}

static void
write_image(struct disk *disk, enum disk_file file,
    const struct content *content, const struct place *to)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s%s", to->file, SUFFIXES[file]);
	if (file == DATABASE && content->version == disk->written &&
	    content->size > 0)
		return;
	if (content->size > 0)
		write_file(path, content->data, content->size);
	else
		unlink(path);
	if (file == DATABASE)
		disk->written = content->version;
	else if (file == JOURNAL && content->size > 0)
		disk->written = (uint64_t)-1; /* it may be rolled back */
}

void
disk_image(struct disk *disk, enum disk_keep keep, uint64_t *chance,
    const struct place *to)
{
	static const unsigned char none[MARK];
	const unsigned char *mark = disk->at == 0
	    ? none
	    : disk->steps[disk->at - 1].mark;
	const struct content *content = &disk->scratch;
	enum disk_file file;

	for (file = DATABASE; file < FILES; file++) {
		if (keep == DISK_ALL)
			content = &disk->present[file];
		else if (keep == DISK_SYNCED)
			content = &disk->durable[file];
		else
			find(disk, file, keep, chance);
		write_image(disk, file, content, to);
	}
	unlink(to->shm);
	/* the mark is never synced: it may be gone, but is never ahead */
	if (keep != DISK_ALL && bench_below(chance, 2))
		mark = none;
	write_file(to->gate, mark, MARK);
}
