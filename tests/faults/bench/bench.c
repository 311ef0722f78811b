#define _XOPEN_SOURCE 700
#include "bench.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOWER 20
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SLOWER 20
#endif
#endif
#ifndef SLOWER
#define SLOWER 1
#endif

#define PLAIN_SEED 20261124

uint64_t
bench_start(int argc, char **argv)
{
	const char *told = argc > 1 ? argv[1] : getenv("MONSPOOL_SEED");
	struct timespec now;

	alarm(bench_torture() ? 5400 : 900);
	if (told != NULL && told[0] != '\0')
		return strtoull(told, NULL, 10);
	/* What the plain run finds it finds again; torture looks further. */
	if (!bench_torture())
		return PLAIN_SEED;
	clock_gettime(CLOCK_REALTIME, &now);
	return ((uint64_t)now.tv_sec * 1000003 + (uint64_t)now.tv_nsec) %
	    1000000000;
}

bool
bench_torture(void)
{
	const char *told = getenv("MONSPOOL_TORTURE");

	return told != NULL && strcmp(told, "1") == 0;
}

int64_t
bench_count(int64_t small, int64_t large)
{
	int64_t count = (bench_torture() ? large : small) / SLOWER;

	return count > 0 ? count : 1;
}

uint64_t
bench_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15U); /* splitmix64 */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

int
bench_below(uint64_t *state, int bound)
{
	return (int)(bench_random(state) % (uint64_t)bound);
}

static int
remove_dir(const char *dir)
{
	char path[512];
	struct dirent *entry;
	DIR *list = opendir(dir);
	int failed = 0;

	if (list == NULL)
		return -1;
	while ((entry = readdir(list)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		failed |= remove(path);
	}
	closedir(list);
	return failed | rmdir(dir);
}

/* The directories there are, to be removed when a test gives up. */
#define DIRS_MOST 8
static char dirs[DIRS_MOST][BENCH_DIR];
static pid_t dirs_owner;

static void
remove_left(void)
{
	int i;

	for (i = 0; i < DIRS_MOST && dirs_owner == getpid(); i++)
		if (dirs[i][0] != '\0')
			remove_dir(dirs[i]);
}

static void
remember(const char *dir)
{
	int i;

	if (dirs_owner == 0 && atexit(remove_left) == 0)
		dirs_owner = getpid();
	for (i = 0; i < DIRS_MOST; i++)
		if (dirs[i][0] == '\0') {
			strcpy(dirs[i], dir);
			return;
		}
}

static void
forget(const char *dir)
{
	int i;

	for (i = 0; i < DIRS_MOST; i++)
		if (strcmp(dirs[i], dir) == 0)
			dirs[i][0] = '\0';
}

void
bench_dir(char dir[BENCH_DIR])
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, BENCH_DIR, "/dev/shm/monspool.XXXXXX");
	if (mkdtemp(dir) == NULL) {
		snprintf(dir, BENCH_DIR, "%.40s/monspool.XXXXXX",
		    tmp == NULL ? "/tmp" : tmp);
		if (mkdtemp(dir) == NULL)
			bench_die("cannot make the directory %s", dir);
	}
	remember(dir);
}

void
bench_remove_dir(const char *dir)
{
	forget(dir);
	if (remove_dir(dir))
		bench_die("cannot remove the directory %s", dir);
}

double
bench_cpu(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

void
bench_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}
