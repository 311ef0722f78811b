#include "receiver_request.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/fault.h"
#include "base/text.h"

static const struct {
	const char *name;
	enum request_type type;
} KEYS[REQUEST_KEYS] = {
	[REQUEST_ACTION] = { "Action", REQUEST_TEXT },
	[REQUEST_NONCE] = { "Nonce", REQUEST_WHOLE },
	[REQUEST_REGION] = { "Region", REQUEST_TEXT },
	[REQUEST_SECRET_ID] = { "SecretId", REQUEST_TEXT },
	[REQUEST_TIMESTAMP] = { "Timestamp", REQUEST_WHOLE },
	[REQUEST_SIGNATURE] = { "Signature", REQUEST_TEXT },
	[REQUEST_NAMESPACE] = { "Namespace", REQUEST_TEXT },
	[REQUEST_DATA] = { "Data", REQUEST_LIST },
};

/* Digits enough for any 64-bit number: longer ones are no time, no nonce. */
#define WHOLE_DIGITS 18

static bool
is_whole(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return len > 0 && len <= WHOLE_DIGITS;
}

static void
set_value(struct request *request, enum request_key key, enum request_type type,
    const char *text, size_t len)
{
	request->values[key] = (struct request_value){ type, text, len };
}

/* ---- the body of a POST ---- */

static void
take_number(
    struct request *request, enum request_key key, const char *body, size_t len)
{
	struct json_span raw;

	/* The digits as written: 1e3 and 1.0 are numbers, but not whole. */
	if (json_find(body, len, KEYS[key].name, &raw))
		return;
	set_value(request, key,
	    is_whole(raw.start, raw.len) ? REQUEST_WHOLE : REQUEST_OTHER,
	    raw.start, raw.len);
}

static void
take_list(struct request *request, const struct cJSON *list, const char *text,
    size_t len)
{
	set_value(request, REQUEST_DATA,
	    cJSON_IsArray(list) ? REQUEST_LIST : REQUEST_OTHER, text, len);
	if (!cJSON_IsArray(list))
		return;
	request->data = list;
	request->rows = (size_t)cJSON_GetArraySize(list);
}

static void
take_member(struct request *request, enum request_key key,
    const struct cJSON *member, const char *body, size_t len)
{
	struct json_span raw;

	if (cJSON_IsString(member))
		set_value(request, key, REQUEST_TEXT, member->valuestring,
		    strlen(member->valuestring));
	else if (cJSON_IsNumber(member))
		take_number(request, key, body, len);
	else if (cJSON_IsArray(member) && key == REQUEST_DATA &&
	    json_find(body, len, KEYS[key].name, &raw) == 0)
		take_list(request, member, raw.start, raw.len);
	else
		set_value(request, key, REQUEST_OTHER, "", 0);
}

static int
read_post(struct request *request, const char *body, size_t len)
{
	const struct cJSON *member;
	struct fault fault = { 0 };
	int key;

	request->bytes = len;
	if ((request->empty = len == 0))
		return 0;
	request->tree = json_parse(body, len, &fault);
	if (request->tree == NULL && fault.kind == FAULT_INTERNAL)
		return -1;
	request->json = cJSON_IsObject(request->tree);
	for (key = 0; request->json && key < REQUEST_KEYS; key++) {
		member = cJSON_GetObjectItemCaseSensitive(
		    request->tree, KEYS[key].name);
		if (member != NULL)
			take_member(
			    request, (enum request_key)key, member, body, len);
	}
	return 0;
}

/* ---- the query of a GET ---- */

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Decode ${text} where it stands, as an HTML form: '+' is a space.  A '%'
 * that starts no escape stays.  Return the new length. */
static size_t
decode(char *text, size_t len)
{
	size_t from, to = 0;

	for (from = 0; from < len; from++, to++) {
		text[to] = text[from] == '+' ? ' ' : text[from];
		if (text[from] == '%' && from + 2 < len &&
		    hex_digit(text[from + 1]) >= 0 &&
		    hex_digit(text[from + 2]) >= 0) {
			text[to] = (char)(hex_digit(text[from + 1]) * 16 +
			    hex_digit(text[from + 2]));
			from += 2;
		}
	}
	return to;
}

static void
take_parameter(struct request *request, const char *name, size_t name_len,
    const char *text, size_t len)
{
	enum request_type type = REQUEST_TEXT;
	int key;

	for (key = 0; key < REQUEST_KEYS; key++)
		if (strlen(KEYS[key].name) == name_len &&
		    memcmp(KEYS[key].name, name, name_len) == 0)
			break;
	if (key == REQUEST_KEYS)
		return;
	if (KEYS[key].type == REQUEST_WHOLE && is_whole(text, len))
		type = REQUEST_WHOLE;
	if (memchr(text, '\0', len) != NULL || text_utf8_bad(text, len) != -1)
		type = REQUEST_OTHER;
	set_value(request, (enum request_key)key, type, text, len);
}

