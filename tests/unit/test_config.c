/* links: base */
#include "base/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/fault.h"
#include "base/log.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct config config;

static int
set_defaults(void **state)
{
	(void)state;
	config_defaults(&config);
	return 0;
}

/* What interface.md section 5 promises, in numbers. */
static void
begins_with_the_documented_defaults(void **state)
{
	(void)state;
	assert_string_equal(config.queue.path, "/var/lib/monspool/queue.db");
	assert_int_equal(config.queue.max_size, 2LL << 30);
	assert_int_equal(config.queue.when_full, CONFIG_FULL_REJECT);
	assert_int_equal(config.queue.max_age_ms, 0);
	assert_int_equal(config.queue.reserve, 8 << 20);
	assert_int_equal(config.queue.wal_max, 1 << 20);
	assert_int_equal(config.queue.busy_timeout_ms, 5000);
	assert_int_equal(config.queue.key_memory_ms, 7 * 86400000LL);
	assert_int_equal(config.queue.attempts_kept, 10000);
	assert_string_equal(config.receiver.url,
	    "http://receiver.monitor.tencentyun.com:8080/v2/index.php");
	assert_string_equal(
	    config.receiver.sign_host, "receiver.monitor.tencentyun.com");
	assert_string_equal(config.receiver.sign_path, "/v2/index.php");
	assert_false(config.receiver.get);
	assert_int_equal(config.receiver.connect_timeout_ms, 3000);
	assert_int_equal(config.receiver.timeout_ms, 10000);
	assert_string_equal(config.receiver.ca_file, "");
	assert_string_equal(config.receiver.proxy, "");
	assert_true(config.receiver.fresh_connections);
	assert_false(config.receiver.ambiguous_dead_letter);
	assert_int_equal(config.receiver.clock_correction_ms, 86400000);
	assert_int_equal(config.account_count, 1);
	assert_string_equal(config.accounts[0].name, "default");
	assert_string_equal(config.accounts[0].region, "");
	assert_int_equal(config.batch.max_rows, 100);
	assert_int_equal(config.batch.max_bytes, 65536);
	assert_int_equal(config.batch.linger_ms, 200);
	assert_int_equal(config.batch.in_flight, 1);
	assert_true(config.rate.requests_per_second == 10);
	assert_true(config.rate.burst == 20);
	assert_true(config.rate.rows_per_minute == 0);
	assert_int_equal(config.retry.base_ms, 1000);
	assert_int_equal(config.retry.max_ms, 300000);
	assert_int_equal(config.retry.hold_probe_least_ms, 60000);
	assert_int_equal(config.retry.hold_probe_most_ms, 900000);
	assert_int_equal(config.retry.blocked_probe_least_ms, 900000);
	assert_int_equal(config.retry.blocked_probe_most_ms, 3600000);
	assert_int_equal(config.retry.hold_after, 8);
	assert_int_equal(config.late.after_ms, 300000);
	assert_int_equal(config.late.policy, CONFIG_LATE_SEND);
	assert_true(config.late.rate == 0);
	assert_int_equal(config.dead.max_rows, 100000);
	assert_int_equal(config.dead.max_age_ms, 30 * 86400000LL);
	assert_int_equal(config.dead.brake_rows, 1000);
	assert_int_equal(config.dead.brake_ms, 600000);
	assert_false(config.dead.soft);
	assert_int_equal(config.dead.max_replays, 3);
	assert_true(config.dead.replay_rate == 50);
	assert_string_equal(config.forwarder.metrics_listen, "");
	assert_int_equal(config.forwarder.stop_timeout_ms, 15000);
	assert_int_equal(config.forwarder.idle_poll_ms, 1000);
	assert_int_equal(config.forwarder.log_level, LOG_INFO);
	assert_int_equal(config.checks.max_dimensions, 5);
	assert_int_equal(config.checks.max_name, 64);
	assert_int_equal(config.checks.max_namespace, 32);
	assert_int_equal(config.checks.max_dimension_value, 256);
	assert_int_equal(config.checks.max_row_bytes, 16384);
	assert_true(config.checks.strict);
	assert_int_equal(config.code_count, 0);
	assert_int_equal(config.outbox_count, 0);
	assert_int_equal(config.namespace_count, 0);
	assert_int_equal(config_check(&config, NULL), 0);
}

