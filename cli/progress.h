#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdint.h>

struct output;

/** For --progress. */
enum progress_when {
	PROGRESS_AUTO,
	PROGRESS_ALWAYS,
	PROGRESS_NEVER
};

/*
 * One line on standard error about long work: on a terminal, after a second,
 * wiped at the end; and whenever SIGUSR1 asks for it.
 */

void progress_set(enum progress_when when);
/** The work begins.  ${output} is kept. */
void progress_start(const struct output *output);
/** So many rows are read. */
void progress_rows(int64_t rows);
/** The line is this one now; for work that is no reading. */
void progress_line(const char *line);
/** "${done} of ${all} rows ${what}". */
void progress_count(const char *what, int64_t done, int64_t all);
/** A signal came while nothing was read: answer it. */
void progress_poll(void);
void progress_end(void);

#endif
