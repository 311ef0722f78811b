/* links: protocol */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "protocol/batch.h"
#include "protocol/request.h"

#define PREFIX \
	"{\"dimensions\":{\"ip\":\"172.31.58.160\"},\"metricName\":\"disk\"," \
	"\"value\":"

static uint64_t seed;

static uint64_t
next(uint64_t below)
{
	uint64_t z = (seed += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (z ^ (z >> 31)) % below;
}

static struct batch_limits
limits(bool get, size_t max_rows, size_t max_bytes, size_t envelope)
{
	return (struct batch_limits){ .get = get,
		.max_rows = max_rows,
		.max_bytes = max_bytes,
		.envelope = envelope };
}

static enum batch_added
add(struct batch *batch, int64_t id, const char *prefix, const char *value)
{
	struct batch_row row = { .id = id,
		.series_id = 10 * id,
		.accepted_at = 100 * id,
		.attempts = id % 3 };

	return batch_add(
	    batch, &row, prefix, strlen(prefix), value, strlen(value));
}

static void
keeps_the_item_and_what_is_known_of_the_row(void **state)
{
	struct batch_limits ample = limits(false, 10, 10000, 200);
	struct batch *batch = batch_new(&ample);

	(void)state;
	assert_non_null(batch);
	assert_int_equal(batch->bytes, 200);
	assert_int_equal(add(batch, 7, "{\"value\":", "1"), BATCH_ADDED);
	assert_int_equal(add(batch, 8, "{\"v\":", "2.5"), BATCH_ADDED);
	assert_int_equal(batch->count, 2);
	assert_string_equal(
	    text_string(&batch->items), "{\"value\":1}{\"v\":2.5}");
	assert_int_equal(batch->rows[1].id, 8);
	assert_int_equal(batch->rows[1].series_id, 80);
	assert_int_equal(batch->rows[1].accepted_at, 800);
	assert_int_equal(batch->rows[1].attempts, 2);
	assert_int_equal(batch->rows[1].start, 11);
	assert_int_equal(batch->rows[1].len, 9);
	assert_int_equal(batch->bytes, 200 + 11 + 1 + 9);
	batch_free(batch);
}

static void
is_full_at_the_row_limit(void **state)
{
	struct batch_limits two = limits(false, 2, 10000, 200);
	struct batch *batch = batch_new(&two);

	(void)state;
	assert_int_equal(add(batch, 1, PREFIX, "1"), BATCH_ADDED);
	assert_int_equal(add(batch, 2, PREFIX, "2"), BATCH_ADDED);
	assert_int_equal(add(batch, 3, PREFIX, "3"), BATCH_FULL);
	assert_false(batch->full);
	assert_int_equal(batch->count, 2);
	batch_free(batch);
}

static void
changes_nothing_when_the_bytes_do_not_fit(void **state)
{
	size_t item = strlen(PREFIX) + 2;
	struct batch_limits tight = limits(false, 9, 200 + 2 * item, 200);
	struct batch *batch = batch_new(&tight);

	(void)state;
	assert_int_equal(add(batch, 1, PREFIX, "1"), BATCH_ADDED);
	/* The comma is one byte too much. */
	assert_false(batch->full);
	assert_int_equal(add(batch, 2, PREFIX, "2"), BATCH_FULL);
	assert_true(batch->full);
	assert_int_equal(batch->count, 1);
	assert_int_equal(batch->items.len, item);
	assert_int_equal(batch->bytes, 200 + item);
	batch_free(batch);
}

static void
tells_a_row_that_never_fits_from_a_full_batch(void **state)
{
	size_t item = strlen(PREFIX) + 2;
	struct batch_limits tight = limits(false, 9, 200 + item, 200);
	struct batch *batch = batch_new(&tight);

	(void)state;
	assert_int_equal(add(batch, 1, PREFIX, "12"), BATCH_OVERSIZE);
	assert_int_equal(add(batch, 2, PREFIX, "1"), BATCH_ADDED);
	assert_int_equal(add(batch, 3, PREFIX, "1"), BATCH_FULL);
	assert_int_equal(add(batch, 4, PREFIX, "12"), BATCH_OVERSIZE);
	assert_int_equal(batch->bytes, tight.max_bytes);
	batch_free(batch);
}

static void
refuses_every_row_when_the_envelope_alone_is_too_large(void **state)
{
	struct batch_limits none = limits(false, 9, 100, 200);
	struct batch *batch = batch_new(&none);

	(void)state;
	assert_int_equal(add(batch, 1, "{", ""), BATCH_OVERSIZE);
	assert_int_equal(batch->count, 0);
	batch_free(batch);
}

static void
picks_rows_with_all_that_belongs_to_them(void **state)
{
	static const size_t SECOND_AND_FOURTH[] = { 1, 3 };
	struct batch_limits ample = limits(true, 10, 10000, 200);
	struct batch *batch = batch_new(&ample);
	struct batch *picked;

	(void)state;
	add(batch, 1, "{\"a\":", "1");
	add(batch, 2, "{\"bb\":", "22");
	add(batch, 3, "{\"c\":", "3");
	add(batch, 4, "{\"dddd\":", "4");
	picked = batch_pick(batch, SECOND_AND_FOURTH, 2);
	assert_non_null(picked);
	assert_string_equal(
	    text_string(&picked->items), "{\"bb\":22}{\"dddd\":4}");
	assert_int_equal(picked->rows[0].id, 2);
	assert_int_equal(picked->rows[0].start, 0);
	assert_int_equal(picked->rows[1].id, 4);
	assert_int_equal(picked->rows[1].series_id, 40);
	assert_int_equal(picked->rows[1].attempts, 1);
	assert_int_equal(picked->limits.max_rows, 10);
	assert_true(picked->limits.get);
	assert_int_equal(
	    picked->bytes, 200 + batch_encoded("{\"bb\":22},{\"dddd\":4}", 20));
	batch_free(batch); /* the picked one lives on */
	assert_string_equal(
	    text_string(&picked->items), "{\"bb\":22}{\"dddd\":4}");
	batch_free(picked);
}

static void
counts_encoded_bytes_by_rfc_3986(void **state)
{
	char all[256];
	int i;

	(void)state;
	for (i = 0; i < 256; i++)
		all[i] = (char)i;
	assert_int_equal(batch_encoded(all, 256), 66 + 3 * 190);
	assert_int_equal(batch_encoded("azAZ09-._~", 10), 10);
	assert_int_equal(batch_encoded(" +/=%{\"\xc3\xa9", 9), 27);
	assert_int_equal(batch_encoded("", 0), 0);
}

/* Make a row of random length and characters in ${prefix} and ${value}. */
static void
make_row(char prefix[600], char value[30])
{
	static const char CHARACTERS[] = "abcXYZ019-._~ \"{}:,/%+\xe4\xb8\xad";
	size_t len = next(500);
	size_t i;

	prefix[0] = '{';
	for (i = 1; i <= len; i++)
		prefix[i] = CHARACTERS[next(sizeof(CHARACTERS) - 1)];
	prefix[i] = '\0';
	snprintf(value, 30, "%.*g", (int)next(17) + 1,
	    (double)next(UINT64_MAX) / 7e9);
}

/* The bytes of the real request; its stamp has ten digits throughout. */
static size_t
real_bytes(
    const struct envelope *envelope, const struct batch *batch, char *signature)
{
	struct request request = { 0 };
	const char *found;
	size_t bytes;

	assert_int_equal(
	    request_build(&request, envelope, batch, 1764000000, 2147483647),
	    0);
	bytes = request.bytes;
	assert_int_equal(request.rows, batch->count);
	if (envelope->get) {
		found = strstr(text_string(&request.url), "&Signature=");
		sscanf(found, "&Signature=%84[^&]", signature);
		assert_int_equal(bytes,
		    strlen(strchr(
			strstr(text_string(&request.url), "//") + 2, '/')));
	} else {
		assert_int_equal(bytes, strlen(text_string(&request.body)));
	}
	request_clear(&request);
	return bytes;
}

/* What a query's signature is counted with, less what it took. */
static size_t
slack(const struct envelope *envelope, const char *signature)
{
	return envelope->get ? 84 - strlen(signature) : 0;
}

/* Fill one batch; at every step the count is exact, and what is refused
 * would really have passed the limit. */
static void
fill(const struct envelope *envelope, const struct batch_limits *tight)
{
	struct batch_limits ample = *tight;
	struct batch *batch = batch_new(tight);
	struct batch *larger;
	char prefix[600], value[30], signature[85];
	enum batch_added added;
	int64_t id = 0;

	ample.max_rows++;
	ample.max_bytes = SIZE_MAX;
	larger = batch_new(&ample);
	do {
		make_row(prefix, value);
		added = add(batch, ++id, prefix, value);
		assert_int_equal(add(larger, id, prefix, value), BATCH_ADDED);
		if (added == BATCH_ADDED)
			assert_int_equal(batch->bytes, larger->bytes);
	} while (added == BATCH_ADDED);
	assert_true(larger->bytes > tight->max_bytes ||
	    larger->count > tight->max_rows);
	assert_int_equal(real_bytes(envelope, larger, signature) +
		slack(envelope, signature),
	    larger->bytes);
	assert_true(batch->bytes <= tight->max_bytes || batch->count == 0);
	assert_true(batch->count <= tight->max_rows);
	if (added == BATCH_OVERSIZE)
		assert_true(tight->envelope +
			(tight->get ? batch_encoded(prefix, strlen(prefix)) +
				    batch_encoded(value, strlen(value)) + 3
				    : strlen(prefix) + strlen(value) + 1) >
		    tight->max_bytes);
	batch_free(batch);
	batch_free(larger);
}

static void
counts_the_bytes_of_every_request_exactly(void **state)
{
	struct envelope envelope = {
		.url =
		    "http://receiver.monitor.tencentyun.com:8080/v2/index.php",
		.sign_host = "receiver.monitor.tencentyun.com",
		.sign_path = "/v2/index.php",
		.secret_id = "AKDuXhrYW5ilcFO11bakwWTF7ogwCl8ugEY",
		.key = "tsPHxrAB8fhffaGNmHZDjNSsBm3Ewdm",
		.key_len = 31,
		.region = "sh",
		.ns = "name_1",
	};
	struct batch_limits tight;
	int round;

	(void)state;
	seed = 4;
	for (round = 0; round < 400; round++) {
		envelope.get = next(2) == 1;
		tight = limits(envelope.get, next(60) + 1, next(9000) + 300,
		    request_envelope(&envelope));
		fill(&envelope, &tight);
	}
}

static void
frees_nothing_without_complaint(void **state)
{
	(void)state;
	batch_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_item_and_what_is_known_of_the_row),
		cmocka_unit_test(is_full_at_the_row_limit),
		cmocka_unit_test(changes_nothing_when_the_bytes_do_not_fit),
		cmocka_unit_test(tells_a_row_that_never_fits_from_a_full_batch),
		cmocka_unit_test(
		    refuses_every_row_when_the_envelope_alone_is_too_large),
		cmocka_unit_test(picks_rows_with_all_that_belongs_to_them),
		cmocka_unit_test(counts_encoded_bytes_by_rfc_3986),
		cmocka_unit_test(counts_the_bytes_of_every_request_exactly),
		cmocka_unit_test(frees_nothing_without_complaint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
