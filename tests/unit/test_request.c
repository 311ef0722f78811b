/* links: protocol */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "protocol/batch.h"
#include "protocol/request.h"

#define URL "http://receiver.monitor.tencentyun.com:8080/v2/index.php"
#define PREFIX \
	"{\"dimensions\":{\"diskname\":\"sda\",\"ip\":\"172.31.58.160\"}," \
	"\"metricName\":\"diskusage\",\"value\":"
#define TIMESTAMP 1402992826
#define NONCE 345122

/* The credentials of V3 and V4 in signature-vectors.json. */
static const struct envelope POST = {
	.url = URL,
	.sign_host = "receiver.monitor.tencentyun.com",
	.sign_path = "/v2/index.php",
	.secret_id = "AKDuXhrYW5ilcFO11bakwWTF7ogwCl8ugEY",
	.key = "tsPHxrAB8fhffaGNmHZDjNSsBm3Ewdm",
	.key_len = 31,
	.region = "sh",
	.ns = "pc",
};
static const struct envelope GET = {
	.get = true,
	.url = URL,
	.sign_host = "receiver.monitor.tencentyun.com",
	.sign_path = "/v2/index.php",
	.secret_id = "AKIDDuYW5ilcFO1bakwWTF7og1wCl8ugEY",
	.key = "tsfzPHxrffaGNmHZDjNSsBm23Ewdm",
	.key_len = 29,
	.region = "sh",
	.ns = "name1",
};

static struct batch *
rows(const struct envelope *envelope, size_t count)
{
	struct batch_limits limits = { .get = envelope->get,
		.max_rows = count,
		.max_bytes = 100000,
		.envelope = request_envelope(envelope) };
	struct batch_row row = { .id = 1 };
	struct batch *batch = batch_new(&limits);
	size_t i;

	for (i = 0; i < count; i++)
		assert_int_equal(
		    batch_add(batch, &row, PREFIX, strlen(PREFIX), "0.3", 3),
		    BATCH_ADDED);
	return batch;
}

static void
build(struct request *request, const struct envelope *envelope, size_t count)
{
	struct batch *batch = rows(envelope, count);

	assert_int_equal(
	    request_build(request, envelope, batch, TIMESTAMP, NONCE), 0);
	assert_int_equal(request->rows, count);
	batch_free(batch);
}

static void
posts_the_sample_byte_for_byte(void **state)
{
	struct request request = { 0 };

	(void)state;
	build(&request, &POST, 1);
	assert_false(request.get);
	assert_string_equal(text_string(&request.url), URL);
	assert_string_equal(text_string(&request.body),
	    "{\"Action\":\"PutMonitorData\","
	    "\"SecretId\":\"AKDuXhrYW5ilcFO11bakwWTF7ogwCl8ugEY\","
	    "\"Region\":\"sh\",\"Timestamp\":1402992826,\"Nonce\":345122,"
	    "\"Signature\":\"BNkug6tdTUBUwkDQzIood5pzl2Q=\","
	    "\"Namespace\":\"pc\",\"Data\":[{\"dimensions\":{\"diskname\":"
	    "\"sda\",\"ip\":\"172.31.58.160\"},\"metricName\":\"diskusage\","
	    "\"value\":0.3}]}");
	assert_int_equal(request.bytes, 289);
	assert_int_equal(request.body.len, 289);
	request_clear(&request);
}

static void
gets_the_sample_byte_for_byte(void **state)
{
	struct request request = { 0 };

	(void)state;
	build(&request, &GET, 1);
	assert_true(request.get);
	assert_string_equal(text_string(&request.url),
	    URL
	    "?Action=PutMonitorData"
	    "&SecretId=AKIDDuYW5ilcFO1bakwWTF7og1wCl8ugEY&Region=sh"
	    "&Timestamp=1402992826&Nonce=345122"
	    "&Signature=qhJz1JnhD5v3FLhDcAcy8t%2FAG0E%3D&Namespace=name1"
	    "&Data=%5B%7B%22dimensions%22%3A%7B%22diskname%22%3A%22sda%22%2C"
	    "%22ip%22%3A%22172.31.58.160%22%7D%2C%22metricName%22%3A"
	    "%22diskusage%22%2C%22value%22%3A0.3%7D%5D");
	assert_int_equal(request.bytes, 341);
	assert_int_equal(request.body.len, 0);
	request_clear(&request);
}

