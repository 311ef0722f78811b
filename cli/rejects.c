#include "rejects.h"

#include <errno.h>
#include <unistd.h>

#include "base/fault.h"
#include "jsonline.h"
#include "newfile.h"

/* Lines are written in pieces of about this size. */
#define PIECE ((size_t)64 * 1024)

int
rejects_open(struct rejects *rejects, struct fault *fault)
{
	rejects->fd = -1;
	if (rejects->path == NULL)
		return 0;
	rejects->fd = newfile_create(rejects->path, fault);
	return rejects->fd == -1 ? -1 : 0;
}

static int
fail(const struct rejects *rejects, struct fault *fault)
{
	return fault_errno(
	    fault, errno, "cannot write the rejects file %s", rejects->path);
}

static int
write_out(struct rejects *rejects, struct fault *fault)
{
	const char *at = text_string(&rejects->buffer);
	size_t left = rejects->buffer.len;
	ssize_t written;

	while (left > 0) {
		written = write(rejects->fd, at, left);
		if (written == -1 && errno != EINTR)
			return fail(rejects, fault);
		if (written > 0) {
			at += written;
			left -= (size_t)written;
		}
	}
	text_clear(&rejects->buffer);
	return 0;
}

static void
add_line(
    struct text *text, const struct fault *why, const char *raw, size_t len)
{
	text_addc(text, '{');
	jsonline_int(text, "line", why->line);
	jsonline_int(text, "column", why->column > 0 ? why->column : 1);
	jsonline_text(text, "error", fault_name(why->kind));
	jsonline_text(text, "message", why->message);
	jsonline_bytes(text, "raw", raw, len);
	jsonline_text(text, "file", why->file);
	if (why->field[0] != '\0')
		jsonline_text(text, "field", why->field);
	text_adds(text, "}\n");
}

int
rejects_add(struct rejects *rejects, const struct fault *why, const char *raw,
    size_t len, struct fault *fault)
{
	rejects->count++;
	if (rejects->most >= 0 && rejects->count > rejects->most)
		return 1;
	if (rejects->fd == -1)
		return 0;
	add_line(&rejects->buffer, why, raw, len);
	if (rejects->buffer.failed)
		return fault_errno(fault, ENOMEM, "cannot keep a bad line");
	rejects->kept++;
	rejects->dirty = true;
	return rejects->buffer.len < PIECE ? 0 : write_out(rejects, fault);
}

int
rejects_sync(struct rejects *rejects, struct fault *fault)
{
	if (!rejects->dirty)
		return 0;
	if (write_out(rejects, fault))
		return -1;
	if (fsync(rejects->fd) == -1)
		return fail(rejects, fault);
	if (!rejects->named && newfile_sync_name(rejects->path) == -1)
		return fail(rejects, fault);
	rejects->named = true;
	rejects->dirty = false;
	return 0;
}

void
rejects_close(struct rejects *rejects)
{
	if (rejects->fd != -1) {
		close(rejects->fd);
		if (rejects->kept == 0)
			unlink(rejects->path);
	}
	rejects->fd = -1;
	text_free(&rejects->buffer);
}