struct setting {
	const char *section, *name, *key, *value;
};

/* Each written as config_get() writes it back. */
static const struct setting GOOD[] = { { "queue", NULL, "path", "/srv/q.db" },
	{ "queue", NULL, "max_size", "512M" },
	{ "queue", NULL, "max_size", "0" },
	{ "queue", NULL, "when_full", "drop-oldest" },
	{ "queue", NULL, "max_age", "1h30m" },
	{ "queue", NULL, "wal_max", "65537" },
	{ "queue", NULL, "busy_timeout", "1s500ms" },
	{ "receiver", NULL, "url", "https://10.0.0.1/v2/index.php" },
	{ "receiver", NULL, "url", "http://[::1]:8080/x" },
	{ "receiver", NULL, "method", "GET" },
	{ "receiver", NULL, "sign_path", "/v2/index.php" },
	{ "receiver", NULL, "fresh_connections", "no" },
	{ "receiver", NULL, "on_ambiguous", "dead-letter" },
	{ "account", NULL, "region", "ap-guangzhou-3" },
	{ "account", NULL, "secret_id",
	    "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE" },
	{ "account", "billing", "region", "gz" },
	{ "rate", NULL, "requests_per_second", "0.5" },
	{ "rate", NULL, "requests_per_second", "0" },
	{ "retry", NULL, "hold_probe", "30s..5m" },
	{ "late", NULL, "policy", "latest-only" },
	{ "dead", NULL, "brake", "5/1m" }, { "dead", NULL, "brake", "0" },
	{ "dead", NULL, "replay_rate", "7/s" },
	{ "codes", NULL, "1017", "hold" },
	{ "codes", NULL, "http_413", "split" },
	{ "forwarder", NULL, "metrics_listen", "127.0.0.1:9464" },
	{ "forwarder", NULL, "metrics_listen", "[::1]:9464" },
	{ "forwarder", NULL, "log_level", "debug" },
	{ "outbox", "shop", "path", "/srv/shop.db" },
	{ "namespace", "app_*", "max_age", "2h" },
	{ "namespace", "app_*", "late_policy", "send" },
	{ "namespace", "app_*", "late_fresh_share", "0" },
	{ "late", NULL, "fresh_share", "90" } };

static void
gives_back_what_was_set(void **state)
{
	char value[CONFIG_PATH];
	struct fault fault;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(GOOD); i++) {
		if (config_set(&config, GOOD[i].section, GOOD[i].name,
			GOOD[i].key, GOOD[i].value, &fault))
			fail_msg("%s = %s: %s", GOOD[i].key, GOOD[i].value,
			    fault.message);
		assert_int_equal(
		    config_get(&config, GOOD[i].section, GOOD[i].name,
			GOOD[i].key, value, sizeof(value)),
		    0);
		assert_string_equal(value, GOOD[i].value);
	}
	assert_int_equal(config.account_count, 2);
	assert_int_equal(config.code_count, 2);
	assert_int_equal(config.namespace_count, 1);
	assert_int_equal(config.namespaces[0].late_after_ms, -1);
}

/* Every key's default is read, and written as it is in the documentation. */
static void
writes_every_default_as_it_reads_it(void **state)
{
	char first[CONFIG_PATH], second[CONFIG_PATH];
	const struct config_key *key;
	struct fault fault;
	size_t count = 0;

	(void)state;
	for (key = config_keys(); key->section != NULL; key++, count++) {
		assert_true(key->help[0] != '\0');
		if (key->fallback[0] == '\0')
			continue;
		assert_int_equal(config_get(&config, key->section, NULL,
				     key->key, first, sizeof(first)),
		    0);
		if (config_set(
			&config, key->section, NULL, key->key, first, &fault))
			fail_msg("%s", fault.message);
		config_get(&config, key->section, NULL, key->key, second,
		    sizeof(second));
		assert_string_equal(first, second);
	}
	assert_in_range(count, 50, 90);
}

