/* links: forward */
#define _GNU_SOURCE
#include "forward/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fault.h"

/* The sanitizers make mlock() do nothing. */
#if defined(__SANITIZE_ADDRESS__)
#define LOCKS false
#elif defined(__has_feature)
#define LOCKS !__has_feature(address_sanitizer)
#else
#define LOCKS true
#endif

struct fixture {
	char dir[64], path[160];
	struct config config;
	struct fault fault;
	struct credentials *credentials;
};

static const char *const VARIABLES[] = { "CREDENTIALS_DIRECTORY",
	"TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY" };

static int
set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct config_account *account = &fixture->config.accounts[0];
	size_t i;

	strcpy(fixture->dir, "/tmp/test_key.XXXXXX");
	assert_non_null(mkdtemp(fixture->dir));
	for (i = 0; i < sizeof(VARIABLES) / sizeof(VARIABLES[0]); i++)
		unsetenv(VARIABLES[i]);
	setenv("HOME", fixture->dir, 1);
	fixture->config.account_count = 1;
	strcpy(account->name, "default");
	strcpy(account->secret_id, "AKIDconfigured");
	strcpy(account->region, "ap-guangzhou");
	*state = fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;
	char command[128];

	credentials_free(fixture->credentials);
	snprintf(command, sizeof(command), "rm -r %s", fixture->dir);
	assert_int_equal(system(command), 0);
	free(fixture);
	return 0;
}

/* Write a file below the fixture's directory and return its path. */
static const char *
put(struct fixture *fixture, const char *name, const void *bytes, size_t len,
    mode_t mode)
{
	FILE *file;

	snprintf(
	    fixture->path, sizeof(fixture->path), "%s/%s", fixture->dir, name);
	file = fopen(fixture->path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(fixture->path, mode), 0);
	return fixture->path;
}

static void
name_key_file(struct fixture *fixture, const char *text, mode_t mode)
{
	strcpy(fixture->config.accounts[0].secret_key_file,
	    put(fixture, "key", text, strlen(text), mode));
}

static void
loads(struct fixture *fixture, const char *id, const char *key)
{
	const struct credential *credential;

	fixture->credentials = credentials_load(
	    &fixture->config, &fixture->fault);
	if (fixture->credentials == NULL)
		fail_msg("%s", fixture->fault.message);
	credential = credentials_of(fixture->credentials, "default");
	assert_non_null(credential);
	assert_string_equal(credential->secret_id, id);
	assert_int_equal(credential->key_len, strlen(key));
	assert_memory_equal(credential->key, key, strlen(key));
	assert_string_not_equal(credential->source, "");
}

static void
refuses(struct fixture *fixture, enum fault_kind kind, const char *words)
{
	fixture->credentials = credentials_load(
	    &fixture->config, &fixture->fault);
	assert_null(fixture->credentials);
	assert_int_equal(fixture->fault.kind, kind);
	if (strstr(fixture->fault.message, words) == NULL &&
	    strstr(fixture->fault.why, words) == NULL)
		fail_msg("\"%s\" (%s) does not say \"%s\"",
		    fixture->fault.message, fixture->fault.why, words);
}

static void
takes_the_key_file_less_one_line_end(void **state)
{
	struct fixture *fixture = *state;

	name_key_file(fixture, "s3cret\r\n", 0400);
	loads(fixture, "AKIDconfigured", "s3cret");
	assert_string_equal(
	    credentials_of(fixture->credentials, "default")->region,
	    "ap-guangzhou");
	assert_null(credentials_of(fixture->credentials, "other"));
}

static void
prefers_the_key_file_to_all_others(void **state)
{
	struct fixture *fixture = *state;

	put(fixture, "secret-key", "given", 5, 0400);
	setenv("CREDENTIALS_DIRECTORY", fixture->dir, 1);
	setenv("TENCENTCLOUD_SECRET_ID", "AKIDenvironment", 1);
	setenv("TENCENTCLOUD_SECRET_KEY", "environment", 1);
	name_key_file(fixture, "named", 0600);
	loads(fixture, "AKIDconfigured", "named");
}

static void
prefers_systemd_to_the_environment_and_ignores_its_mode(void **state)
{
	struct fixture *fixture = *state;

	put(fixture, "secret-key", "given\n", 6, 0440);
	setenv("CREDENTIALS_DIRECTORY", fixture->dir, 1);
	setenv("TENCENTCLOUD_SECRET_ID", "AKIDenvironment", 1);
	setenv("TENCENTCLOUD_SECRET_KEY", "environment", 1);
	loads(fixture, "AKIDconfigured", "given");
}

