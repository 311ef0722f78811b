/* links: base */
#include "base/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/span.h"

#define HOSTILE "a \"quoted\" \\ back\\\\slash\nline \x1b[0m = x"

/* Datagrams: what one write() wrote is what one read() reads. */
static int ends[2];

static int
open_ends(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) ||
	    fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

static int
close_ends(void **state)
{
	(void)state;
	log_to(-1, LOG_PLAIN, LOG_INFO);
	return close(ends[0]) || close(ends[1]);
}

/* All that was logged. */
static const char *
logged(void)
{
	static char buf[16384];
	ssize_t len = read(ends[0], buf, sizeof(buf) - 1);

	buf[len > 0 ? len : 0] = '\0';
	return buf;
}

static void
writes_a_plain_line(void **state)
{
	char text[64];
	const char *line;
	int64_t at_ms = 0, before_ms = clock_wall_ms();

	(void)state;
	log_to(ends[1], LOG_PLAIN, LOG_INFO);
	log_event(LOG_WARN, "lane_held", "lane=%s code=%d message=%s", "app",
	    1017, log_text(text, sizeof(text), "no \"such\" thing"));
	line = logged();
	assert_string_equal(line + 24,
	    " warn lane_held lane=app code=1017 "
	    "message=\"no \\\"such\\\" thing\"\n");
	memcpy(text, line, 24);
	text[24] = '\0';
	assert_int_equal(span_read_time(text, 0, &at_ms), 0);
	assert_in_range(at_ms, before_ms, clock_wall_ms());
}

static void
leaves_the_time_to_the_journal(void **state)
{
	static const struct {
		enum log_level level;
		const char *line;
	} CASES[] = { { LOG_ERROR, "<3>start pid=1\n" },
		{ LOG_WARN, "<4>start pid=1\n" },
		{ LOG_INFO, "<6>start pid=1\n" },
		{ LOG_DEBUG, "<7>start pid=1\n" } };
	size_t i;

	(void)state;
	log_to(ends[1], LOG_JOURNAL, LOG_DEBUG);
	for (i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		log_event(CASES[i].level, "start", "pid=%d", 1);
		assert_string_equal(logged(), CASES[i].line);
	}
	log_event(LOG_INFO, "stop", "%s", "");
	assert_string_equal(logged(), "<6>stop\n");
}

static cJSON *
logged_object(void)
{
	const char *line = logged();
	size_t len = strlen(line);
	cJSON *object;

	assert_true(len > 0 && line[len - 1] == '\n');
	assert_null(memchr(line, '\n', len - 1));
	object = json_parse(line, len, NULL);
	assert_true(cJSON_IsObject(object));
	return object;
}

static void
assert_member(const cJSON *object, const char *name, const char *value)
{
	const char *found = cJSON_GetStringValue(
	    cJSON_GetObjectItem(object, name));

	assert_non_null(found);
	assert_string_equal(found, value);
}

static void
writes_an_object_that_every_reader_takes(void **state)
{
	char text[128];
	cJSON *object;

	(void)state;
	log_to(ends[1], LOG_NDJSON, LOG_INFO);
	log_event(LOG_ERROR, "batch_refused",
	    "rows=%d place=%s ratio=0.5 id=007 big=99999999999999999999 "
	    "message=%s "
	    "last=",
	    100, "x=y", log_text(text, sizeof(text), HOSTILE));
	object = logged_object();
	assert_member(object, "level", "error");
	assert_member(object, "event", "batch_refused");
	assert_int_equal(cJSON_GetObjectItem(object, "rows")->valueint, 100);
	assert_true(cJSON_IsNumber(cJSON_GetObjectItem(object, "rows")));
	assert_member(object, "ratio", "0.5");
	assert_member(object, "id", "007");
	assert_member(object, "big", "99999999999999999999");
	assert_member(object, "last", "");
	/* Quotes and backslashes are as they were; controls stay visible. */
	assert_member(object, "message",
	    "a \"quoted\" \\ back\\\\slash\\x0aline \\x1b[0m = x");
	cJSON_Delete(object);
}

