#include "demo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/number.h"
#include "base/text.h"
#include "queue/db.h"
#include "queue/lock.h"
#include "queue/queue.h"
#include "cli.h"

#define SECRET_ID "AKIDmonspooldemo"
#define PATIENCE_MS 60000
#define LOOK_MS 5

static volatile sig_atomic_t interrupted; /* the signal's number */

static void
on_signal(int number)
{
	interrupted = number;
}

void
demo_path(const struct demo *demo, const char *name, char path[DEMO_PATH + 32])
{
	snprintf(path, DEMO_PATH + 32, "%s/%s", demo->dir, name);
}

/* Write a new file that only we may read. */
static int
write_file(const struct demo *demo, const char *name, const char *content,
    struct fault *fault)
{
	char path[DEMO_PATH + 32];
	FILE *file;
	int fd, written;

	demo_path(demo, name, path);
	if ((fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) ==
		-1 ||
	    (file = fdopen(fd, "w")) == NULL)
		return fault_errno(fault, errno, "cannot write %s", path);
	written = fputs(content, file);
	if (fclose(file) != 0 || written < 0)
		return fault_errno(fault, errno, "cannot write %s", path);
	return 0;
}

static int
make_key(const struct demo *demo, struct fault *fault)
{
	unsigned char random[16];
	char key[2 * sizeof(random) + 2];
	size_t i;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return fault_errno(fault, errno, "cannot make a key");
	for (i = 0; i < sizeof(random); i++)
		snprintf(key + 2 * i, 3, "%02x", random[i]);
	strcat(key, "\n");
	return write_file(demo, "secret.key", key, fault);
}

/* Short spans, so that the story does not wait for them. */
static int
make_config(const struct demo *demo, struct fault *fault)
{
	struct text text = { 0 };
	int result;

	text_addf(&text,
	    "[queue]\npath = %s\nreserve = 0\n"
	    "[receiver]\nurl = http://127.0.0.1:%" PRId64 "/v2/index.php\n"
	    "[account]\nsecret_id = " SECRET_ID "\n"
	    "secret_key_file = %s/secret.key\nregion = gz\n"
	    "[retry]\nbase = 100ms\nmax = 1s\n"
	    "[rate]\nrequests_per_second = 0\n",
	    demo->queue, demo->port, demo->dir);
	result = write_file(demo, "monspool.conf", text_string(&text), fault);
	text_free(&text);
	return result;
}

static int
make_directory(struct demo *demo, struct fault *fault)
{
	const char *parent = getenv("TMPDIR");
	int len;

	if (parent == NULL || parent[0] == '\0')
		parent = "/tmp";
	len = snprintf(
	    demo->dir, sizeof(demo->dir), "%s/monspool-demo-XXXXXX", parent);
	if (len < 0 || (size_t)len >= sizeof(demo->dir) ||
	    mkdtemp(demo->dir) == NULL) {
		fault_errno(
		    fault, errno, "cannot make a directory in %.100s", parent);
		fault->kind = FAULT_CANNOT_CREATE;
		fault_hint(fault, "TMPDIR=DIRECTORY monspool demo");
		demo->dir[0] = '\0';
		return -1;
	}
	demo_path(demo, "spool/queue.db", demo->queue);
	return 0;
}

/* The caller's settings must not lead the children to the caller's own queue
 * or key. */
static void
clear_environment(void)
{
	static const char *const PREFIXES[] = { "MONSPOOL_", "TENCENTCLOUD_",
		"CREDENTIALS_DIRECTORY=" };
	extern char **environ;
	char name[128];
	size_t i, at = 0;

	while (environ[at] != NULL) {
		for (i = 0; i < sizeof(PREFIXES) / sizeof(*PREFIXES); i++)
			if (strncmp(environ[at], PREFIXES[i],
				strlen(PREFIXES[i])) == 0)
				break;
		snprintf(name, sizeof(name), "%.*s",
		    (int)strcspn(environ[at], "="), environ[at]);
		if (i == sizeof(PREFIXES) / sizeof(*PREFIXES) ||
		    unsetenv(name) != 0)
			at++;
		else
			at = 0; /* they moved */
	}
}

int
demo_open(struct demo *demo, struct fault *fault)
{
	struct queue_init init = { .path = demo->queue,
		.any_filesystem = true };
	bool created;

	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	clear_environment();
	if (cli_find_program("monspool-receiver", demo->receiver_program,
		sizeof(demo->receiver_program), fault) ||
	    cli_find_program("monspoold", demo->forwarder_program,
		sizeof(demo->forwarder_program), fault) ||
	    make_directory(demo, fault) || make_key(demo, fault) ||
	    queue_init(&init, &created, fault))
		return -1;
	demo->db = queue_open(demo->queue, DB_WRITER, -1, &demo->config, fault);
	return demo->db != NULL ? 0 : -1;
}

/* Remove the files of ${path}, and it; what is left behind is no failure of
 * the story. */