static const struct setting BAD[] = { { "queue", NULL, "path", "" },
	{ "queue", NULL, "max_size", "-1" },
	{ "queue", NULL, "max_size", "1X" },
	{ "queue", NULL, "max_size", "lots" },
	{ "queue", NULL, "when_full", "drop" },
	{ "queue", NULL, "when_full", "Reject" },
	{ "queue", NULL, "busy_timeout", "5 s" },
	{ "queue", NULL, "wal_max", "1K" }, { "queue", NULL, "path", "a\nb" },
	{ "queue", NULL, "path", "a\xff" },
	{ "receiver", NULL, "url", "receiver.example/v2" },
	{ "receiver", NULL, "url", "ftp://x/" },
	{ "receiver", NULL, "url", "http://" },
	{ "receiver", NULL, "url", "http:///v2" },
	{ "receiver", NULL, "url", "http://user@host/" },
	{ "receiver", NULL, "url", "http://h/?a=b" },
	{ "receiver", NULL, "sign_path", "v2/index.php" },
	{ "receiver", NULL, "method", "PUT" },
	{ "receiver", NULL, "fresh_connections", "true" },
	{ "receiver", NULL, "timeout", "0" },
	{ "account", NULL, "region", "Guangzhou" },
	{ "account", NULL, "region", "a23456789012345678901234567890123" },
	{ "account", NULL, "secret_id", "a b" },
	{ "batch", NULL, "max_rows", "0" },
	{ "batch", NULL, "max_rows", "1.5" },
	{ "rate", NULL, "requests_per_second", "-1" },
	{ "rate", NULL, "requests_per_second", "nan" },
	{ "rate", NULL, "burst", "0" },
	{ "retry", NULL, "hold_probe", "5m..1m" },
	{ "late", NULL, "fresh_share", "91" },
	{ "late", NULL, "fresh_share", "-1" },
	{ "late", NULL, "fresh_share", "50%" }, { "dead", NULL, "brake", "5" },
	{ "dead", NULL, "brake", "5/0" }, { "dead", NULL, "replay_rate", "50" },
	{ "codes", NULL, "0", "retry" }, { "codes", NULL, "00", "retry" },
	{ "codes", NULL, "-5", "retry" }, { "codes", NULL, "http_99", "retry" },
	{ "codes", NULL, "http_", "retry" },
	{ "codes", NULL, "http_200", "hold" },
	{ "codes", NULL, "1017", "ignore" }, { "codes", NULL, "1017", "" },
	{ "forwarder", NULL, "metrics_listen", "0.0.0.0:9464" },
	{ "forwarder", NULL, "metrics_listen", "127.0.0.1" },
	{ "forwarder", NULL, "metrics_listen", "127.0.0.1:99999" },
	{ "forwarder", NULL, "log_level", "trace" },
	{ "outbox", NULL, "path", "/x" },
	{ "namespace", NULL, "max_age", "1h" },
	{ "queue", "name", "path", "/x" }, { "codes", "name", "1017", "hold" },
	{ "nonsense", NULL, "path", "/x" },
	{ "queue", NULL, "nonsense", "1" } };

static void
refuses_what_is_no_value_and_says_what_is(void **state)
{
	struct config before;
	struct fault fault;
	size_t i;

	(void)state;
	memcpy(&before, &config, sizeof(before));
	for (i = 0; i < COUNT(BAD); i++) {
		memset(&fault, 0, sizeof(fault));
		if (config_set(&config, BAD[i].section, BAD[i].name, BAD[i].key,
			BAD[i].value, &fault) == 0)
			fail_msg("%s.%s = \"%s\" was taken", BAD[i].section,
			    BAD[i].key, BAD[i].value);
		assert_int_equal(fault.kind, FAULT_BAD_CONFIG);
		assert_true(fault.message[0] != '\0' && fault.hint[0] != '\0');
	}
	assert_memory_equal(&config, &before, sizeof(config));
}

static void
says_the_range_that_is_allowed(void **state)
{
	static const struct setting CASES[] = { { "queue", "wal_max", "1K",
						    "from 64 KiB to 1 GiB" },
		{ "queue", "key_memory", "1ms", "at least 1s" },
		{ "queue", "busy_timeout", "2d", "from 0 ms to 1d" },
		{ "retry", "hold_probe", "0..5m", "from 1 ms to 1d" },
		{ "batch", "max_rows", "0", "from 1 to 100000" },
		{ "dead", "max_rows", "-1", "at least 0" },
		{ "rate", "burst", "0.5", "from 1 to 1000000" },
		{ "batch", "max_rows", "x", "a whole number" } };
	struct fault fault;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(CASES); i++) {
		assert_int_equal(config_set(&config, CASES[i].section, NULL,
				     CASES[i].name, CASES[i].key, &fault),
		    -1);
		assert_string_equal(fault.hint, CASES[i].value);
	}
}

