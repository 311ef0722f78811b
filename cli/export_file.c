#include "export_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "lines.h"
#include "output.h"

static int
refuse(const char *path, int error, struct fault *fault)
{
	fault_errno(fault, error, "cannot create %.150s", path);
	if (error == EEXIST)
		fault_why(fault, "it exists already");
	fault_hint(fault, "name another file");
	if (error != ENOSPC && error != EDQUOT && error != EACCES &&
	    error != EPERM)
		fault->kind = FAULT_CANNOT_CREATE;
	return -1;
}

int
export_open(struct export_file *export, const char *path, struct fault *fault)
{
	int fd;

	*export = (struct export_file){ .path = path };
	if (path == NULL)
		return 0;
	fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return refuse(path, errno, fault);
	/* The umask can only have taken rights away, and they are needed. */
	if (fchmod(fd, 0600) == -1 ||
	    (export->file = fdopen(fd, "w")) == NULL) {
		refuse(path, errno, fault);
		close(fd);
		unlink(path);
		return -1;
	}
	return 0;
}

void
export_row(struct export_file *export, const struct deadletter_row *row)
{
	struct text *line = &export->line;

	text_clear(line);
	lines_dead(line, row, NULL);
	text_adds(line, "}\n");
	export->rows++;
	if (export->path == NULL)
		output_data(text_string(line), line->len);
	else if (export->error == 0 &&
	    (line->failed ||
		fwrite(text_string(line), 1, line->len, export->file) !=
		    line->len))
		export->error = line->failed ? ENOMEM : errno;
}

/* A new name is durable when its directory is. */
static int
sync_directory(const char *path)
{
	char copy[PATH_MAX];
	int fd, failed;

	if (strlen(path) >= sizeof(copy))
		return -1;
	strcpy(copy, path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	failed = fsync(fd);
	close(fd);
	return failed;
}

int
export_close(struct export_file *export, struct fault *fault)
{
	int error = export->error;

	text_free(&export->line);
	if (export->path == NULL)
		return output_flush(fault);
	if (error == 0 &&
	    (fflush(export->file) != 0 || fsync(fileno(export->file)) == -1))
		error = errno;
	if (fclose(export->file) != 0 && error == 0)
		error = errno;
	export->file = NULL;
	if (error == 0 && sync_directory(export->path) == -1)
		error = errno;
	if (error == 0)
		return 0;
	fault_errno(fault, error, "cannot write %.150s", export->path);
	unlink(export->path);
	return -1;
}

void
export_abandon(struct export_file *export)
{
	text_free(&export->line);
	if (export->file == NULL)
		return;
	fclose(export->file);
	export->file = NULL;
	unlink(export->path);
}
