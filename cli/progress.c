#include "progress.h"

#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/number.h"
#include "output.h"

/* The clock is looked at once in so many rows. */
#define ROWS_A_LOOK 1024
#define QUIET_MS 1000
#define BETWEEN_MS 200

static enum progress_when wanted;
static volatile sig_atomic_t asked;
static struct {
	const struct output *output;
	bool live;  /* a line is repainted */
	bool shown; /* and stands there */
	int64_t rows, started_ms, told_ms;
	const char *line; /* instead of the rows read, during a call */
} progress;

void
progress_set(enum progress_when when)
{
	wanted = when;
}

static void
on_usr1(int signal)
{
	(void)signal;
	asked = 1;
}

static bool
wants_line(const struct output *output)
{
	if (wanted == PROGRESS_NEVER || output->json || output->quiet)
		return false;
	return wanted == PROGRESS_ALWAYS || isatty(STDERR_FILENO) == 1;
}

void
progress_start(const struct output *output)
{
	struct sigaction action = { .sa_handler = on_usr1 };

	progress.output = output;
	progress.rows = 0;
	progress.shown = false;
	progress.live = wants_line(output);
	progress.started_ms = progress.told_ms = clock_steady_ms();
	sigemptyset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
}

static void
tell(const char *before, const char *after)
{
	char rows[NUMBER_TEXT_SIZE];

	fprintf(stderr, "%s%s: %s: ", before, progress.output->program,
	    progress.output->command);
	if (progress.line != NULL)
		fprintf(stderr, "%s%s", progress.line, after);
	else
		fprintf(stderr, "read %s rows%s",
		    number_print_grouped(rows, progress.rows), after);
	fflush(stderr);
}

void
progress_poll(void)
{
	if (!asked)
		return;
	asked = 0;
	tell(progress.shown ? "\r\033[K" : "", "\n");
	progress.shown = false;
}

static void
repaint(void)
{
	int64_t now_ms = clock_steady_ms();

	if (now_ms - progress.started_ms < QUIET_MS ||
	    now_ms - progress.told_ms < BETWEEN_MS)
		return;
	progress.told_ms = now_ms;
	progress.shown = true;
	tell("\r\033[K", "");
}

void
progress_rows(int64_t rows)
{
	progress.rows = rows;
	if (asked)
		progress_poll();
	if (progress.live && rows % ROWS_A_LOOK == 0)
		repaint();
}

void
progress_line(const char *line)
{
	progress.line = line;
	if (asked)
		progress_poll();
	if (progress.live)
		repaint();
	progress.line = NULL;
}

void
progress_count(const char *what, int64_t done, int64_t all)
{
	char some[NUMBER_TEXT_SIZE], whole[NUMBER_TEXT_SIZE], line[120];

	snprintf(line, sizeof(line), "%s of %s rows %s",
	    number_print_grouped(some, done), number_print_grouped(whole, all),
	    what);
	progress_line(line);
}

void
progress_end(void)
{
	if (progress.shown)
		fputs("\r\033[K", stderr);
	progress.shown = progress.live = false;
	signal(SIGUSR1, SIG_IGN); /* a late one must not end the commit */
}
