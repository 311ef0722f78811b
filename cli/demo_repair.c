#include "demo.h"

#include <errno.h>
#include <limits.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"

#define WORDS_MOST 12

/* The path of this program. */
static int
find_self(char path[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (len <= 0)
		return -1;
	path[len] = '\0';
	return 0;
}

/* Run "monspool WORDS" on the demo's queue, to its end. */
static int
run(struct demo *demo, const char *const words[], struct fault *fault)
{
	char self[PATH_MAX];
	const char *argv[WORDS_MOST + 4] = { self, "-Q", demo->queue };
	pid_t child;
	int status = -1;
	size_t i;

	for (i = 0; i < WORDS_MOST && words[i] != NULL; i++)
		argv[3 + i] = words[i];
	if (find_self(self))
		return fault_errno(fault, errno, "cannot find monspool itself");
	if (demo_spawn(demo, "repair.log", argv, &child, fault))
		return -1;
	while (waitpid(child, &status, 0) == -1 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	demo->keep = true;
	fault_set(
	    fault, FAULT_INTERNAL, "monspool %s %s failed", words[0], words[1]);
	fault_hint(fault, "cat %s/repair.log", demo->dir);
	return -1;
}

int
demo_repair(struct demo *demo, struct fault *fault)
{
	static const char *const RENAME[] = { "dead", "edit", "--code", "1016",
		"--set", "namespace=cvm", "--yes", NULL };
	static const char *const DIMENSION[] = { "dead", "edit", "--code",
		"1017", "--rename-dim", "diskname_=diskname", "--yes", NULL };
	static const char *const REPLAY[] = { "dead", "replay", "--all",
		"--yes", NULL };

	return run(demo, RENAME, fault) || run(demo, DIMENSION, fault) ||
		run(demo, REPLAY, fault)
	    ? -1
	    : 0;
}
