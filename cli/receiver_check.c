#include "receiver_check.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/clock.h"
#include "receiver_code.h"

/* Room for the longest name that is looked up; a longer one is cut, and so
 * is unknown wherever namespaces are given. */
#define NAME_SIZE 512

/* ---- the request ---- */

static int
check_method(struct rules *rules, const struct request *request)
{
	(void)rules;
	return request->form == REQUEST_NEITHER ? CODE_METHOD : CODE_OK;
}

static int
check_path(struct rules *rules, const struct request *request)
{
	size_t len = strlen(rules->path);

	if (request->path.len == len &&
	    memcmp(request->path.start, rules->path, len) == 0)
		return CODE_OK;
	return CODE_PATH;
}

static int
check_size(struct rules *rules, const struct request *request)
{
	int64_t most = CHECK_LONGEST_BODY;

	if (rules->max_body > 0 && rules->max_body < most)
		most = rules->max_body;
	return (int64_t)request->bytes > most ? CODE_TOO_LONG : CODE_OK;
}

static int
check_content(struct rules *rules, const struct request *request)
{
	(void)rules;
	return request->empty ? CODE_NO_CONTENT : CODE_OK;
}

static int
check_json(struct rules *rules, const struct request *request)
{
	(void)rules;
	return request->json ? CODE_OK : CODE_NOT_JSON;
}

static int
check_present(struct rules *rules, const struct request *request)
{
	int key;

	(void)rules;
	for (key = 0; key < REQUEST_KEYS; key++)
		if (request->values[key].type == REQUEST_ABSENT)
			return CODE_MISSING;
	return CODE_OK;
}

static int
check_types(struct rules *rules, const struct request *request)
{
	int key;

	(void)rules;
	for (key = 0; key < REQUEST_KEYS; key++)
		if (request->values[key].type !=
		    request_key_type((enum request_key)key))
			return CODE_TYPE;
	return CODE_OK;
}

static int
check_action(struct rules *rules, const struct request *request)
{
	(void)rules;
	return request_is(request, REQUEST_ACTION, "PutMonitorData")
	    ? CODE_OK
	    : CODE_ACTION;
}

static int
check_signature(struct rules *rules, const struct request *request)
{
	(void)rules;
	return request->signature == REQUEST_FORGED ? CODE_AUTHENTICATION
						    : CODE_OK;
}

static int
check_time(struct rules *rules, const struct request *request)
{
	char digits[32];
	int64_t skew_ms, sent_s;

	if (rules->skew_ms == 0)
		return CODE_OK;
	sent_s = strtoll(
	    request_copy(request, REQUEST_TIMESTAMP, digits, sizeof(digits)),
	    NULL, 10);
	if (sent_s > INT64_MAX / 1000)
		return CODE_TIMESTAMP;
	skew_ms = sent_s * 1000 -
	    (clock_wall_ms() + rules->clock_offset_ms) / 1000 * 1000;
	return llabs(skew_ms) > rules->skew_ms ? CODE_TIMESTAMP : CODE_OK;
}

static int
check_request_rate(struct rules *rules, const struct request *request)
{
	char id[NAME_SIZE];

	request_copy(request, REQUEST_SECRET_ID, id, sizeof(id));
	return pace_take_request(&rules->pace, id, clock_steady_ms())
	    ? CODE_OK
	    : CODE_TOO_MANY_REQUESTS;
}

static int
check_region(struct rules *rules, const struct request *request)
{
	const struct request_value *region = &request->values[REQUEST_REGION];
	size_t i;
	char c;

	(void)rules;
	for (i = 0; i < region->len; i++) {
		c = region->text[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    c != '-')
			return CODE_PARAMETER;
	}
	return region->len == 0 ? CODE_PARAMETER : CODE_OK;
}

static int
check_namespace(struct rules *rules, const struct request *request)
{
	char name[NAME_SIZE];

	request_copy(request, REQUEST_NAMESPACE, name, sizeof(name));
	return known_namespace(&rules->known, name) ? CODE_OK : CODE_NAMESPACE;
}

static int
check_some_data(struct rules *rules, const struct request *request)
{
	(void)rules;
	return request->rows == 0 ? CODE_NO_DATA : CODE_OK;
}

/* ---- its rows ---- */

struct row {
	const struct cJSON *metric, *dimensions, *value;
};

static int
check_row_members(const struct row *row)
{
	const struct cJSON *dimension;

	if (row->metric == NULL || row->dimensions == NULL ||
	    row->value == NULL)
		return CODE_MISSING;
	if (!cJSON_IsString(row->metric) || !cJSON_IsObject(row->dimensions) ||
	    !cJSON_IsNumber(row->value))
		return CODE_TYPE;
	for (dimension = row->dimensions->child; dimension != NULL;
	     dimension = dimension->next)
		if (!cJSON_IsString(dimension))
			return CODE_TYPE;
	return CODE_OK;
}

static int
check_row_names(const struct rules *rules, const struct row *row)
{
	size_t most = (size_t)rules->max_name;
	const struct cJSON *dimension;

	if (most == 0)
		return CODE_OK;
	if (strlen(row->metric->valuestring) > most)
		return CODE_NAME_LENGTH;
	for (dimension = row->dimensions->child; dimension != NULL;
	     dimension = dimension->next)
		if (strlen(dimension->string) > most)
			return CODE_NAME_LENGTH;
	return CODE_OK;
}

static int
check_row(
    const struct rules *rules, const char *namespace, const struct cJSON *item)
{
	struct row row = {
		.metric = cJSON_GetObjectItemCaseSensitive(item, "metricName"),
		.dimensions = cJSON_GetObjectItemCaseSensitive(
		    item, "dimensions"),
		.value = cJSON_GetObjectItemCaseSensitive(item, "value"),
	};
	int code;

	if (!cJSON_IsObject(item))
		return CODE_TYPE;
	if ((code = check_row_members(&row)) != CODE_OK ||
	    (code = check_row_names(rules, &row)) != CODE_OK)
		return code;
	return known_metric(&rules->known, namespace, row.metric->valuestring,
		   row.dimensions)
	    ? CODE_OK
	    : CODE_DIMENSION;
}

static int
check_rows(struct rules *rules, const struct request *request)
{
	const struct cJSON *item;
	char name[NAME_SIZE];
	int code = CODE_OK;

	request_copy(request, REQUEST_NAMESPACE, name, sizeof(name));
	for (item = request->data->child; item != NULL && code == CODE_OK;
	     item = item->next)
		code = check_row(rules, name, item);
	return code;
}

static int
check_row_rate(struct rules *rules, const struct request *request)
{
	char id[NAME_SIZE];

	request_copy(request, REQUEST_SECRET_ID, id, sizeof(id));
	return pace_take_rows(
		   &rules->pace, id, (double)request->rows, clock_steady_ms())
	    ? CODE_OK
	    : CODE_TOO_MANY_ROWS;
}

/* In this order, and each may rely on those before it. */
static int (*const CHECKS[])(
    struct rules *rules, const struct request *request) = {
	check_method,
	check_path,
	check_size,
	check_content,
	check_json,
	check_present,
	check_types,
	check_action,
	check_signature,
	check_time,
	check_request_rate,
	check_region,
	check_namespace,
	check_some_data,
	check_rows,
	check_row_rate,
};

int
check_request(struct rules *rules, const struct request *request)
{
	size_t i;
	int code = CODE_OK;

	for (i = 0; i < sizeof(CHECKS) / sizeof(CHECKS[0]) && code == CODE_OK;
	     i++)
		code = CHECKS[i](rules, request);
	return code;
}
