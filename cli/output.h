#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct fault;

/*
 * What all three programs say, and where: data on standard output, everything
 * meant for a person on standard error.
 */

/** Who speaks and how: "monspool: put: ..." */
struct output {
	const char *program;
	const char *command; /* NULL: none */
	bool json;
	bool quiet; /* no notes */
};

/** For --color. */
enum output_color {
	OUTPUT_COLOR_AUTO,
	OUTPUT_COLOR_ALWAYS,
	OUTPUT_COLOR_NEVER
};

/** Make sure that descriptors 0, 1 and 2 are open, so that no file of the
 * queue can take their place; what was closed stays unusable, and a write to it
 * fails.  To be called first. */
void output_guard(void);

/** Tell ${fault} on standard error, at most three lines, or one JSON line.  Return the
 * exit code. */
int output_fault(const struct output *output, const struct fault *fault);
/** Tell a note: as the fault's first line with "note: ", and its hint where it is
 * FAULT_NONE; or as {"note":{...}}.  Nothing when quiet. */
void output_note(const struct output *output, const struct fault *fault);

/** Write data on standard output; errors are remembered. */
void output_data(const char *bytes, size_t len);
/** Flush it: 0, or -1 with ${fault} (FAULT_IO_ERROR) when any write failed. */
int output_flush(struct fault *fault);

/** Whether ${stream} gets colours (interface.md section 1). */
bool output_colored(enum output_color color, FILE *stream);

#endif
