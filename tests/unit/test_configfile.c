/* links: base */
#include "base/configfile.h"

#include <ctype.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"

#define NOBODY 65534

static char dir[64], file[96];
static struct config config;
static struct configfile found;

static int
make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_configfile.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(file, sizeof(file), "%s/monspool.conf", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static void
write_file(const char *bytes, size_t len)
{
	FILE *out = fopen(file, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(bytes, 1, len, out), len);
	assert_int_equal(fclose(out), 0);
}

static int
read_bytes(const char *bytes, size_t len)
{
	write_file(bytes, len);
	return configfile_read(file, &config, &found);
}

static int
read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

static void
assert_good(const char *text)
{
	if (read_text(text))
		fail_msg("%s: line %ld: %s", text, found.problems[0].line,
		    found.problems[0].message);
	assert_string_equal(found.path, file);
	assert_int_equal(found.warning_count, 0);
}

/* The problem ${i} is on ${line}, and its message and hint have these words. */
static void
assert_problem(size_t i, long line, const char *message, const char *hint)
{
	const struct fault *fault = &found.problems[i];

	assert_true(i < found.problem_count);
	assert_int_equal(fault->kind, FAULT_BAD_CONFIG);
	assert_string_equal(fault->file, file);
	if (fault->line != line || strstr(fault->message, message) == NULL ||
	    strstr(fault->hint, hint) == NULL)
		fail_msg("line %ld: %s (%s), not %ld: %s (%s)", fault->line,
		    fault->message, fault->hint, line, message, hint);
	assert_string_not_equal(fault->hint, "");
	assert_int_equal(
	    text_control(fault->message, strlen(fault->message)), -1);
}

/* ---- the file ---- */

static void
reads_sections_names_and_keys(void **state)
{
	(void)state;
	assert_good("# a comment\n"
		    "; and another\n"
		    "\n"
		    "[queue]\n"
		    "path = /tmp/a b.db\n"
		    "  max_size=1G  \n"
		    "\tbusy_timeout\t=\t1m30s\t\n"
		    "   # indented\n"
		    "[ account ]\n"
		    "region = gz\n"
		    "[account \"other\"]\n"
		    "region = sh\n"
		    "[codes]\n"
		    "1017 = hold\n"
		    "http_413 = split\n"
		    "[receiver]\n"
		    "url = http://localhost:8080/v2/index.php\n"
		    "[queue]\n"
		    "reserve = 0\n");
	assert_string_equal(config.queue.path, "/tmp/a b.db");
	assert_int_equal(config.queue.max_size, 1024 * 1024 * 1024);
	assert_int_equal(config.queue.busy_timeout_ms, 90000);
	assert_int_equal(config.queue.reserve, 0);
	assert_string_equal(config_account(&config, "default")->region, "gz");
	assert_string_equal(config_account(&config, "other")->region, "sh");
	assert_int_equal(config.code_count, 2);
	assert_string_equal(config.codes[1].name, "http_413");
	assert_string_equal(
	    config.receiver.url, "http://localhost:8080/v2/index.php");
}

static void
gives_the_defaults_without_a_file(void **state)
{
	struct config *defaults = malloc(sizeof(*defaults));

	(void)state;
	assert_non_null(defaults);
	config_defaults(defaults);
	assert_int_equal(configfile_read("", &config, &found), 0);
	assert_memory_equal(&config, defaults, sizeof(config));
	assert_string_equal(found.path, "");
	free(defaults);
}

static void
takes_an_empty_file_and_one_without_a_last_newline(void **state)
{
	(void)state;
	assert_good("");
	assert_good("\n\n");
	assert_good("# only a comment");
	assert_good("[batch]\nmax_rows = 7");
	assert_int_equal(config.batch.max_rows, 7);
}

static void
takes_crlf_and_a_byte_order_mark(void **state)
{
	(void)state;
	assert_good("\xef\xbb\xbf[batch]\r\n"
		    "# comment\r\n"
		    "\r\n"
		    "max_rows = 7\r\n"
		    "max_bytes = 8K\r\n");
	assert_int_equal(config.batch.max_rows, 7);
	assert_int_equal(config.batch.max_bytes, 8192);
	/* But at the start alone. */
	assert_int_equal(read_text("[batch]\n\xef\xbb\xbfmax_rows = 7\n"), -1);
	assert_problem(0, 2, "control character", "remove");
}

struct problem_case {
	const char *text;
	long line;
	const char *message, *hint;
};

static void
tells_each_problem_with_line_and_hint(void **state)
{
	static const struct problem_case CASES[] = {
		{ "\n[queue]\nmax_sise = 1G\n", 3, "queue.max_sise",
		    "max_size" },
		{ "[queue]\nmax_size = lots\n", 2, "\"lots\"", "64K" },
		{ "[batch]\nmax_rows = 0\n", 2, "\"0\"", "from 1 to" },
		{ "[quueue]\n", 1, "[quueue]", "queue" },
		{ "[quueue]\npath = /x\nmax_size = 1G\n", 1, "[quueue]",
		    "queue" },
		{ "[]\n", 1, "section", "" },
		{ "[\n", 1, "section", "write [section]" },
		{ "[queue\npath = /x\n", 1, "section", "write [section]" },
		{ "[queue]]\n", 1, "[queue]]", "" },
		{ "[queue] x\n", 1, "section", "write [section]" },
		{ "[account \"x]\n", 1, "section", "\"name\"" },
		{ "[account \"\"]\n", 1, "section", "\"name\"" },
		{ "[account \"a\"b\"]\n", 1, "section", "\"name\"" },
		{ "[account \"a\" b]\n", 1, "section", "\"name\"" },
		{ "[batch \"x\"]\nmax_rows = 1\n", 1, "no name",
		    "write [batch]" },
		{ "[outbox]\npath = /x\n", 1, "name of its own",
		    "[outbox \"name\"]" },
		{ "path = /x\n", 1, "above the first section", "below" },
		{ "[queue]\npath\n", 2, "neither", "key = value" },
		{ "[queue]\n= /x\n", 2, "neither", "key = value" },
		{ "[queue]\npath: /x\n", 2, "neither", "key = value" },
		{ "[queue]\npath: x = /x\n", 2, "neither", "key = value" },
		{ "[queue]\npath = /x ; here\n", 2, "comment", "own" },
		{ "[queue]\npath = /x\t# here\n", 2, "comment", "own" },
		{ "[queue]\npath = \"/x\"\n", 2, "quotes", "without" },
		{ "[queue]\npath = '/x'\n", 2, "quotes", "without" },
		{ "[queue]\npath =\n", 2, "\"\"", "empty" },
		{ "[queue]\npath = /\xff\n", 2, "UTF-8", "UTF-8" },
		{ "[queue]\npath = /a\x1b[1m\n", 2, "control", "remove" },
		{ "[queue]\npath = /a\tb\n", 2, "\\x09", "control" },
		{ "[queue]\npath = /x\r/y\n", 2, "control", "remove" },
		{ "[queue]\npath = /x\n\npath = /y\n", 4,
		    "set before, on "
		    "line 2",
		    "one of the two" },
		{ "[codes]\n0 = hold\n", 2, "codes.0", "never 0" },
		{ "[codes]\n1017 = holt\n", 2, "\"holt\"", "hold" },
		{ "[queue]\nreserve = 5M\n", 2, "queue.reserve", "6M" },
		{ "[queue]\n\nwal_max = 7M\n", 3, "queue.reserve", "wal_max" },
		{ "[retry]\nbase = 10m\n", 2, "retry.max", "raise" },
		{ "[retry]\nbase = 10m\nmax = 1s\n", 3, "retry.max", "raise" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		if (read_text(CASES[i].text) == 0)
			fail_msg("%s was taken", CASES[i].text);
		assert_problem(0,
		    CASES[i].line > 0 ? CASES[i].line : found.problems[0].line,
		    CASES[i].message, CASES[i].hint);
		assert_true(found.problems[0].line > 0);
		assert_int_equal(found.problem_count, 1);
	}
}

static void
tells_all_problems_not_the_first_alone(void **state)
{
	(void)state;
	assert_int_equal(read_text("[queue]\n"
				   "nonsense\n"
				   "max_size = x\n"
				   "[nothing]\n"
				   "a = b\n"
				   "[batch]\n"
				   "more nonsense\n"
				   "max_rows = 1\n"
				   "max_rows = 2\n"),
	    -1);
	assert_int_equal(found.problem_count, 5);
	assert_problem(0, 2, "neither", "");
	assert_problem(1, 3, "queue.max_size", "");
	assert_problem(2, 4, "[nothing]", "");
	assert_problem(3, 7, "neither", "");
	assert_problem(4, 9, "set before", "");
}

static void
counts_no_more_problems_than_there_is_room(void **state)
{
	struct text text = { 0 };
	int i;

	(void)state;
	text_adds(&text, "[queue]\n");
	for (i = 0; i < 1000; i++)
		text_adds(&text, "nonsense\n");
	assert_int_equal(read_text(text.data), -1);
	assert_int_equal(found.problem_count, CONFIGFILE_PROBLEMS);
	text_free(&text);
}

static void
takes_the_same_key_under_another_name(void **state)
{
	(void)state;
	assert_good("[account]\nregion = gz\n[account \"a\"]\nregion = sh\n"
		    "[account \"b\"]\nregion = bj\n");
	assert_int_equal(
	    read_text("[account \"a\"]\nregion = gz\n[account \"b\"]\n"
		      "region = gz\n[account \"a\"]\nregion = gz\n"),
	    -1);
	assert_problem(0, 6, "line 2", "");
	assert_int_equal(read_text("[account]\nregion = gz\n"
				   "[account \"default\"]\nregion = sh\n"),
	    -1);
	assert_problem(0, 4, "line 2", "");
}

static void
refuses_long_lines_and_goes_on_behind_them(void **state)
{
	struct text text = { 0 };
	int i;

	(void)state;
	text_adds(&text, "[queue]\npath = /");
	for (i = 0; i < 100000; i++)
		text_addc(&text, 'x');
	text_adds(&text, "\n[batch]\nmax_rows = x\n");
	assert_int_equal(read_text(text.data), -1);
	assert_int_equal(found.problem_count, 2);
	assert_problem(0, 2, "1000 bytes", "");
	assert_problem(1, 4, "batch.max_rows", "");
	/* A comment of 1000 bytes fits, and so does a long path. */
	text_clear(&text);
	text_addc(&text, '#');
	for (i = 0; i < 999; i++)
		text_addc(&text, '#');
	text_addf(&text, "\n[queue]\npath = /%0400d\n", 1);
	assert_good(text.data);
	assert_int_equal(strlen(config.queue.path), 401);
	text_free(&text);
}

static void
refuses_nul_bytes(void **state)
{
	static const char TEXT[] = "[queue]\npath = /x\0y\nmax_size = x\n";

	(void)state;
	assert_int_equal(read_bytes(TEXT, sizeof(TEXT) - 1), -1);
	assert_int_equal(found.problem_count, 2);
	assert_problem(0, 2, "NUL", "right file");
	assert_problem(1, 3, "queue.max_size", "");
}

static void
refuses_what_is_no_file(void **state)
{
	char path[2 * CONFIG_PATH];

	(void)state;
	assert_int_equal(configfile_read(dir, &config, &found), -1);
	assert_int_equal(found.problem_count, 1);
	assert_int_equal(found.problems[0].kind, FAULT_BAD_CONFIG);
	assert_string_equal(found.problems[0].file, dir);
	assert_string_not_equal(found.problems[0].why, "");
	snprintf(path, sizeof(path), "%s/nothing", dir);
	assert_int_equal(configfile_read(path, &config, &found), -1);
	assert_string_equal(found.problems[0].file, path);
	snprintf(path, sizeof(path), "/%01000d", 7);
	assert_int_equal(configfile_read(path, &config, &found), -1);
	assert_non_null(strstr(found.problems[0].message, "too long"));
	assert_string_not_equal(found.problems[0].hint, "");
	/* Of a long path, the end is what tells files apart. */
	assert_memory_equal(found.problems[0].file, "...", 3);
	assert_int_equal(found.problems[0].file[126], '7');
}

static void
warns_of_keys_without_effect(void **state)
{
	const struct config_key *key;
	struct text text = { 0 };
	char variable[CONFIG_NAME];
	int i;

	(void)state;
	for (key = config_keys(); key->section != NULL; key++)
		if (key->no_effect_yet && key->fallback[0] != '\0')
			break;
	if (key->section == NULL)
		skip(); /* all of them have an effect by now */
	text_addf(
	    &text, "[%s]\n%s = %s\n", key->section, key->key, key->fallback);
	assert_int_equal(read_text(text.data), 0);
	text_free(&text);
	assert_int_equal(found.warning_count, 1);
	assert_string_equal(found.warnings[0].file, file);
	assert_int_equal(found.warnings[0].line, 2);
	assert_non_null(strstr(found.warnings[0].message, "no effect yet"));
	assert_string_not_equal(found.warnings[0].hint, "");
	for (i = snprintf(variable, sizeof(variable), "MONSPOOL_%s_%s",
		 key->section, key->key);
	     i-- > 0;)
		variable[i] = (char)toupper((unsigned char)variable[i]);
	setenv(variable, key->fallback, 1);
	assert_int_equal(configfile_read("", &config, &found), 0);
	unsetenv(variable);
	assert_int_equal(found.warning_count, 1);
	assert_string_equal(found.warnings[0].file, variable);
}

/* ---- the environment ---- */

static void
environment_is_over_the_file(void **state)
{
	(void)state;
	setenv("MONSPOOL_BATCH_MAX_ROWS", "5", 1);
	setenv("MONSPOOL_CODES_HTTP_413", "hold", 1);
	assert_int_equal(
	    read_text("[batch]\nmax_rows = 7\nmax_bytes = 8K\n"), 0);
	unsetenv("MONSPOOL_BATCH_MAX_ROWS");
	unsetenv("MONSPOOL_CODES_HTTP_413");
	assert_int_equal(config.batch.max_rows, 5);
	assert_int_equal(config.batch.max_bytes, 8192);
	assert_int_equal(config.code_count, 1);
	assert_string_equal(config.codes[0].name, "http_413");
	assert_string_equal(config.codes[0].verdict, "hold");
}

static void
monspool_queue_is_the_path_of_the_queue(void **state)
{
	(void)state;
	setenv("MONSPOOL_QUEUE", "/tmp/short.db", 1);
	setenv("MONSPOOL_QUEUE_PATH", "/tmp/long.db", 1);
	assert_int_equal(read_text("[queue]\npath = /tmp/file.db\n"), 0);
	assert_string_equal(config.queue.path, "/tmp/short.db");
	assert_int_equal(found.warning_count, 0);
	setenv("MONSPOOL_QUEUE", "", 1);
	assert_int_equal(read_text("[queue]\npath = /tmp/file.db\n"), 0);
	assert_string_equal(config.queue.path, "/tmp/long.db");
	unsetenv("MONSPOOL_QUEUE_PATH");
	assert_int_equal(read_text("[queue]\npath = /tmp/file.db\n"), 0);
	assert_string_equal(config.queue.path, "/tmp/file.db");
	unsetenv("MONSPOOL_QUEUE");
}

static void
tells_which_variable_is_wrong(void **state)
{
	static const struct {
		const char *name, *value, *hint;
	} CASES[] = { { "MONSPOOL_BATCH_MAX_ROWS", "many", "whole number" },
		{ "MONSPOOL_QUEUE_RESERVE", "1M", "6M" },
		{ "MONSPOOL_RETRY_BASE", "1h", "retry.max" },
		{ "MONSPOOL_CODES_0", "hold", "never 0" },
		{ "MONSPOOL_OUTBOX_PATH", "/x", "[outbox \"name\"]" },
		{ "MONSPOOL_RECEIVER_SIGN_HOST", "a\nb", "control" } };
	const struct fault *fault = &found.problems[0];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		setenv(CASES[i].name, CASES[i].value, 1);
		assert_int_equal(configfile_read("", &config, &found), -1);
		unsetenv(CASES[i].name);
		assert_int_equal(found.problem_count, 1);
		assert_string_equal(fault->file, CASES[i].name);
		assert_int_equal(fault->line, 0);
		if (strstr(fault->hint, CASES[i].hint) == NULL)
			fail_msg("%s: %s", CASES[i].name, fault->hint);
	}
}

static void
warns_of_a_slip_in_a_variable(void **state)
{
	(void)state;
	setenv("MONSPOOL_BATCH_MAX_ROW", "5", 1);
	setenv("MONSPOOL_SEED", "1", 1);
	assert_int_equal(configfile_read("", &config, &found), 0);
	unsetenv("MONSPOOL_BATCH_MAX_ROW");
	unsetenv("MONSPOOL_SEED");
	assert_int_equal(found.warning_count, 1);
	assert_string_equal(found.warnings[0].file, "MONSPOOL_BATCH_MAX_ROW");
	assert_non_null(
	    strstr(found.warnings[0].hint, "MONSPOOL_BATCH_MAX_ROWS?"));
	setenv("MONSPOOL_BATCH_SOMETHING_ELSE", "5", 1);
	assert_int_equal(configfile_read("", &config, &found), 0);
	unsetenv("MONSPOOL_BATCH_SOMETHING_ELSE");
	assert_string_not_equal(found.warnings[0].hint, "");
}

/* ---- which file ---- */

static void
a_named_file_must_be_there(void **state)
{
	struct fault fault = { 0 };
	char path[CONFIG_PATH], missing[CONFIG_PATH], small[8];

	(void)state;
	write_file("", 0);
	assert_int_equal(configfile_find(file, path, sizeof(path), &fault), 0);
	assert_string_equal(path, file);
	snprintf(missing, sizeof(missing), "%s/missing", dir);
	assert_int_equal(
	    configfile_find(missing, path, sizeof(path), &fault), -1);
	assert_int_equal(fault.kind, FAULT_BAD_CONFIG);
	assert_string_not_equal(fault.why, "");
	assert_string_not_equal(fault.hint, "");
	assert_non_null(strstr(fault.message, missing));
	assert_int_equal(
	    configfile_find(file, small, sizeof(small), &fault), -1);
	assert_int_equal(fault.kind, FAULT_BAD_CONFIG);
	assert_int_equal(
	    configfile_find(missing, path, sizeof(path), NULL), -1);
}

static void
the_option_is_over_the_variable(void **state)
{
	struct fault fault = { 0 };
	char path[CONFIG_PATH];

	(void)state;
	write_file("", 0);
	setenv("MONSPOOL_CONFIG", file, 1);
	assert_int_equal(configfile_find(NULL, path, sizeof(path), &fault), 0);
	assert_string_equal(path, file);
	setenv("MONSPOOL_CONFIG", "/nonexistent/file", 1);
	assert_int_equal(configfile_find(NULL, path, sizeof(path), &fault), -1);
	assert_int_equal(configfile_find(file, path, sizeof(path), &fault), 0);
	assert_string_equal(path, file);
	setenv("MONSPOOL_CONFIG", "", 1);
	assert_int_equal(configfile_find(NULL, path, sizeof(path), &fault), 0);
	unsetenv("MONSPOOL_CONFIG");
}

/* In a child that is not root: 0 if ${wanted} is found, 1 if another or none,
 * 2 if it cannot stop being root. */
static int
find_as_nobody(const char *wanted)
{
	char path[CONFIG_PATH];

	if (geteuid() == 0 && setuid(NOBODY) != 0)
		return 2;
	if (configfile_find(NULL, path, sizeof(path), NULL) != 0)
		return 1;
	return strcmp(path, wanted) == 0 ? 0 : 1;
}

static void
assert_nobody_finds(const char *wanted)
{
	pid_t child = fork();
	int status;

	assert_int_not_equal(child, -1);
	if (child == 0)
		_exit(find_as_nobody(wanted));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 2)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A monspool.conf below ${dir}/${below}, its path into ${path}. */
static void
make_own(char path[CONFIG_PATH], const char *below)
{
	int fd;

	snprintf(path, CONFIG_PATH, "%s/%s", dir, below);
	mkdir(path, 0755);
	snprintf(path, CONFIG_PATH, "%s/%s/monspool", dir, below);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, CONFIG_PATH, "%s/%s/monspool/monspool.conf", dir, below);
	fd = open(path, O_CREAT | O_WRONLY, 0644);
	assert_int_not_equal(fd, -1);
	close(fd);
}

