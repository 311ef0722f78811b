#include "json.h"

#include <cjson/cJSON.h>
#include <stdint.h>
#include <string.h>

#include "json_scan.h"
#include "number.h"

bool
json_name_is(struct json_span raw, const char *name, size_t len)
{
	cJSON *string;
	bool same;

	if (memchr(raw.start, '\\', raw.len) == NULL)
		return raw.len - 2 == len &&
		    memcmp(raw.start + 1, name, len) == 0;
	if ((string = cJSON_ParseWithLength(raw.start, raw.len)) == NULL)
		return false;
	same = strlen(string->valuestring) == len &&
	    memcmp(string->valuestring, name, len) == 0;
	cJSON_Delete(string);
	return same;
}

/* Move behind white space, and behind a ${mark} if one stands there. */
static void
skip(struct json_scan *scan, char mark)
{
	json_scan_space(scan);
	if (scan->at < scan->end && *scan->at == mark)
		scan->at++;
	json_scan_space(scan);
}

/* At an array's bracket: move to the value at the index ${name}. */
static int
enter_array(struct json_scan *scan, const char *name)
{
	int64_t index;

	if (number_read_whole(name, 0, INT32_MAX, &index))
		return -1;
	for (skip(scan, '['); scan->at < scan->end && *scan->at != ']';
	     skip(scan, ',')) {
		if (index-- == 0)
			return 0;
		if (json_scan_value(scan))
			return -1;
	}
	return -1;
}

/* At an object's bracket: move to the value of the member ${name}. */
static int
enter_object(struct json_scan *scan, const char *name)
{
	size_t len = strlen(name);
	struct json_span member;

	for (skip(scan, '{'); scan->at < scan->end && *scan->at == '"';
	     skip(scan, ',')) {
		member.start = scan->at;
		if (json_scan_string(scan))
			return -1;
		member.len = (size_t)(scan->at - member.start);
		skip(scan, ':');
		if (json_name_is(member, name, len))
			return 0;
		if (json_scan_value(scan))
			return -1;
	}
	return -1;
}

/* The first name of ${path}, unescaped, into ${name}; 0, or -1: no room. */
static int
take_name(const char **path, char *name, size_t size)
{
	const char *at = *path;
	size_t len = 0;

	for (; *at != '\0' && *at != '/'; at++) {
		if (len + 1 == size)
			return -1;
		name[len] = *at;
		if (*at == '~' && (at[1] == '0' || at[1] == '1'))
			name[len] = *++at == '0' ? '~' : '/';
		len++;
	}
	name[len] = '\0';
	*path = *at == '/' ? at + 1 : at;
	return 0;
}

static int
enter(struct json_scan *scan, const char *name)
{
	if (scan->at < scan->end && *scan->at == '{')
		return enter_object(scan, name);
	if (scan->at < scan->end && *scan->at == '[')
		return enter_array(scan, name);
	return -1;
}

int
json_find(
    const char *bytes, size_t len, const char *path, struct json_span *span)
{
	struct json_scan scan;
	char name[512];

	json_scan_start(&scan, bytes, len);
	json_scan_space(&scan);
	while (*path != '\0')
		if (take_name(&path, name, sizeof(name)) || enter(&scan, name))
			return -1;
	span->start = scan.at;
	if (json_scan_value(&scan))
		return -1;
	span->len = (size_t)(scan.at - span->start);
	return 0;
}
