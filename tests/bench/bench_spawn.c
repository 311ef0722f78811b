/* links: base */
/*
 * bench_spawn ROUNDS -- COMMAND... [-- COMMAND...]: run the commands in turn,
 * ROUNDS times.  Prints a line a round, the milliseconds of each command.
 */
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include "bench.h"

extern char **environ;

static double
run(char *command[], const posix_spawn_file_actions_t *quiet)
{
	double begun = bench_ms();
	int status;
	pid_t pid;

	bench_need(
	    posix_spawnp(&pid, command[0], quiet, NULL, command, environ) == 0,
	    command[0]);
	bench_need(waitpid(pid, &status, 0) == pid && status == 0, command[0]);
	return bench_ms() - begun;
}

int
main(int argc, char *argv[])
{
	posix_spawn_file_actions_t quiet;
	char **commands[8];
	int count = 0;
	long rounds;

	bench_need(argc > 3, "usage");
	rounds = atol(argv[1]);
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--") != 0)
			continue;
		bench_need(count < 8, "usage");
		commands[count++] = &argv[i + 1];
		argv[i] = NULL;
	}
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	while (rounds-- > 0)
		for (int i = 0; i < count; i++)
			printf("%.4f%c", run(commands[i], &quiet),
			    i == count - 1 ? '\n' : ' ');
	return 0;
}