static void
users_have_a_file_of_their_own_and_root_has_not(void **state)
{
	char xdg[CONFIG_PATH], home[CONFIG_PATH], path[CONFIG_PATH];
	char *old_home = getenv("HOME");
	char kept[CONFIG_PATH];

	(void)state;
	if (access("/etc/monspool/monspool.conf", F_OK) == 0)
		skip();
	snprintf(kept, sizeof(kept), "%s", old_home != NULL ? old_home : "/");
	assert_int_equal(chmod(dir, 0755), 0);
	make_own(xdg, "xdg");
	make_own(home, ".config");
	snprintf(path, sizeof(path), "%s/xdg", dir);
	setenv("XDG_CONFIG_HOME", path, 1);
	setenv("HOME", dir, 1);
	assert_nobody_finds(xdg);
	/* The standard: relative paths and empty ones do not count. */
	setenv("XDG_CONFIG_HOME", "xdg", 1);
	assert_nobody_finds(home);
	unsetenv("XDG_CONFIG_HOME");
	assert_nobody_finds(home);
	/* No merging and no going on to ~/.config from a given folder. */
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	assert_nobody_finds("");
	/* Nor from a home that is none. */
	unsetenv("XDG_CONFIG_HOME");
	setenv("HOME", "home", 1);
	assert_nobody_finds("");
	unsetenv("HOME");
	assert_nobody_finds("");
	setenv("XDG_CONFIG_HOME", path, 1);
	if (geteuid() == 0) {
		assert_int_equal(
		    configfile_find(NULL, path, sizeof(path), NULL), 0);
		assert_string_equal(path, "");
	}
	unsetenv("XDG_CONFIG_HOME");
	setenv("HOME", kept, 1);
}

