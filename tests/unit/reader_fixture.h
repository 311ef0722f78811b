#ifndef READER_FIXTURE_H
#define READER_FIXTURE_H

/* For the readers of put: bytes are read as a file of a format, and nothing is
 * staged. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/config.h"
#include "base/fault.h"
#include "base/text.h"
#include "import.h"
#include "input.h"
#include "output.h"
#include "rejects.h"

typedef int reader(
    struct import *import, struct input *input, struct fault *fault);

struct reading {
	struct config config;
	struct rejects rejects;
	struct import import;
	struct fault fault;
	char shown[512]; /* the last row as it goes on the wire */
};

static inline void
reading_start(struct reading *reading, bool strict, bool per_line)
{
	static const struct output OUTPUT = {
		.program = "monspool", .command = "put", .quiet = true
	};

	memset(reading, 0, sizeof(*reading));
	config_defaults(&reading->config);
	reading->rejects.most = -1;
	reading->rejects.fd = -1;
	reading->import.output = &OUTPUT;
	reading->import.checks = &reading->config.checks;
	reading->import.strict = strict;
	reading->import.ns = "cvm";
	reading->import.observed_at = reading->import.max_age_ms = -1;
	reading->import.rejects = per_line ? &reading->rejects : NULL;
	import_start(&reading->import);
}

static inline void
reading_end(struct reading *reading)
{
	import_free(&reading->import);
	rejects_close(&reading->rejects);
}

/* Read ${bytes}, in a block of their own, so that nothing behind them is
 * looked at unnoticed. */
static inline int
reading_bytes(
    struct reading *reading, reader *read, const char *bytes, size_t len)
{
	struct input input = { .name = "input", .fd = -1, .eof = true };
	int result;

	input.data = malloc(len > 0 ? len : 1);
	assert_non_null(input.data);
	memcpy(input.data, bytes, len);
	input.size = input.end = len;
	result = read(&reading->import, &input, &reading->fault);
	snprintf(reading->shown, sizeof(reading->shown), "%.400s%.*s",
	    text_string(&reading->import.wire.wire),
	    (int)reading->import.wire.value_len, reading->import.wire.value);
	free(input.data);
	return result;
}

/* A text, and what the last of so many rows is. */
struct reading_good {
	const char *text;
	int64_t rows;
	const char *shown;
};

static inline void
reading_takes(reader *read, const struct reading_good *cases, size_t count)
{
	struct reading reading;
	size_t i;

	for (i = 0; i < count; i++) {
		reading_start(&reading, true, false);
		if (reading_bytes(&reading, read, cases[i].text,
			strlen(cases[i].text)) != 0)
			fail_msg(
			    "%s: %s", cases[i].text, reading.fault.message);
		assert_int_equal(reading.import.rows, cases[i].rows);
		assert_string_equal(reading.shown, cases[i].shown);
		reading_end(&reading);
	}
}

/* A text, and where what is wrong with it. */
struct reading_bad {
	const char *text;
	enum fault_kind kind;
	long line, column;
	const char *message; /* or NULL */
};

static inline void
reading_refuses(reader *read, const struct reading_bad *cases, size_t count)
{
	struct reading reading;
	const struct fault *fault = &reading.fault;
	size_t i;

	for (i = 0; i < count; i++) {
		reading_start(&reading, true, false);
		if (reading_bytes(&reading, read, cases[i].text,
			strlen(cases[i].text)) != -1)
			fail_msg("%s: taken", cases[i].text);
		if (fault->kind != cases[i].kind ||
		    fault->line != cases[i].line ||
		    fault->column != cases[i].column)
			fail_msg("%s: %s at %ld:%ld (%s)", cases[i].text,
			    fault_name(fault->kind), fault->line, fault->column,
			    fault->message);
		if (cases[i].message != NULL)
			assert_string_equal(fault->message, cases[i].message);
		assert_string_equal(fault->file, "input");
		assert_string_not_equal(fault->hint, "");
		reading_end(&reading);
	}
}

#define READING_COUNT(cases) (sizeof(cases) / sizeof(*(cases)))

#endif