/* The ends of a range belong to it, and the next value does not. */
static void
takes_the_ends_of_each_range(void **state)
{
	static const struct {
		const char *section, *key, *inside[2], *outside[2];
	} CASES[] = { { "queue", "wal_max", { "64K", "1G" },
			  { "65535", "1073741825" } },
		{ "queue", "busy_timeout", { "0", "1d" }, { "-1", "1d1ms" } },
		{ "retry", "hold_probe", { "1ms..1ms", "1d..1d" },
		    { "0..1d", "1ms..86400001ms" } },
		{ "batch", "max_rows", { "1", "100000" }, { "0", "100001" } },
		{ "rate", "burst", { "1", "1000000" },
		    { "0.99", "1000000.5" } },
		{ "forwarder", "metrics_listen",
		    { "localhost:0", "127.255.0.1:65535" },
		    { "localhose:0", "127.0.0.1:65536" } },
		{ "codes", "1", { "hold", "retry" }, { "Hold", "hold " } } };
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(CASES); i++)
		for (j = 0; j < 2; j++) {
			if (config_set(&config, CASES[i].section, NULL,
				CASES[i].key, CASES[i].inside[j], NULL))
				fail_msg("%s was refused", CASES[i].inside[j]);
			if (config_set(&config, CASES[i].section, NULL,
				CASES[i].key, CASES[i].outside[j], NULL) == 0)
				fail_msg("%s was taken", CASES[i].outside[j]);
		}
}

static void
says_which_word_was_meant(void **state)
{
	static const struct setting CASES[] = { { "queue", "max_sise", "1G",
						    "did you mean max_size?" },
		{ "qeue", "path", "/x", "did you mean [queue]?" },
		{ "codes", "1017", "isolte",
		    "did you mean isolate? one of retry, hold, isolate, "
		    "dead-letter, split, throttle-requests, throttle-rows, "
		    "resign" },
		{ "queue", "when_full", "x", "one of reject, drop-oldest" },
		{ "account", "secret_key", "x", "did you mean secret_id?" } };
	struct fault fault;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(CASES); i++) {
		config_set(&config, CASES[i].section, NULL, CASES[i].name,
		    CASES[i].key, &fault);
		assert_string_equal(fault.hint, CASES[i].value);
	}
}

/* Somebody will put the secret key where the id belongs. */
static void
never_shows_what_may_be_a_secret(void **state)
{
	static const char SECRET[] = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE/+=";
	struct fault fault;

	(void)state;
	config_set(&config, "account", NULL, "secret_id", SECRET, &fault);
	assert_null(strstr(fault.message, "Gu5t9"));
	assert_null(strstr(fault.hint, "Gu5t9"));
	config_set(&config, "account", NULL, "secret_key", SECRET, &fault);
	assert_null(strstr(fault.message, "Gu5t9"));
}

static void
escapes_what_it_shows(void **state)
{
	struct fault fault;

	(void)state;
	config_set(&config, "queue", NULL, "max_size", "\x1b[2J", &fault);
	assert_string_equal(
	    fault.message, "queue.max_size cannot be \"\\x1b[2J\"");
	config_set(&config, "que\x1b", NULL, "max_size", "1", &fault);
	assert_string_equal(fault.message, "unknown section [que\\x1b]");
}

/* Fill a repeatable section until there is no room; how many it took. */
static size_t
fill(const char *section, const char *key, const char *value)
{
	char name[32];
	size_t count = 0;

	do
		snprintf(name, sizeof(name), "n%zu", count);
	while (count < 1000 &&
	    config_set(&config, section, name, key, value, NULL) == 0 &&
	    ++count);
	return count;
}

