#define _POSIX_C_SOURCE 200809L
#include "saved.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "spool.h"

static void
take(struct saved_file *file, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	file->size = (size_t)place_size(path);
	file->data = malloc(file->size + 1);
	if (fd == -1 || file->data == NULL ||
	    read(fd, file->data, file->size) != (ssize_t)file->size)
		bench_die("cannot read %s", path);
	close(fd);
}

static void
restore(const struct saved_file *file, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0660);

	if (fd == -1 ||
	    write(fd, file->data, file->size) != (ssize_t)file->size)
		bench_die("cannot write %s", path);
	close(fd);
}

void
saved_take(struct saved *saved, const struct spool *spool)
{
	take(&saved->file, spool->place.file);
	take(&saved->wal, spool->place.wal);
	take(&saved->gate, spool->place.gate);
}

void
saved_restore(const struct saved *saved, const struct spool *spool)
{
	restore(&saved->file, spool->place.file);
	restore(&saved->wal, spool->place.wal);
	restore(&saved->gate, spool->place.gate);
	unlink(spool->place.shm);
}

void
saved_free(struct saved *saved)
{
	free(saved->file.data);
	free(saved->wal.data);
	free(saved->gate.data);
}
