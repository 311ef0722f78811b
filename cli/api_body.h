#ifndef CLI_API_BODY_H
#define CLI_API_BODY_H

#include <stddef.h>

#include "base/json.h"
#include "base/text.h"

struct fault;
struct import;

/** One PutMonitorData body, or a bare Data array, while it is read. */
struct api_body {
	struct import *import;
	const char *whole; /* the input it is part of */
	const char *bytes; /* checked JSON */
	size_t len;
	struct json_span data; /* out: the array */
	char *ns, *region;     /* out; NULL: none */
	struct text dropped;   /* out: names of what is dropped */
};

/** Find what is needed in ${body}, whose first members were set.  0, or -1 with
 * ${fault}, place included; api_body_free() either way. */
int api_body_take(struct api_body *body, struct fault *fault);
void api_body_free(struct api_body *body);

/** Pass over white space; over one value of checked JSON, or what stands between
 * values. */
const char *api_skip_space(const char *at, const char *end);
const char *api_skip_value(const char *at, const char *end);

#endif