static void
has_the_measured_sizes(void **state)
{
	static const struct {
		const struct envelope *envelope;
		size_t rows, bytes;
	} SIZES[] = {
		{ &POST, 1, 289 },
		{ &POST, 30, 2957 },
		{ &POST, 100, 9397 },
		{ &GET, 1, 341 },
		{ &GET, 30, 4691 },
		{ &GET, 100, 15191 },
	};
	struct request request = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
		build(&request, SIZES[i].envelope, SIZES[i].rows);
		assert_int_equal(request.bytes, SIZES[i].bytes);
	}
	request_clear(&request);
}

static void
takes_143_bytes_and_what_the_settings_take(void **state)
{
	struct envelope envelope = POST;

	(void)state;
	assert_int_equal(request_envelope(&POST),
	    143 + strlen(POST.secret_id) + 2 + strlen("pc") + 10 + 10);
	envelope.ns = "a_namespace_of_32_characters____";
	envelope.region = "ap-guangzhou-7";
	envelope.secret_id = "x";
	assert_int_equal(request_envelope(&envelope), 143 + 1 + 14 + 32 + 20);
}

static void
counts_a_query_with_the_widest_signature(void **state)
{
	struct request request = { 0 };
	struct batch *batch = rows(&GET, 1);

	(void)state;
	build(&request, &GET, 1);
	/* The sample's nonce has six digits, its signature 28 + 2 * 2. */
	assert_int_equal(batch->bytes, request.bytes + 4 + 84 - 32);
	batch_free(batch);
	request_clear(&request);
}

static void
escapes_what_a_lenient_namespace_may_hold(void **state)
{
	struct envelope envelope = POST;
	struct request request = { 0 };
	size_t plain = request_envelope(&POST);

	(void)state;
	envelope.ns = "a\"\\\xc3\xa9";
	assert_int_equal(request_envelope(&envelope), plain - 2 + 7);
	build(&request, &envelope, 1);
	assert_non_null(strstr(text_string(&request.body),
	    ",\"Namespace\":\"a\\\"\\\\\xc3\xa9\",\"Data\":["));
	envelope = GET;
	envelope.ns = "a b\"&\xc3\xa9";
	build(&request, &envelope, 1);
	assert_non_null(strstr(
	    text_string(&request.url), "&Namespace=a%20b%22%26%C3%A9&Data="));
	assert_int_equal(request.body.len, 0);
	request_clear(&request);
}

static void
adds_the_path_that_a_bare_host_lacks(void **state)
{
	struct envelope envelope = GET;
	struct request request = { 0 };
	size_t shorter = strlen("v2/index.php");

	(void)state;
	envelope.url = "http://[::1]:8080";
	build(&request, &envelope, 1);
	assert_memory_equal(text_string(&request.url),
	    "http://[::1]:8080/?Action=PutMonitorData&", 41);
	assert_int_equal(request.bytes, 341 - shorter);
	envelope.url = "http://[::1]:8080/";
	build(&request, &envelope, 1);
	assert_memory_equal(text_string(&request.url),
	    "http://[::1]:8080/?Action=PutMonitorData&", 41);
	assert_int_equal(request.bytes, 341 - shorter);
	request_clear(&request);
}

static void
signs_each_attempt_anew(void **state)
{
	struct request first = { 0 }, second = { 0 };
	struct batch *batch = rows(&POST, 2);

	(void)state;
	assert_int_equal(
	    request_build(&first, &POST, batch, TIMESTAMP, 1000000000), 0);
	assert_int_equal(
	    request_build(&second, &POST, batch, TIMESTAMP, 1000000001), 0);
	assert_int_equal(first.bytes, second.bytes);
	assert_int_equal(first.bytes, batch->bytes);
	assert_string_not_equal(
	    strstr(text_string(&first.body), "\"Signature\""),
	    strstr(text_string(&second.body), "\"Signature\""));
	batch_free(batch);
	request_clear(&first);
	request_clear(&second);
}

static void
never_carries_the_key(void **state)
{
	struct request request = { 0 };

	(void)state;
	build(&request, &POST, 1);
	assert_null(strstr(text_string(&request.body), POST.key));
	build(&request, &GET, 1);
	assert_null(strstr(text_string(&request.url), GET.key));
	request_clear(&request);
	assert_null(request.url.data);
	assert_null(request.body.data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(posts_the_sample_byte_for_byte),
		cmocka_unit_test(gets_the_sample_byte_for_byte),
		cmocka_unit_test(has_the_measured_sizes),
		cmocka_unit_test(takes_143_bytes_and_what_the_settings_take),
		cmocka_unit_test(counts_a_query_with_the_widest_signature),
		cmocka_unit_test(escapes_what_a_lenient_namespace_may_hold),
		cmocka_unit_test(adds_the_path_that_a_bare_host_lacks),
		cmocka_unit_test(signs_each_attempt_anew),
		cmocka_unit_test(never_carries_the_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