static void
refuses_more_sections_than_there_is_room_for(void **state)
{
	char name[CONFIG_NAME + 1];
	struct fault fault;

	(void)state;
	assert_int_equal(fill("account", "region", "gz"), CONFIG_ACCOUNTS - 1);
	assert_int_equal(fill("outbox", "path", "/x"), CONFIG_OUTBOXES);
	assert_int_equal(fill("namespace", "max_age", "1h"), CONFIG_NAMESPACES);
	/* The ones that are there can still be set. */
	assert_int_equal(
	    config_set(&config, "account", "n3", "region", "sh", NULL), 0);
	assert_string_equal(config_account(&config, "n3")->region, "sh");
	set_defaults(NULL);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(
	    config_set(&config, "account", name, "region", "sh", &fault), -1);
	assert_int_equal(fault.kind, FAULT_BAD_CONFIG);
	assert_non_null(strstr(fault.message, "[account \"nnn"));
	assert_non_null(strstr(fault.hint, "127 bytes"));
	name[CONFIG_NAME - 1] = '\0';
	assert_int_equal(
	    config_set(&config, "account", name, "region", "sh", &fault), 0);
	assert_int_equal(
	    config_set(&config, "account", "a\x1b", "region", "sh", &fault),
	    -1);
	assert_int_equal(
	    config_set(&config, "account", "a\xff", "region", "sh", &fault),
	    -1);
	while (config_set(&config, "outbox", name, "path", "/x", &fault) == 0)
		name[strlen(name) - 1] = '\0';
	assert_non_null(strstr(fault.message, "more often than the 16"));
	assert_true(fault.hint[0] != '\0');
}

static void
shows_the_name_that_is_not_wanted(void **state)
{
	struct fault fault;

	(void)state;
	config_set(&config, "queue", "my\x1b", "path", "/x", &fault);
	assert_string_equal(
	    fault.message, "[queue \"my\\x1b\"]: this section takes no name");
	assert_string_equal(fault.hint, "write [queue]");
}

static void
finds_accounts_by_name(void **state)
{
	(void)state;
	config_set(&config, "account", "other", "region", "bj", NULL);
	assert_ptr_equal(
	    config_account(&config, "default"), &config.accounts[0]);
	assert_ptr_equal(config_account(&config, "other"), &config.accounts[1]);
	assert_null(config_account(&config, "nobody"));
	/* [account "default"] is [account]. */
	config_set(&config, "account", "default", "region", "hk", NULL);
	assert_string_equal(config.accounts[0].region, "hk");
	assert_int_equal(config.account_count, 2);
}

static void
knows_no_value_of_what_is_not_there(void **state)
{
	char value[8];

	(void)state;
	assert_int_equal(
	    config_get(&config, "queue", NULL, "nothing", value, sizeof(value)),
	    -1);
	assert_int_equal(config_get(&config, "account", "nobody", "region",
			     value, sizeof(value)),
	    -1);
	config_set(&config, "namespace", "a*", "max_age", "1h", NULL);
	assert_int_equal(config_get(&config, "namespace", "a*", "late_policy",
			     value, sizeof(value)),
	    -1);
	assert_int_equal(config_get(&config, "namespace", "a*",
			     "late_fresh_share", value, sizeof(value)),
	    -1);
	/* Nor is a value cut that does not fit. */
	assert_int_equal(
	    config_get(&config, "receiver", NULL, "url", value, sizeof(value)),
	    -1);
}

/* Writers obey these by the copy in the queue file; the rest is not theirs. */
static void
marks_what_writers_obey(void **state)
{
	static const char *const SHARED[] = { "queue", "checks", "late",
		"codes", "namespace" };
	const struct config_key *key;
	size_t i;
	bool shared;

	(void)state;
	for (key = config_keys(); key->section != NULL; key++) {
		shared = false;
		for (i = 0; i < COUNT(SHARED); i++)
			shared |= strcmp(key->section, SHARED[i]) == 0;
		if (strcmp(key->key, "path") == 0)
			shared = false;
		/* The defaults of a command that repairs. */
		shared |= strcmp(key->key, "max_replays") == 0 ||
		    strcmp(key->key, "replay_rate") == 0;
		assert_int_equal(key->for_writers, shared);
	}
}

