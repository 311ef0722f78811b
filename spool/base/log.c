#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fault.h"
#include "number.h"
#include "span.h"
#include "text.h"

static int log_fd = -1;
static enum log_form log_form = LOG_PLAIN;
static enum log_level log_most = LOG_INFO;

static const char *const NAMES[] = {
	[LOG_ERROR] = "error",
	[LOG_WARN] = "warn",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};
/* The priorities of syslog(3), as the journal reads them. */
static const int PRIORITIES[] = {
	[LOG_ERROR] = 3,
	[LOG_WARN] = 4,
	[LOG_INFO] = 6,
	[LOG_DEBUG] = 7,
};

void
log_to(int fd, enum log_form form, enum log_level most)
{
	log_fd = fd;
	log_form = form;
	log_most = most;
}

bool
log_wants(enum log_level level)
{
	return log_fd >= 0 && level <= log_most;
}

/* Take a value up to the next space outside quotes, without what log_text()
 * put around it. */
static const char *
take_value(const char *at, struct text *value, bool *quoted)
{
	*quoted = *at == '"';
	if (!*quoted) {
		for (; *at != '\0' && *at != ' '; at++)
			text_addc(value, *at);
		return at;
	}
	for (at++; *at != '\0' && *at != '"'; at++) {
		if (*at == '\\' && (at[1] == '"' || at[1] == '\\'))
			at++;
		text_addc(value, *at);
	}
	return *at == '"' ? at + 1 : at;
}

/* "a=1 b="x y"" as the members ,"a":1,"b":"x y". */
static void
add_members(struct text *line, const char *pairs)
{
	struct text value = { 0 };
	const char *equals;
	int64_t whole;
	bool quoted;

	while (*pairs != '\0' && (equals = strchr(pairs, '=')) != NULL) {
		text_addc(line, ',');
		text_add_json(line, pairs, (size_t)(equals - pairs));
		text_addc(line, ':');
		text_clear(&value);
		pairs = take_value(equals + 1, &value, &quoted);
		if (!quoted && number_is(text_string(&value), value.len) &&
		    number_read_whole(
			text_string(&value), INT64_MIN, INT64_MAX, &whole) == 0)
			text_addf(line, "%lld", (long long)whole);
		else
			text_add_json(line, text_string(&value), value.len);
		while (*pairs == ' ')
			pairs++;
	}
	text_free(&value);
}

static void
add_event(struct text *line, enum log_level level, const char *event,
    const char *pairs)
{
	char at[SPAN_TEXT_SIZE];

	span_print_time(at, clock_wall_ms());
	switch (log_form) {
	case LOG_PLAIN:
		text_addf(line, "%s %s %s%s%s\n", at, NAMES[level], event,
		    *pairs != '\0' ? " " : "", pairs);
		break;
	case LOG_JOURNAL:
		text_addf(line, "<%d>%s%s%s\n", PRIORITIES[level], event,
		    *pairs != '\0' ? " " : "", pairs);
		break;
	case LOG_NDJSON:
		text_addf(line,
		    "{\"at\":\"%s\",\"level\":\"%s\",\"event\":", at,
		    NAMES[level]);
		text_add_json(line, event, strlen(event));
		add_members(line, pairs);
		text_adds(line, "}\n");
		break;
	}
}

void
log_event(enum log_level level, const char *event, const char *format, ...)
{
	struct text pairs = { 0 }, line = { 0 };
	va_list args;

	if (!log_wants(level))
		return;
	va_start(args, format);
	text_addv(&pairs, format, args);
	va_end(args);
	add_event(&line, level, event, text_string(&pairs));
	/* Where nobody can be told, a failure is nobody's. */
	if (!line.failed &&
	    write(log_fd, line.data, line.len) != (ssize_t)line.len)
		line.failed = true;
	text_free(&pairs);
	text_free(&line);
}

const char *
log_text(char *buf, size_t size, const char *string)
{
	char escaped[TEXT_ESCAPED_SIZE];
	size_t len = string != NULL ? strlen(string) : 0, at = 0, i = 0, more;

	buf[at++] = '"';
	while (i < len) {
		i += text_escape(string + i, len - i, escaped);
		if (escaped[0] == '"')
			memcpy(escaped, "\\\"", 3);
		more = strlen(escaped);
		if (at + more + 2 > size)
			break;
		memcpy(buf + at, escaped, more);
		at += more;
	}
	buf[at++] = '"';
	buf[at] = '\0';
	return buf;
}

const char *
log_reason(char *buf, size_t size, const struct fault *fault)
{
	char both[sizeof(fault->message) + sizeof(fault->why) + 2];

	snprintf(both, sizeof(both), "%s%s%s", fault->message,
	    fault->why[0] != '\0' ? ": " : "", fault->why);
	return log_text(buf, size, both);
}
