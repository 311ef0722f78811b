#include "answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cjson/cJSON.h>

#include "base/fault.h"
#include "base/json.h"
#include "base/text.h"

#define CODE_DIGITS 6

static void
set_fault(struct answer *answer, const char *why)
{
	snprintf(answer->fault, sizeof(answer->fault), "%s", why);
}

static const char *
reason(enum fault_kind kind)
{
	if (kind == FAULT_BAD_UTF8)
		return "not valid UTF-8";
	if (kind == FAULT_DUPLICATE_MEMBER)
		return "a member stands there twice";
	return "not one JSON object";
}

/* The code that the raw text of a value stands for, or -1. */
static int
read_code(const char *raw, size_t len)
{
	int code = 0;
	size_t i;

	if (len >= 2 && raw[0] == '"' && raw[len - 1] == '"') {
		raw++;
		len -= 2;
	}
	if (len < 1 || len > CODE_DIGITS || (raw[0] == '0' && len > 1))
		return -1;
	for (i = 0; i < len; i++) {
		if (raw[i] < '0' || raw[i] > '9')
			return -1;
		code = 10 * code + (raw[i] - '0');
	}
	return code;
}

/* Bytes of the piece of escaped text at ${piece} that must not be cut. */
static size_t
piece_length(const char *piece)
{
	unsigned char lead = (unsigned char)piece[0];

	if (lead == '\\')
		return piece[1] == 'x' ? 4 : 2;
	if (lead >= 0xf0)
		return 4;
	if (lead >= 0xe0)
		return 3;
	return lead >= 0xc0 ? 2 : 1;
}

static void
keep_message(struct answer *answer, const struct cJSON *tree)
{
	const struct cJSON *message = cJSON_GetObjectItemCaseSensitive(
	    tree, "message");
	struct text escaped = { 0 };
	size_t kept = 0;
	size_t piece;

	if (!cJSON_IsString(message))
		return;
	text_add_escaped(
	    &escaped, message->valuestring, strlen(message->valuestring));
	if (!escaped.failed) {
		while (kept < escaped.len) {
			piece = piece_length(escaped.data + kept);
			if (kept + piece > sizeof(answer->message) - 1)
				break;
			kept += piece;
		}
		memcpy(answer->message, text_string(&escaped), kept);
	}
	text_free(&escaped);
}

/* Judge ${body}, of which ${tree} was parsed. */
static void
read_object(struct answer *answer, const struct cJSON *tree, const char *body,
    size_t len)
{
	struct json_span span;
	int code;

	if (!cJSON_IsObject(tree)) {
		set_fault(answer, reason(FAULT_BAD_JSON));
		return;
	}
	keep_message(answer, tree);
	if (json_find(body, len, "code", &span)) {
		set_fault(answer, "no member called code");
		return;
	}
	/* The raw text is read, since a parser takes 1e-400 and -0 for 0. */
	if ((code = read_code(span.start, span.len)) == -1) {
		set_fault(answer, "code is not 1 to 6 digits");
		return;
	}
	answer->well_formed = true;
	answer->code = code;
	answer->fault[0] = '\0';
}

/* Put a '?' for every byte that is not valid UTF-8. */
static void
mend_utf8(char *bytes, size_t len)
{
	ptrdiff_t bad;
	size_t at = 0;

	while (at < len && (bad = text_utf8_bad(bytes + at, len - at)) >= 0) {
		at += (size_t)bad;
		bytes[at] = '?';
		at++;
	}
}

/*
 * A service that writes its messages in GBK must still be understood when it
 * refuses, or its refusals would go for noise.  Such a body never delivers:
 * success has to be flawless.
 */
static void
read_mended(struct answer *answer, const char *body, size_t len)
{
	struct fault fault = { 0 };
	struct cJSON *tree;
	char *copy;

	if ((copy = malloc(len)) == NULL)
		return;
	memcpy(copy, body, len);
	mend_utf8(copy, len);
	if ((tree = json_parse(copy, len, &fault)) != NULL) {
		read_object(answer, tree, copy, len);
		cJSON_Delete(tree);
	}
	free(copy);
	if (answer->well_formed && answer->code == 0) {
		answer->well_formed = false;
		answer->code = -1;
		set_fault(answer, reason(FAULT_BAD_UTF8));
	}
}

void
answer_read(struct answer *answer, const char *body, size_t len)
{
	struct fault fault = { 0 };
	struct cJSON *tree;

	memset(answer, 0, sizeof(*answer));
	answer->code = -1;
	if (len == 0) {
		set_fault(answer, "empty");
		return;
	}
	if ((tree = json_parse(body, len, &fault)) != NULL) {
		read_object(answer, tree, body, len);
		cJSON_Delete(tree);
		return;
	}
	set_fault(answer, reason(fault.kind));
	if (fault.kind == FAULT_BAD_UTF8)
		read_mended(answer, body, len);
}