static void
knows_what_has_no_effect_yet(void **state)
{
	const struct config_key *key;

	(void)state;
	for (key = config_keys(); key->section != NULL; key++)
		if (strcmp(key->key, "when_full") != 0)
			assert_int_equal(
			    config_is_inert(key->section, key->key, "1"),
			    key->no_effect_yet);
	assert_false(config_is_inert("queue", "when_full", "reject"));
	assert_false(config_is_inert("queue", "no_such_key", "1"));
}

static void
checks_what_has_to_fit_together(void **state)
{
	static const struct {
		struct setting set[2];
		const char *field; /* NULL: fine */
	} CASES[] = { { { { "queue", NULL, "reserve", "6M" } }, NULL },
		{ { { "queue", NULL, "reserve", "0" } }, NULL },
		{ { { "queue", NULL, "reserve", "5M" } }, "queue.reserve" },
		{ { { "queue", NULL, "reserve", "8M" },
		      { "queue", NULL, "wal_max", "6M" } },
		    NULL },
		{ { { "queue", NULL, "reserve", "8M" },
		      { "queue", NULL, "wal_max", "7M" } },
		    "queue.reserve" },
		{ { { "queue", NULL, "max_size", "1M" } }, NULL },
		{ { { "queue", NULL, "max_size", "1023K" } },
		    "queue.max_size" },
		{ { { "retry", NULL, "base", "5s" },
		      { "retry", NULL, "max", "5s" } },
		    NULL },
		{ { { "retry", NULL, "base", "5s" },
		      { "retry", NULL, "max", "4s" } },
		    "retry.max" } };
	const struct setting *set;
	struct fault fault;
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(CASES); i++) {
		config_defaults(&config);
		for (j = 0; j < 2; j++) {
			set = &CASES[i].set[j];
			if (set->section != NULL)
				assert_int_equal(
				    config_set(&config, set->section, set->name,
					set->key, set->value, NULL),
				    0);
		}
		if (CASES[i].field == NULL) {
			assert_int_equal(config_check(&config, &fault), 0);
			continue;
		}
		assert_int_equal(config_check(&config, &fault), -1);
		assert_int_equal(fault.kind, FAULT_BAD_CONFIG);
		assert_string_equal(fault.field, CASES[i].field);
		assert_true(fault.hint[0] != '\0');
	}
}

static void
keeps_requests_of_get_below_eight_kib(void **state)
{
	(void)state;
	assert_int_equal(config_batch_bytes(&config), 65536);
	config_set(&config, "receiver", NULL, "method", "GET", NULL);
	assert_int_equal(config_batch_bytes(&config), 7500);
	config_set(&config, "batch", NULL, "max_bytes", "1M", NULL);
	assert_int_equal(config_batch_bytes(&config), 8192);
	config_set(&config, "batch", NULL, "max_bytes", "4K", NULL);
	assert_int_equal(config_batch_bytes(&config), 4096);
	config_set(&config, "receiver", NULL, "method", "POST", NULL);
	config_set(&config, "batch", NULL, "max_bytes", "1M", NULL);
	assert_int_equal(config_batch_bytes(&config), 1 << 20);
}

int
main(void)
{
#define CONFIG_TEST(test) cmocka_unit_test_setup(test, set_defaults)
	const struct CMUnitTest tests[] = {
		CONFIG_TEST(begins_with_the_documented_defaults),
		CONFIG_TEST(gives_back_what_was_set),
		CONFIG_TEST(writes_every_default_as_it_reads_it),
		CONFIG_TEST(refuses_what_is_no_value_and_says_what_is),
		CONFIG_TEST(says_the_range_that_is_allowed),
		CONFIG_TEST(takes_the_ends_of_each_range),
		CONFIG_TEST(says_which_word_was_meant),
		CONFIG_TEST(never_shows_what_may_be_a_secret),
		CONFIG_TEST(escapes_what_it_shows),
		CONFIG_TEST(refuses_more_sections_than_there_is_room_for),
		CONFIG_TEST(shows_the_name_that_is_not_wanted),
		CONFIG_TEST(finds_accounts_by_name),
		CONFIG_TEST(knows_no_value_of_what_is_not_there),
		CONFIG_TEST(marks_what_writers_obey),
		CONFIG_TEST(knows_what_has_no_effect_yet),
		CONFIG_TEST(checks_what_has_to_fit_together),
		CONFIG_TEST(keeps_requests_of_get_below_eight_kib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
