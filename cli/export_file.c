#include "export_file.h"

#include <errno.h>
#include <unistd.h>

#include "base/fault.h"
#include "lines.h"
#include "newfile.h"
#include "output.h"

static void
remove_file(const struct export_file *export)
{
	if (!export->hidden)
		unlink(export->path);
}

int
export_open(struct export_file *export, const char *path, struct fault *fault)
{
	int fd;

	*export = (struct export_file){ .path = path };
	if (path == NULL)
		return 0;
	fd = newfile_create_hidden(path, &export->hidden, fault);
	if (fd == -1)
		return -1;
	if ((export->file = fdopen(fd, "w")) == NULL) {
		fault_errno(fault, errno, "cannot create %.150s", path);
		close(fd);
		remove_file(export);
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
	if (error == 0 && export->hidden &&
	    newfile_publish(fileno(export->file), export->path, fault)) {
		export_abandon(export);
		return -1;
	}
	export->hidden &= error != 0;
	if (fclose(export->file) != 0 && error == 0)
		error = errno;
	export->file = NULL;
	if (error == 0 && newfile_sync_name(export->path) == -1)
		error = errno;
	if (error == 0)
		return 0;
	fault_errno(fault, error, "cannot write %.150s", export->path);
	remove_file(export);
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
	remove_file(export);
}
