#define _GNU_SOURCE /* ppoll() */
#include "stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "base/fault.h"

static const int WATCHED[] = { SIGINT, SIGTERM, SIGHUP };
#define WATCHED_COUNT (sizeof(WATCHED) / sizeof(*WATCHED))

static volatile sig_atomic_t caught; /* its number */

/* The next one, whichever it is, ends the program. */
static void
on_signal(int number)
{
	struct sigaction now;
	size_t i;

	caught = number;
	for (i = 0; i < WATCHED_COUNT; i++)
		if (sigaction(WATCHED[i], NULL, &now) == 0 &&
		    now.sa_handler == on_signal)
			signal(WATCHED[i], SIG_DFL);
}

void
stop_watch(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct sigaction before;
	size_t i;

	sigemptyset(&action.sa_mask);
	for (i = 0; i < WATCHED_COUNT; i++)
		if (sigaction(WATCHED[i], NULL, &before) == 0 &&
		    before.sa_handler != SIG_IGN)
			sigaction(WATCHED[i], &action, NULL);
}

int
stop_check(struct fault *fault)
{
	if (caught == 0)
		return 0;
	return fault_set(
	    fault, FAULT_INTERRUPTED, "interrupted (%s)", strsignal(caught));
}

int
stop_poll(int fd, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	struct timespec timeout = { .tv_sec = timeout_ms / 1000,
		.tv_nsec = timeout_ms % 1000 * 1000000L };
	sigset_t watched, before;
	int ready = -1, error;
	size_t i;

	sigemptyset(&watched);
	for (i = 0; i < WATCHED_COUNT; i++)
		sigaddset(&watched, WATCHED[i]);
	sigprocmask(SIG_BLOCK, &watched, &before);
	if (caught != 0)
		errno = EINTR;
	else
		ready = ppoll(
		    &poll_fd, 1, timeout_ms < 0 ? NULL : &timeout, &before);
	error = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return ready;
}

void
stop_end(void)
{
	if (caught != SIGINT)
		return;
	signal(SIGINT, SIG_DFL);
	raise(SIGINT);
}
