#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <stdbool.h>
#include <stddef.h>

struct fault;

/** The longest line that is taken. */
#define INPUT_LINE ((size_t)1024 * 1024)

/** A file or standard input, read in large pieces.  A byte order mark at its
 * beginning is no part of it. */
struct input {
	const char *name; /* as given; "-" is standard input */
	int fd;
	char *data;
	size_t size, start, end; /* data[start..end) waits to be taken */
	bool begun;              /* a byte order mark was looked for */
	bool eof;
	long line; /* of the line taken last, from 1 */
	void (*interrupted)(
	    void); /* called when a signal ends a read; or NULL */
	/* Called before a read, which may block; 0, or -1 with ${fault}; or
	 * NULL. */
	int (*waits)(void *cookie, int fd, struct fault *fault);
	void *cookie; /* for waits */
};

/** Open ${name} ("-": standard input); the callbacks of ${input} are set.  0, or
 * -1 with ${fault}. */
int input_open(struct input *input, const char *name, struct fault *fault);
void input_close(struct input *input);

/** Take the next line, without its end; it lives until the next call.
 * Return 1, 0 at the end, or -1 (FAULT_TOO_LONG with how it begins; a read that
 * failed). */
int input_line(
    struct input *input, const char **line, size_t *len, struct fault *fault);
/** Pass over the line that was too long.  0 or -1. */
int input_skip_line(struct input *input, struct fault *fault);

/** Look at the next line, or its first INPUT_LINE bytes, and take nothing.
 * Return as input_line(). */
int input_peek(
    struct input *input, const char **line, size_t *len, struct fault *fault);

/** Whether ${line} holds nothing but white space. */
bool input_is_blank(const char *line, size_t len);
/** Skip lines that hold nothing but white space.  0 or -1. */
int input_skip_blank(struct input *input, struct fault *fault);

/** Take all that is left, at most ${most} bytes (more: FAULT_TOO_LARGE).  0 or -1. */
int input_all(struct input *input, size_t most, const char **bytes, size_t *len,
    struct fault *fault);

#endif