/* However short the room, and whatever is said, the line is one object. */
static void
cuts_texts_so_that_they_stay_readable(void **state)
{
	char text[64];
	cJSON *object;
	size_t size;

	(void)state;
	log_to(ends[1], LOG_NDJSON, LOG_INFO);
	for (size = 3; size < sizeof(text); size++) {
		log_text(text, size, HOSTILE "\xe4\xbd\xa0\xff\xfe");
		assert_true(strlen(text) < size);
		log_event(LOG_INFO, "e", "before=1 text=%s after=2", text);
		object = logged_object();
		assert_int_equal(cJSON_GetArraySize(object), 6);
		assert_non_null(cJSON_GetObjectItem(object, "after"));
		cJSON_Delete(object);
	}
	assert_string_equal(log_text(text, sizeof(text), NULL), "\"\"");
}

static void
holds_back_what_is_below_the_level(void **state)
{
	(void)state;
	log_to(ends[1], LOG_PLAIN, LOG_WARN);
	assert_true(log_wants(LOG_ERROR));
	assert_true(log_wants(LOG_WARN));
	assert_false(log_wants(LOG_INFO));
	log_event(LOG_INFO, "unwanted", "x=%d", 1);
	assert_string_equal(logged(), "");
	log_to(-1, LOG_PLAIN, LOG_DEBUG);
	assert_false(log_wants(LOG_ERROR));
	log_event(LOG_ERROR, "nowhere", "x=%d", 1);
	assert_string_equal(logged(), "");
}

static void
writes_long_events_whole(void **state)
{
	char words[3001];
	const char *line;

	(void)state;
	memset(words, 'w', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	log_to(ends[1], LOG_JOURNAL, LOG_INFO);
	log_event(LOG_INFO, "e", "x=%s", words);
	line = logged();
	assert_int_equal(strlen(line), 7 + 3000 + 1);
	assert_int_equal(line[strlen(line) - 1], '\n');
}

/* One write() an event, or lines of two processes mix. */
static void
writes_each_event_at_once(void **state)
{
	static const enum log_form FORMS[] = { LOG_PLAIN, LOG_JOURNAL,
		LOG_NDJSON };
	const char *line;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(FORMS) / sizeof(FORMS[0]); i++) {
		log_to(ends[1], FORMS[i], LOG_INFO);
		log_event(LOG_INFO, "first", "a=%d b=%s", 1, "x");
		log_event(LOG_INFO, "second", "a=%d", 2);
		line = logged();
		assert_non_null(strstr(line, "first"));
		assert_int_equal(strcspn(line, "\n"), strlen(line) - 1);
		line = logged();
		assert_non_null(strstr(line, "second"));
		assert_int_equal(strcspn(line, "\n"), strlen(line) - 1);
		assert_string_equal(logged(), "");
	}
}

/* A reader that went away is no reason to stop, nor is one that is full. */
static void
goes_on_when_nothing_can_be_written(void **state)
{
	int full[2], i;
	char byte;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, full), 0);
	assert_int_equal(fcntl(full[1], F_SETFL, O_NONBLOCK), 0);
	log_to(full[1], LOG_PLAIN, LOG_INFO);
	for (i = 0; i < 5000; i++)
		log_event(LOG_INFO, "event", "number=%d", i);
	assert_int_equal(read(full[0], &byte, 1), 1);
	close(full[0]);
	log_event(LOG_INFO, "event", "number=%d", i);
	close(full[1]);
	log_event(LOG_INFO, "event", "number=%d", i);
}

int
main(void)
{
#define LOG_TEST(test) \
	cmocka_unit_test_setup_teardown(test, open_ends, close_ends)
	const struct CMUnitTest tests[] = {
		LOG_TEST(writes_a_plain_line),
		LOG_TEST(leaves_the_time_to_the_journal),
		LOG_TEST(writes_an_object_that_every_reader_takes),
		LOG_TEST(cuts_texts_so_that_they_stay_readable),
		LOG_TEST(holds_back_what_is_below_the_level),
		LOG_TEST(writes_long_events_whole),
		LOG_TEST(writes_each_event_at_once),
		LOG_TEST(goes_on_when_nothing_can_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
