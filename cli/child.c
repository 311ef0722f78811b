#include "child.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

extern char **environ;

#define CANNOT_EXECUTE 126
#define NOT_FOUND 127
#define SIGNALLED 128

static const int PASSED_ON[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1,
	SIGUSR2 };

/* From here on they wait until they are asked for.  The mask before goes into
 * ${before}. */
static void
block(sigset_t *blocked, sigset_t *before)
{
	size_t i;

	sigemptyset(blocked);
	sigaddset(blocked, SIGCHLD);
	for (i = 0; i < sizeof(PASSED_ON) / sizeof(*PASSED_ON); i++)
		sigaddset(blocked, PASSED_ON[i]);
	signal(SIGCHLD, SIG_DFL); /* ignored, it would take the status away */
	sigprocmask(SIG_BLOCK, blocked, before);
}

/* Return 0, or an errno. */
static int
start(char *const argv[], const sigset_t *mask, pid_t *pid)
{
	posix_spawnattr_t attributes;
	int error;

	if ((error = posix_spawnattr_init(&attributes)) != 0)
		return error;
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attributes, mask);
	error = posix_spawnp(pid, argv[0], NULL, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	return error;
}

/* Whether it is over; then ${status} tells how. */
static bool
is_over(pid_t pid, int *status)
{
	pid_t ended;

	while ((ended = waitpid(pid, status, WNOHANG)) == -1 && errno == EINTR)
		;
	return ended != 0;
}

static int
await(pid_t pid, const sigset_t *blocked)
{
	siginfo_t info;
	int status = 0;

	while (!is_over(pid, &status)) {
		if (sigwaitinfo(blocked, &info) == -1)
			continue;
		/* What the terminal sends goes to the whole process group. */
		if (info.si_signo != SIGCHLD && info.si_code <= 0)
			kill(pid, info.si_signo);
	}
	return WIFSIGNALED(status) ? SIGNALLED + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

void
child_run(char *const argv[], struct child *child)
{
	int64_t started_ms = clock_steady_ms();
	sigset_t blocked, before;
	pid_t pid;

	block(&blocked, &before);
	child->error = start(argv, &before, &pid);
	if (child->error == 0)
		child->exit = await(pid, &blocked);
	else
		child->exit = child->error == ENOENT ? NOT_FOUND
						     : CANNOT_EXECUTE;
	child->took_ms = clock_steady_ms() - started_ms;
}
