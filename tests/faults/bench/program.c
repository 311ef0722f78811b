#define _GNU_SOURCE /* waitid(), prctl() */
#include "program.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define ARGS_MOST 32
#define PATIENCE_MS 30000

/* In the child. */
static void
become(char *const args[], pid_t parent)
{
	static char locale[] = "LC_ALL=C.UTF-8", home[] = "HOME=/nonexistent";
	char *const environment[] = { locale, home, NULL };
	int nothing = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	dup2(nothing, 0);
	if (getenv("MONSPOOL_BENCH_LOUD") == NULL) {
		dup2(nothing, 1);
		dup2(nothing, 2);
	}
	execve(args[0], args, environment);
	_exit(127);
}

pid_t
program_start(char *const args[])
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0)
		become(args, parent);
	if (pid == -1)
		bench_die("cannot start %s", args[0]);
	return pid;
}

int
program_end(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		bench_die("a child got lost");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
program_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	return program_end(pid);
}

int
program_stop(pid_t pid)
{
	kill(pid, SIGTERM);
	return program_end(pid);
}

bool
program_runs(pid_t pid)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) ==
	    0 &&
	    info.si_pid == 0;
}

static int
read_port(const char *path)
{
	FILE *file = fopen(path, "r");
	int port = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%d", &port) != 1)
		port = 0;
	fclose(file);
	return port;
}

pid_t
program_receiver(const char *dir, char *const args[], int *port)
{
	static const struct timespec nap = { .tv_nsec = 1000000 };
	char program[] = BUILD_DIR "/cli/monspool-receiver";
	char quiet[] = "-q", option[] = "--port-file", path[512];
	char *all[ARGS_MOST] = { program, quiet, option, path };
	int i, waited = 0;
	pid_t pid;

	snprintf(path, sizeof(path), "%.400s/port", dir);
	for (i = 0; args[i] != NULL && i < ARGS_MOST - 5; i++)
		all[i + 4] = args[i];
	pid = program_start(all);
	while ((*port = read_port(path)) == 0) {
		if (!program_runs(pid) || waited++ > PATIENCE_MS)
			bench_die("the receiver does not listen");
		nanosleep(&nap, NULL);
	}
	return pid;
}