static void
remove_directory(const char *path)
{
	struct dirent *entry;
	DIR *dir;

	if ((dir = opendir(path)) == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	rmdir(path);
}

void
demo_close(struct demo *demo)
{
	char spool[DEMO_PATH + 32];

	demo_end(&demo->forwarder, SIGTERM);
	demo_end(&demo->receiver, SIGTERM);
	db_close(demo->db);
	demo->db = NULL;
	if (!demo->keep && demo->dir[0] != '\0') {
		demo_path(demo, "spool", spool);
		remove_directory(spool);
		remove_directory(demo->dir);
	}
	if (interrupted != 0) {
		signal(interrupted, SIG_DFL);
		raise(interrupted);
	}
}

/* In the child: its words go to a file, and it ends with us. */
static void
become(const struct demo *demo, const char *log, const char *const argv[])
{
	/* execv() takes char *, and changes nothing. */
	union {
		const char *const *constant;
		char *const *plain;
	} both = { .constant = argv };
	char path[DEMO_PATH + 32];
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	demo_path(demo, log, path);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd != -1) {
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
	}
	signal(SIGINT, SIG_IGN); /* the parent ends it */
	execv(argv[0], both.plain);
	_exit(127);
}

int
demo_spawn(struct demo *demo, const char *log, const char *const argv[],
    pid_t *child, struct fault *fault)
{
	if ((*child = fork()) == -1) {
		*child = 0;
		return fault_errno(fault, errno, "cannot start %s", argv[0]);
	}
	if (*child == 0)
		become(demo, log, argv);
	return 0;
}

static bool
port_is_known(struct demo *demo, int64_t number)
{
	char path[DEMO_PATH + 32], port[16] = "";
	FILE *file;

	(void)number;
	demo_path(demo, "port", path);
	if ((file = fopen(path, "re")) == NULL)
		return false;
	if (fgets(port, sizeof(port), file) == NULL)
		port[0] = '\0';
	fclose(file);
	port[strcspn(port, "\n")] = '\0';
	return number_read_whole(port, 1, 65535, &demo->port) == 0;
}

int
demo_start_receiver(struct demo *demo, const char *trouble, struct fault *fault)
{
	char listen[32], port[DEMO_PATH + 32], record[DEMO_PATH + 32],
	    requests[DEMO_PATH + 32], key[DEMO_PATH + 32];
	const char *argv[] = { demo->receiver_program, "-q", "--listen", listen,
		"--port-file", port, "--record", record, "--requests", requests,
		"--secret-id", SECRET_ID, "--secret-key-file", key,
		"--namespace", "cvm:diskusage:diskname,ip", "--namespace", "pc",
		trouble != NULL ? "--fault" : NULL, trouble, NULL };

	snprintf(listen, sizeof(listen), "127.0.0.1:%" PRId64, demo->port);
	demo_path(demo, "port", port);
	demo_path(demo, "record", record);
	demo_path(demo, "requests", requests);
	demo_path(demo, "secret.key", key);
	unlink(port);
	if (demo_spawn(demo, "receiver.log", argv, &demo->receiver, fault) ||
	    demo_wait(demo, port_is_known, 0, "the receiver listens", fault))
		return -1;
	return make_config(demo, fault);
}

static bool
forwarder_runs(struct demo *demo, int64_t number)
{
	(void)number;
	return lock_held(db_place(demo->db)->lock, NULL);
}

int
demo_start_forwarder(struct demo *demo, struct fault *fault)
{
	char config[DEMO_PATH + 32];
	const char *argv[] = { demo->forwarder_program, "-Q", demo->queue, "-C",
		config, NULL };

	demo_path(demo, "monspool.conf", config);
	if (demo_spawn(demo, "forwarder.log", argv, &demo->forwarder, fault))
		return -1;
	return demo_wait(demo, forwarder_runs, 0, "the forwarder runs", fault);
}

void
demo_end(pid_t *child, int signal)
{
	if (*child == 0)
		return;
	kill(*child, signal);
	while (waitpid(*child, NULL, 0) == -1 && errno == EINTR)
		;
	*child = 0;
}

/* A child that ended by itself will never make a condition true. */
static int
check_child(
    struct demo *demo, pid_t *child, const char *log, struct fault *fault)
{
	int status;

	if (*child == 0 || waitpid(*child, &status, WNOHANG) != *child)
		return 0;
	*child = 0;
	demo->keep = true;
	fault_set(fault, FAULT_INTERNAL, "a program of the demo ended early");
	fault_why(fault, "exit %d, signal %d",
	    WIFEXITED(status) ? WEXITSTATUS(status) : 0,
	    WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	fault_hint(fault, "cat %s/%s", demo->dir, log);
	return -1;
}

int
demo_wait(struct demo *demo, demo_condition *condition, int64_t number,
    const char *what, struct fault *fault)
{
	const struct timespec look = { .tv_nsec = LOOK_MS * 1000000L };
	int64_t deadline_ms = clock_steady_ms() + PATIENCE_MS;

	while (!condition(demo, number)) {
		if (interrupted != 0)
			return fault_set(fault, FAULT_INTERNAL, "interrupted");
		if (check_child(demo, &demo->receiver, "receiver.log", fault) ||
		    check_child(demo, &demo->forwarder, "forwarder.log", fault))
			return -1;
		if (clock_steady_ms() > deadline_ms) {
			demo->keep = true;
			fault_set(fault, FAULT_INTERNAL,
			    "not within a minute: %s", what);
			fault_hint(fault, "cat %s/*.log", demo->dir);
			return -1;
		}
		nanosleep(&look, NULL);
	}
	return 0;
}
