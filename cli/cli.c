#include "cli.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "base/configfile.h"
#include "base/fault.h"
#include "queue/place.h"
#include "queue/queue.h"

int
cli_fail(const struct cli *cli, const struct fault *fault)
{
	return output_fault(&cli->output, fault);
}

int
cli_read_config(
    const struct cli *cli, struct config *config, struct fault *fault)
{
	static struct configfile found; /* too large for the stack */
	char path[CONFIG_PATH];
	size_t i;

	if (configfile_find(cli->config_file, path, sizeof(path), fault))
		return -1;
	if (configfile_read(path, config, &found)) {
		*fault = found.problems[0];
		return -1;
	}
	for (i = 0; i < found.warning_count && i < CONFIGFILE_PROBLEMS; i++)
		output_note(&cli->output, &found.warnings[i]);
	return 0;
}

int
cli_queue_path(const struct cli *cli, const char **path, struct fault *fault)
{
	static struct config config;
	const char *environment = getenv("MONSPOOL_QUEUE");

	if (cli->queue != NULL)
		*path = cli->queue;
	else if (environment != NULL && environment[0] != '\0')
		*path = environment;
	else {
		if (cli_read_config(cli, &config, fault))
			return -1;
		*path = config.queue.path;
	}
	return 0;
}

struct db *
cli_open(const struct cli *cli, enum db_kind kind, struct config *config,
    struct fault *fault)
{
	const char *path;
	struct fault note = { 0 };

	if (cli_queue_path(cli, &path, fault))
		return NULL;
	if (cli->verbose > 0) {
		fault_set(&note, FAULT_NONE, "is the queue");
		snprintf(note.file, sizeof(note.file), "%.*s",
		    (int)sizeof(note.file) - 1, path);
		output_note(&cli->output, &note);
	}
	return queue_open(path, kind, cli->busy_timeout_ms, config, fault);
}

/* The directory of this program into ${dir}. */
static int
own_directory(char *dir, size_t size)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (len <= 0)
		return -1;
	self[len] = '\0';
	return snprintf(dir, size, "%s", dirname(self)) < (int)size ? 0 : -1;
}

/* Whether ${dir}/${program} can be run; its path into ${path}. */
static bool
usable(const char *dir, const char *program, char *path, size_t size)
{
	int len = snprintf(path, size, "%s/%s", dir, program);

	return len > 0 && (size_t)len < size && access(path, X_OK) == 0;
}

static bool
find_in_path(const char *program, char *path, size_t size)
{
	const char *dirs = getenv("PATH");
	char dir[PATH_MAX];
	size_t len;

	for (; dirs != NULL && *dirs != '\0'; dirs += len + (dirs[len] != 0)) {
		len = strcspn(dirs, ":");
		if (len == 0 || len >= sizeof(dir))
			continue;
		memcpy(dir, dirs, len);
		dir[len] = '\0';
		if (usable(dir, program, path, size))
			return true;
	}
	return false;
}

int
cli_find_program(
    const char *program, char *path, size_t size, struct fault *fault)
{
	char own[PATH_MAX], sbin[PATH_MAX + 16];

	if (own_directory(own, sizeof(own)) == 0) {
		snprintf(sbin, sizeof(sbin), "%s/../sbin", own);
		if (usable(own, program, path, size) ||
		    usable(sbin, program, path, size))
			return 0;
	}
	if (find_in_path(program, path, size))
		return 0;
	fault_set(
	    fault, FAULT_NOT_FOUND, "the program %s is not installed", program);
	fault_hint(fault,
	    "install it beside monspool, or add its directory "
	    "to PATH");
	return -1;
}

/* Whether both names lead to one file. */
static bool
same_file(const char *one, const char *other)
{
	struct stat left, right;

	return stat(one, &left) == 0 && stat(other, &right) == 0 &&
	    left.st_dev == right.st_dev && left.st_ino == right.st_ino;
}

const char *
cli_own_name(char *path, size_t size)
{
	char own[PATH_MAX], here[PATH_MAX];
	const char *bare = "monspool";
	size_t len;

	if (own_directory(own, sizeof(own)) || !usable(own, bare, path, size) ||
	    (find_in_path(bare, here, sizeof(here)) && same_file(here, path)))
		return bare;
	if (getcwd(here, sizeof(here)) == NULL)
		return path;
	len = strlen(here);
	if (strncmp(path, here, len) != 0 || path[len] != '/' ||
	    strchr(path + len + 1, '/') == NULL)
		return path;
	return path + len + 1; /* shorter, and still a path */
}

int
cli_exec(const char *program, char **argv, struct fault *fault)
{
	char path[PATH_MAX];

	if (cli_find_program(program, path, sizeof(path), fault))
		return -1;
	execv(path, argv);
	return fault_errno(fault, errno, "cannot run %s", path);
}