static void
split_query(struct request *request, char *query)
{
	char *pair = query, *end, *equals;
	size_t len, name_len;

	for (; *pair != '\0'; pair = *end == '\0' ? end : end + 1) {
		end = pair + strcspn(pair, "&");
		len = (size_t)(end - pair);
		equals = memchr(pair, '=', len);
		if (equals == NULL)
			continue;
		name_len = (size_t)(equals - pair);
		take_parameter(request, pair, decode(pair, name_len),
		    equals + 1, decode(equals + 1, len - name_len - 1));
	}
}

static int
read_get(struct request *request, const char *target)
{
	const struct request_value *data = &request->values[REQUEST_DATA];
	const char *query = strchr(target, '?');
	struct fault fault = { 0 };

	request->bytes = strlen(target);
	if ((request->empty = query == NULL || query[1] == '\0'))
		return 0;
	if ((request->query = strdup(query + 1)) == NULL)
		return -1;
	split_query(request, request->query);
	request->json = true;
	if (data->type == REQUEST_ABSENT)
		return 0;
	request->tree = json_parse(data->text, data->len, &fault);
	if (request->tree == NULL && fault.kind == FAULT_INTERNAL)
		return -1;
	request->json = request->tree != NULL;
	take_list(request, request->tree, data->text, data->len);
	return 0;
}

/* ---- both ---- */

static enum request_form
form_of(const char *method)
{
	if (strcmp(method, "GET") == 0)
		return REQUEST_GET;
	return strcmp(method, "POST") == 0 ? REQUEST_POST : REQUEST_NEITHER;
}

/* The path within ${target}, which a proxy gets with scheme and host. */
static struct json_span
path_of(const char *target)
{
	static const char SCHEME[] = "http://";
	const char *path = target;

	if (strncmp(path, SCHEME, sizeof(SCHEME) - 1) == 0)
		path += sizeof(SCHEME) - 1 +
		    strcspn(path + sizeof(SCHEME) - 1, "/?");
	return (struct json_span){ path, strcspn(path, "?") };
}

int
request_read(struct request *request, const char *method, const char *target,
    const char *body, size_t len)
{
	int key;

	for (key = 0; key < REQUEST_KEYS; key++)
		set_value(
		    request, (enum request_key)key, REQUEST_ABSENT, "", 0);
	request->method = method;
	request->form = form_of(method);
	request->path = path_of(target);
	if (request->form == REQUEST_GET)
		return read_get(request, target);
	if (request->form == REQUEST_POST)
		return read_post(request, body, len);
	request->bytes = len;
	return 0;
}

void
request_free(struct request *request)
{
	cJSON_Delete(request->tree);
	free(request->query);
	request->tree = NULL;
	request->data = NULL;
	request->query = NULL;
}

const char *
request_key_name(enum request_key key)
{
	return KEYS[key].name;
}

enum request_type
request_key_type(enum request_key key)
{
	return KEYS[key].type;
}

const char *
request_copy(
    const struct request *request, enum request_key key, char *buf, size_t size)
{
	const struct request_value *value = &request->values[key];
	size_t len = value->len < size ? value->len : size - 1;

	memcpy(buf, value->text, len);
	buf[len] = '\0';
	return buf;
}

bool
request_is(
    const struct request *request, enum request_key key, const char *text)
{
	const struct request_value *value = &request->values[key];

	return value->type == REQUEST_TEXT && value->len == strlen(text) &&
	    memcmp(value->text, text, value->len) == 0;
}

/* The end of the string that starts at ${p}: past its closing quote. */
static const char *
skip_string(const char *p)
{
	for (p++; *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p + 1;
}

/* The end of the value that starts at ${p}; the text has been checked. */
static const char *
skip_value(const char *p)
{
	int depth = 0;

	for (;;) {
		if (*p == '"') {
			p = skip_string(p);
			continue;
		}
		if (depth == 0 && strchr(",] \t\r\n", *p) != NULL)
			return p;
		depth += *p == '[' || *p == '{';
		depth -= *p == ']' || *p == '}';
		p++;
	}
}

bool
request_next_item(const struct request_value *data, struct json_span *item)
{
	static const char BETWEEN[] = " \t\r\n,";
	const char *p = data->text;

	if (item->start != NULL)
		p = item->start + item->len;
	else
		p += strspn(p, " \t\r\n") + 1; /* the bracket */
	p += strspn(p, BETWEEN);
	if (*p == ']')
		return false;
	item->start = p;
	item->len = (size_t)(skip_value(p) - p);
	return true;
}
