#ifndef BENCH_POST_H
#define BENCH_POST_H

#include <curl/curl.h>
#include <stdint.h>
#include <string.h>

#include "protocol/batch.h"
#include "protocol/request.h"

#include "bench.h"

/* Signed requests as any program could send them with libcurl. */

/** Sign and render a request of ${rows} rows, numbered from ${number}. */
static inline void
bench_build(
    struct request *request, const char *url, size_t rows, size_t number)
{
	struct envelope envelope = { .url = url,
		.sign_host = "receiver.monitor.tencentyun.com",
		.sign_path = "/v2/index.php",
		.secret_id = "AKIDbench",
		.key = "benchKeyBenchKey",
		.key_len = 16,
		.region = "gz",
		.ns = "cvm" };
	struct batch_limits limits = { .max_rows = rows,
		.max_bytes = 1 << 20,
		.envelope = request_envelope(&envelope) };
	struct batch *batch = batch_new(&limits);
	struct batch_row row = { 0 };
	char prefix[200], value[32];

	bench_need(batch != NULL, "memory");
	for (size_t i = number; i < number + rows; i++) {
		size_t series = i % 5000;
		int len = snprintf(prefix, sizeof(prefix),
		    "{\"metricName\":\"cpu%zu\",\"dimensions\":"
		    "{\"ip\":\"10.0.%zu.0\"},\"value\":",
		    series % 50, series / 50);
		int value_len = snprintf(
		    value, sizeof(value), "%zu.5", i % 100000);

		row.id = (int64_t)i + 1;
		bench_need(batch_add(batch, &row, prefix, (size_t)len, value,
			       (size_t)value_len) == BATCH_ADDED,
		    "batch");
	}
	bench_need(request_build(request, &envelope, batch, (int64_t)time(NULL),
		       (uint32_t)number + 1) == 0,
	    "request");
	batch_free(batch);
}

static inline size_t
bench_ignore(char *bytes, size_t size, size_t count, void *cookie)
{
	(void)bytes;
	(void)cookie;
	return size * count;
}

/** Make ${easy} post ${request}, which it reads until it is done, on a
 * connection of its own. */
static inline void
bench_prepare_post(
    CURL *easy, struct curl_slist *headers, const struct request *request)
{
	curl_easy_setopt(easy, CURLOPT_URL, text_string(&request->url));
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, bench_ignore);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, text_string(&request->body));
	curl_easy_setopt(
	    easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
}

static inline struct curl_slist *
bench_headers(void)
{
	return curl_slist_append(
	    curl_slist_append(NULL, "Content-Type: application/json"),
	    "Expect:");
}

static inline void
bench_url(char *url, size_t size, const char *port)
{
	snprintf(url, size, "http://127.0.0.1:%s/v2/index.php", port);
}

#endif