static void
takes_id_and_key_of_the_environment(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.accounts[0].secret_id[0] = '\0';
	setenv("TENCENTCLOUD_SECRET_ID", "AKIDenvironment", 1);
	setenv("TENCENTCLOUD_SECRET_KEY", "environment", 1);
	loads(fixture, "AKIDenvironment", "environment");
}

static void
takes_the_default_section_of_the_credentials_file(void **state)
{
	static const char TEXT[] = "# mine\n[other]\nsecret_key = wrong\n"
				   "[default]\nsecret_id = AKIDhome\n"
				   "secret_key=home=key\n[more]\n"
				   "secret_key = wrong too\n";
	struct fixture *fixture = *state;
	char dir[128];

	fixture->config.accounts[0].secret_id[0] = '\0';
	snprintf(dir, sizeof(dir), "%s/.tencentcloud", fixture->dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	put(fixture, ".tencentcloud/credentials", TEXT, strlen(TEXT), 0600);
	loads(fixture, "AKIDhome", "home=key");
}

static void
refuses_a_credentials_file_that_others_may_read(void **state)
{
	struct fixture *fixture = *state;
	char dir[128];

	snprintf(dir, sizeof(dir), "%s/.tencentcloud", fixture->dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	put(fixture, ".tencentcloud/credentials", "[default]\n", 10, 0644);
	refuses(fixture, FAULT_UNSAFE_KEY_FILE, "rights");
}

static void
gives_a_named_account_a_key_of_its_own(void **state)
{
	struct fixture *fixture = *state;
	struct config_account *second = &fixture->config.accounts[1];
	const struct credential *credential;

	fixture->config.account_count = 2;
	strcpy(second->name, "eu");
	strcpy(second->secret_id, "AKIDeu");
	strcpy(second->region, "eu-frankfurt");
	put(fixture, "secret-key.eu", "second", 6, 0400);
	setenv("CREDENTIALS_DIRECTORY", fixture->dir, 1);
	name_key_file(fixture, "first", 0400);
	loads(fixture, "AKIDconfigured", "first");
	credential = credentials_of(fixture->credentials, "eu");
	assert_memory_equal(credential->key, "second", 6);
	assert_string_equal(credential->region, "eu-frankfurt");
}

static void
never_lends_the_environments_key_to_a_named_account(void **state)
{
	struct fixture *fixture = *state;

	strcpy(fixture->config.accounts[0].name, "eu");
	setenv("TENCENTCLOUD_SECRET_ID", "AKIDenvironment", 1);
	setenv("TENCENTCLOUD_SECRET_KEY", "environment", 1);
	refuses(fixture, FAULT_BAD_CONFIG, "[account \"eu\"]");
}

static void
refuses_a_file_that_others_may_read(void **state)
{
	static const mode_t MODES[] = { 0640, 0604, 0420, 0401, 0440 };
	struct fixture *fixture = *state;
	size_t i;

	for (i = 0; i < sizeof(MODES) / sizeof(MODES[0]); i++) {
		name_key_file(fixture, "s3cret", MODES[i]);
		refuses(fixture, FAULT_UNSAFE_KEY_FILE, "rights");
		assert_non_null(strstr(fixture->fault.hint, "chmod 0400"));
		assert_int_equal(unlink(fixture->path), 0);
	}
}

static void
refuses_a_file_of_another_owner(void **state)
{
	struct fixture *fixture = *state;

	if (geteuid() != 0) {
		print_message("skipped: only root may give files away\n");
		skip();
	}
	name_key_file(fixture, "s3cret", 0400);
	assert_int_equal(chown(fixture->path, 12345, 12345), 0);
	refuses(fixture, FAULT_UNSAFE_KEY_FILE, "somebody else");
}

static void
refuses_links_fifos_and_directories(void **state)
{
	struct fixture *fixture = *state;
	char *named = fixture->config.accounts[0].secret_key_file;

	put(fixture, "real", "s3cret", 6, 0400);
	sprintf(named, "%s/link", fixture->dir);
	assert_int_equal(symlink(fixture->path, named), 0);
	refuses(fixture, FAULT_UNSAFE_KEY_FILE, "link");
	sprintf(named, "%s/fifo", fixture->dir);
	assert_int_equal(mkfifo(named, 0400), 0);
	refuses(fixture, FAULT_UNSAFE_KEY_FILE, "regular");
	strcpy(named, fixture->dir);
	refuses(fixture, FAULT_UNSAFE_KEY_FILE, "regular");
}

static void
refuses_what_cannot_be_a_key(void **state)
{
	static const struct {
		const char *text, *words;
	} CASES[] = {
		{ "", "empty" },
		{ "\n", "empty" },
		{ "a b", "white space" },
		{ " ab", "white space" },
		{ "ab\n\n", "white space" },
		{ "ab\tc\n", "white space" },
		{ "a\nb\n", "white space" },
	};
	struct fixture *fixture = *state;
	size_t i;

	for (i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		name_key_file(fixture, CASES[i].text, 0600);
		refuses(fixture, FAULT_BAD_CONFIG, CASES[i].words);
		assert_null(strstr(fixture->fault.message, "a b"));
	}
}

static void
takes_4096_bytes_and_refuses_one_more(void **state)
{
	struct fixture *fixture = *state;
	char text[9001];

	memset(text, 'k', sizeof(text));
	text[4096] = '\0';
	name_key_file(fixture, text, 0600);
	loads(fixture, "AKIDconfigured", text);
	credentials_free(fixture->credentials);
	text[4096] = 'k';
	text[4097] = '\0';
	name_key_file(fixture, text, 0600);
	refuses(fixture, FAULT_BAD_CONFIG, "longer than 4096");
	text[4097] = 'k';
	text[9000] = '\0';
	name_key_file(fixture, text, 0600);
	refuses(fixture, FAULT_BAD_CONFIG, "longer than 4096");
	unsetenv("HOME");
	fixture->config.accounts[0].secret_key_file[0] = '\0';
	setenv("TENCENTCLOUD_SECRET_KEY", text, 1);
	refuses(fixture, FAULT_BAD_CONFIG, "longer than 4096");
}

static void
says_what_is_missing_and_how_to_write_it(void **state)
{
	struct fixture *fixture = *state;
	struct config_account *account = &fixture->config.accounts[0];

	refuses(fixture, FAULT_BAD_CONFIG, "account.secret_key_file");
	assert_non_null(strstr(fixture->fault.hint, "secret_key_file = "));
	name_key_file(fixture, "s3cret", 0400);
	account->region[0] = '\0';
	refuses(fixture, FAULT_BAD_CONFIG, "account.region");
	assert_non_null(strstr(fixture->fault.hint, "region = "));
	account->secret_id[0] = '\0';
	refuses(fixture, FAULT_BAD_CONFIG, "account.secret_id");
	assert_int_equal(unlink(fixture->path), 0);
	refuses(fixture, FAULT_BAD_CONFIG, "does not exist");
}

/* The mapping of the key, as the kernel tells of it. */
static void
keeps_the_key_locked_and_out_of_core_files(void **state)
{
	struct fixture *fixture = *state;
	bool inside = false, seen = false;
	unsigned long from, to, key;
	char line[256];
	FILE *maps;

	name_key_file(fixture, "s3cret", 0400);
	loads(fixture, "AKIDconfigured", "s3cret");
	key = (unsigned long)credentials_of(fixture->credentials, "default")
		  ->key;
	maps = fopen("/proc/self/smaps", "r");
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = key >= from && key < to;
		if (inside && strncmp(line, "VmFlags:", 8) == 0) {
			seen = true;
			assert_non_null(strstr(line, " dd"));
			assert_true(!LOCKS || strstr(line, " lo") != NULL);
		}
	}
	fclose(maps);
	assert_true(seen);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(takes_the_key_file_less_one_line_end),
		CASE(prefers_the_key_file_to_all_others),
		CASE(prefers_systemd_to_the_environment_and_ignores_its_mode),
		CASE(takes_id_and_key_of_the_environment),
		CASE(takes_the_default_section_of_the_credentials_file),
		CASE(refuses_a_credentials_file_that_others_may_read),
		CASE(gives_a_named_account_a_key_of_its_own),
		CASE(never_lends_the_environments_key_to_a_named_account),
		CASE(refuses_a_file_that_others_may_read),
		CASE(refuses_a_file_of_another_owner),
		CASE(refuses_links_fifos_and_directories),
		CASE(refuses_what_cannot_be_a_key),
		CASE(takes_4096_bytes_and_refuses_one_more),
		CASE(says_what_is_missing_and_how_to_write_it),
		CASE(keeps_the_key_locked_and_out_of_core_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
