#include "receiver_record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "base/fault.h"
#include "base/span.h"

static int
open_file(const char *path, int *fd, struct fault *fault)
{
	*fd = -1;
	if (path == NULL)
		return 0;
	*fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (*fd != -1)
		return 0;
	fault_set(fault, FAULT_CANNOT_CREATE, "cannot write %s", path);
	fault_why(fault, "%s", strerror(errno));
	fault_hint(fault, "name a file in a directory that you may write");
	return -1;
}

int
record_open(struct record *record, const char *rows_path,
    const char *requests_path, struct fault *fault)
{
	record->rows_path = rows_path;
	record->requests_path = requests_path;
	record->requests_fd = -1;
	if (open_file(rows_path, &record->rows_fd, fault) == 0 &&
	    open_file(requests_path, &record->requests_fd, fault) == 0)
		return 0;
	record_close(record);
	return -1;
}

void
record_close(struct record *record)
{
	if (record->rows_fd != -1)
		close(record->rows_fd);
	if (record->requests_fd != -1)
		close(record->requests_fd);
	record->rows_fd = record->requests_fd = -1;
	text_free(&record->text);
}

static int
write_all(
    int fd, const char *path, const struct text *text, struct fault *fault)
{
	size_t done = 0;
	ssize_t n;

	if (text->failed)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	while (done < text->len) {
		n = write(fd, text->data + done, text->len - done);
		if (n == -1 && errno != EINTR) {
			fault_errno(fault, errno, "cannot write %s", path);
			fault_hint(fault, "make room, or name another file");
			return -1;
		}
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* ---- rows ---- */

/* null when the request had no such text. */
static void
add_string(struct text *text, const struct request_value *value)
{
	if (value->type == REQUEST_TEXT)
		text_add_json(text, value->text, value->len);
	else
		text_adds(text, "null");
}

/* Compact, whatever the white space it came with: one row is one line. */
static void
add_dimensions(struct text *text, const struct cJSON *dimensions)
{
	const struct cJSON *dimension;

	text_addc(text, '{');
	for (dimension = dimensions->child; dimension != NULL;
	     dimension = dimension->next) {
		if (dimension != dimensions->child)
			text_addc(text, ',');
		text_add_json(
		    text, dimension->string, strlen(dimension->string));
		text_addc(text, ':');
		text_add_json(text, dimension->valuestring,
		    strlen(dimension->valuestring));
	}
	text_addc(text, '}');
}

/* The value stands as it came, to the digit: a double would not tell. */
static void
add_row(struct text *text, const struct cJSON *item, struct json_span raw)
{
	const struct cJSON *metric = cJSON_GetObjectItemCaseSensitive(
	    item, "metricName");
	struct json_span value;

	text_adds(text, "\"metricName\":");
	text_add_json(text, metric->valuestring, strlen(metric->valuestring));
	text_adds(text, ",\"dimensions\":");
	add_dimensions(
	    text, cJSON_GetObjectItemCaseSensitive(item, "dimensions"));
	text_adds(text, ",\"value\":");
	if (json_find(raw.start, raw.len, "value", &value) == 0)
		text_add(text, value.start, value.len);
	else
		text->failed = true; /* the checks saw it */
}

/* What all rows of a request have in common. */
static void
add_head(struct text *head, const struct request *request)
{
	char at[SPAN_TEXT_SIZE];

	text_addf(head, "{\"received_at\":\"%s\",\"namespace\":",
	    span_print_time(at, request->received_at_ms));
	add_string(head, &request->values[REQUEST_NAMESPACE]);
	text_adds(head, ",\"region\":");
	add_string(head, &request->values[REQUEST_REGION]);
	text_adds(head, ",\"secret_id\":");
	add_string(head, &request->values[REQUEST_SECRET_ID]);
	text_addc(head, ',');
}

static void
add_rows(struct text *text, const struct request *request)
{
	const struct cJSON *item = request->data->child;
	struct json_span raw = { 0 };
	struct text head = { 0 };

	add_head(&head, request);
	while (item != NULL &&
	    request_next_item(&request->values[REQUEST_DATA], &raw)) {
		text_add(text, head.data, head.len);
		add_row(text, item, raw);
		text_addf(text, ",\"request\":%" PRId64 "}\n", request->number);
		item = item->next;
	}
	text->failed |= head.failed || item != NULL;
	text_free(&head);
}

/* ---- requests ---- */

static void
add_whole(struct text *text, const struct request_value *value)
{
	size_t zeros = 0;

	if (value->type != REQUEST_WHOLE) {
		text_adds(text, "null");
		return;
	}
	/* A query may have leading zeros, JSON may not. */
	while (zeros + 1 < value->len && value->text[zeros] == '0')
		zeros++;
	text_add(text, value->text + zeros, value->len - zeros);
}

static void
add_number_or_null(struct text *text, const char *name, int number, int none)
{
	if (number == none)
		text_addf(text, ",\"%s\":null", name);
	else
		text_addf(text, ",\"%s\":%d", name, number);
}

static void
add_parameters(struct text *text, const struct request *request)
{
	static const struct {
		const char *name;
		enum request_key key;
	} MEMBERS[] = {
		{ ",\"namespace\":", REQUEST_NAMESPACE },
		{ ",\"region\":", REQUEST_REGION },
		{ ",\"secret_id\":", REQUEST_SECRET_ID },
		{ ",\"timestamp\":", REQUEST_TIMESTAMP },
		{ ",\"nonce\":", REQUEST_NONCE },
		{ ",\"signature\":", REQUEST_SIGNATURE },
	};
	size_t i;

	for (i = 0; i < sizeof(MEMBERS) / sizeof(MEMBERS[0]); i++) {
		text_adds(text, MEMBERS[i].name);
		if (request_key_type(MEMBERS[i].key) == REQUEST_WHOLE)
			add_whole(text, &request->values[MEMBERS[i].key]);
		else
			add_string(text, &request->values[MEMBERS[i].key]);
	}
}

static void
add_request(struct text *text, const struct request *request,
    const struct outcome *outcome)
{
	static const char *const SIGNATURE_OK[] = {
		[REQUEST_UNCHECKED] = "null",
		[REQUEST_SIGNED] = "true",
		[REQUEST_FORGED] = "false",
	};
	char at[SPAN_TEXT_SIZE];

	text_addf(text, "{\"request\":%" PRId64 ",\"received_at\":\"%s\"",
	    request->number, span_print_time(at, request->received_at_ms));
	text_adds(text, ",\"method\":");
	text_add_json(text, request->method, strlen(request->method));
	add_parameters(text, request);
	text_addf(text, ",\"signature_ok\":%s,\"rows\":%zu,\"bytes\":%zu",
	    SIGNATURE_OK[request->signature], request->rows, request->bytes);
	add_number_or_null(text, "http_status", outcome->http_status, 0);
	add_number_or_null(text, "code", outcome->code, -1);
	text_adds(text, ",\"fault\":");
	if (outcome->mishap == NULL)
		text_adds(text, "null");
	else
		text_add_json(text, outcome->mishap->label,
		    strlen(outcome->mishap->label));
	text_adds(text, "}\n");
}

int
record_add(struct record *record, const struct request *request,
    const struct outcome *outcome, struct fault *fault)
{
	struct text *text = &record->text;

	if (record->rows_fd != -1 && outcome->accepted) {
		text_clear(text);
		add_rows(text, request);
		if (write_all(record->rows_fd, record->rows_path, text, fault))
			return -1;
	}
	if (record->requests_fd == -1)
		return 0;
	text_clear(text);
	add_request(text, request, outcome);
	return write_all(
	    record->requests_fd, record->requests_path, text, fault);
}