static void
tells_that_a_file_must_not_be_read(void **state)
{
	pid_t child;
	int status;

	(void)state;
	write_file("", 0);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(chmod(file, 0), 0);
	child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0) {
		if (geteuid() == 0 && setuid(NOBODY) != 0)
			_exit(2);
		_exit(configfile_read(file, &config, &found) == -1 &&
			    strcmp(
				found.problems[0].why, "Permission denied") == 0
			? 0
			: 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(chmod(file, 0644), 0);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 2)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Whatever stands in a file, it is read or refused. */
static void
stands_any_change_of_one_byte(void **state)
{
	static const char GOOD[] = "[account \"a\"]\nregion = gz\n"
				   "[retry]\nhold_probe = 1m..15m\n";
	char copy[sizeof(GOOD)];
	size_t at;
	int byte;

	(void)state;
	assert_good(GOOD);
	for (at = 0; at < sizeof(GOOD) - 1; at++)
		for (byte = 0; byte < 256; byte += 5) {
			memcpy(copy, GOOD, sizeof(GOOD));
			copy[at] = (char)(byte + (int)at % 5);
			if (read_bytes(copy, sizeof(GOOD) - 1) == 0)
				continue;
			assert_true(found.problem_count > 0);
			assert_true(found.problems[0].line > 0);
			assert_string_not_equal(found.problems[0].hint, "");
		}
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(reads_sections_names_and_keys),
		IN_DIR(gives_the_defaults_without_a_file),
		IN_DIR(takes_an_empty_file_and_one_without_a_last_newline),
		IN_DIR(takes_crlf_and_a_byte_order_mark),
		IN_DIR(tells_each_problem_with_line_and_hint),
		IN_DIR(tells_all_problems_not_the_first_alone),
		IN_DIR(counts_no_more_problems_than_there_is_room),
		IN_DIR(takes_the_same_key_under_another_name),
		IN_DIR(refuses_long_lines_and_goes_on_behind_them),
		IN_DIR(refuses_nul_bytes),
		IN_DIR(refuses_what_is_no_file),
		IN_DIR(warns_of_keys_without_effect),
		IN_DIR(environment_is_over_the_file),
		IN_DIR(monspool_queue_is_the_path_of_the_queue),
		IN_DIR(tells_which_variable_is_wrong),
		IN_DIR(warns_of_a_slip_in_a_variable),
		IN_DIR(a_named_file_must_be_there),
		IN_DIR(the_option_is_over_the_variable),
		IN_DIR(users_have_a_file_of_their_own_and_root_has_not),
		IN_DIR(tells_that_a_file_must_not_be_read),
		IN_DIR(stands_any_change_of_one_byte),
	};

	/* What the caller has set is not for these tests. */
	unsetenv("MONSPOOL_CONFIG");
	unsetenv("MONSPOOL_QUEUE");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
