#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"

/* How much is shown of a line that is too long. */
#define SHOWN ((size_t)1024)
#define FIRST_SIZE ((size_t)256 * 1024)

/* What a fault of this input is said about. */
static void
set_place(const struct input *input, struct fault *fault)
{
	strncpy(fault->file, input->name, sizeof(fault->file) - 1);
}

int
input_open(struct input *input, const char *name, struct fault *fault)
{
	*input = (struct input){ .name = name,
		.interrupted = input->interrupted,
		.waits = input->waits,
		.cookie = input->cookie };
	if (strcmp(name, "-") == 0)
		input->fd = STDIN_FILENO;
	else if ((input->fd = open(name, O_RDONLY | O_CLOEXEC)) == -1) {
		fault_errno(fault, errno, "cannot open the input");
		set_place(input, fault);
		if (fault->kind == FAULT_NOT_FOUND)
			fault_hint(fault,
			    "name a file, or - for standard "
			    "input; one metric is put with "
			    "-n, -m and a value");
		return -1;
	}
	input->size = FIRST_SIZE;
	if ((input->data = malloc(input->size)) == NULL) {
		input_close(input);
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	}
	return 0;
}

void
input_close(struct input *input)
{
	if (input->fd > STDIN_FILENO)
		close(input->fd);
	free(input->data);
	input->data = NULL;
}

/* Make room behind what waits. */
static int
make_room(struct input *input, struct fault *fault)
{
	char *data;

	if (input->start > 0) {
		memmove(input->data, input->data + input->start,
		    input->end - input->start);
		input->end -= input->start;
		input->start = 0;
	}
	if (input->end < input->size)
		return 0;
	if ((data = realloc(input->data, input->size * 2)) == NULL)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	input->data = data;
	input->size *= 2;
	return 0;
}

/* Read some more. */
static int
fill(struct input *input, struct fault *fault)
{
	ssize_t got;
	int error;

	if (make_room(input, fault) ||
	    (input->waits != NULL &&
		input->waits(input->cookie, input->fd, fault)))
		return -1;
	while ((got = read(input->fd, input->data + input->end,
		    input->size - input->end)) == -1 &&
	    errno == EINTR)
		if (input->interrupted != NULL)
			input->interrupted();
	if (got == -1) {
		error = errno;
		fault_errno(fault, error, "cannot read the input");
		if (error == EISDIR)
			fault_hint(fault, "it is a directory; name a file");
		else if (error == EBADF)
			fault_hint(fault, "it is closed; name a file");
		set_place(input, fault);
		return -1;
	}
	input->eof = got == 0;
	input->end += (size_t)got;
	return 0;
}

/* Some programs begin a text with a byte order mark.  No more is waited for
 * than could be one. */
static int
skip_mark(struct input *input, struct fault *fault)
{
	static const char MARK[] = "\xef\xbb\xbf";
	size_t most = sizeof(MARK) - 1, len;

	for (;;) {
		len = input->end - input->start;
		if (len > most)
			len = most;
		if (memcmp(input->data + input->start, MARK, len) != 0 ||
		    len == most || input->eof)
			break;
		if (fill(input, fault))
			return -1;
	}
	if (len == most && memcmp(input->data + input->start, MARK, most) == 0)
		input->start += most;
	input->begun = true;
	return 0;
}

/* Bring the next line into the buffer.  Its length, newline not counted, goes
 * into ${len}; cut off where it grows over INPUT_LINE. */
static int
load_line(struct input *input, size_t *len, struct fault *fault)
{
	size_t looked = 0;
	const char *start, *end;

	if (!input->begun && skip_mark(input, fault))
		return -1;
	for (;;) {
		start = input->data + input->start;
		end = memchr(
		    start + looked, '\n', input->end - input->start - looked);
		looked = input->end - input->start;
		if (end != NULL || looked > INPUT_LINE || input->eof)
			break;
		if (fill(input, fault))
			return -1;
	}
	*len = end != NULL ? (size_t)(end - start) : looked;
	return looked > 0;
}

int
input_line(
    struct input *input, const char **line, size_t *len, struct fault *fault)
{
	int loaded = load_line(input, len, fault);

	if (loaded != 1)
		return loaded;
	input->line++;
	*line = input->data + input->start;
	if (*len > INPUT_LINE) {
		*len = SHOWN;
		fault_set(fault, FAULT_TOO_LONG, "line is over 1 MiB");
		fault_hint(fault,
		    "a row stands on one line; -f api reads a request body, "
		    "-f csv cells with newlines in quotes");
		set_place(input, fault);
		fault->line = input->line;
		return -1;
	}
	input->start += *len;
	if (input->start < input->end)
		input->start++; /* the newline */
	return 1;
}

int
input_skip_line(struct input *input, struct fault *fault)
{
	const char *end;

	for (;;) {
		end = memchr(input->data + input->start, '\n',
		    input->end - input->start);
		input->start = end != NULL ? (size_t)(end + 1 - input->data)
					   : input->end;
		if (end != NULL || input->eof)
			return 0;
		if (fill(input, fault))
			return -1;
	}
}

int
input_peek(
    struct input *input, const char **line, size_t *len, struct fault *fault)
{
	int loaded = load_line(input, len, fault);

	if (loaded == 1)
		*line = input->data + input->start;
	return loaded;
}

bool
input_is_blank(const char *line, size_t len)
{
	while (len > 0 && memchr(" \t\r", line[len - 1], 3) != NULL)
		len--;
	return len == 0;
}

int
input_skip_blank(struct input *input, struct fault *fault)
{
	const char *line;
	size_t len;
	int peeked;

	while ((peeked = input_peek(input, &line, &len, fault)) == 1) {
		if (!input_is_blank(line, len))
			break;
		if (input_line(input, &line, &len, fault) == -1)
			return -1;
	}
	return peeked == -1 ? -1 : 0;
}

int
input_all(struct input *input, size_t most, const char **bytes, size_t *len,
    struct fault *fault)
{
	if (!input->begun && skip_mark(input, fault))
		return -1;
	while (!input->eof && input->end - input->start <= most)
		if (fill(input, fault))
			return -1;
	*bytes = input->data + input->start;
	*len = input->end - input->start;
	input->start = input->end;
	if (*len <= most)
		return 0;
	fault_set(fault, FAULT_TOO_LARGE,
	    "over %zu MiB of request bodies are not taken", most >> 20);
	fault_hint(fault,
	    "give it as NDJSON, one metric a line, which may be "
	    "of any size");
	set_place(input, fault);
	return -1;
}
