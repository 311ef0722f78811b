#include "receiver_script.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/span.h"
#include "receiver_mishap.h"

#define LINE_SIZE 600
#define BLANK " \t\r\n"

struct script_step {
	int64_t at_ms; /* since the script began */
	bool clear;
	char spec[LINE_SIZE];
};

static int
refuse(struct fault *fault)
{
	fault_set(fault, FAULT_BAD_CONFIG, "not a step of a script");
	fault_hint(fault, "+12s code=1003, or +20s clear; times ascend");
	return -1;
}

/* Whether --fault would take it. */
static int
check_spec(const char *spec, struct fault *fault)
{
	struct mishaps trial = { 0 };
	int failed = mishaps_add(&trial, spec, fault);

	mishaps_free(&trial);
	if (failed)
		fault->kind = FAULT_BAD_CONFIG;
	return failed;
}

/* "+SPAN what" in ${line}, which is cut. */
static int
read_step(struct script_step *step, char *line, struct fault *fault)
{
	size_t time_len = strcspn(line, BLANK);
	char *what = line + time_len;

	if (line[0] != '+' || *what == '\0')
		return refuse(fault);
	*what++ = '\0';
	what += strspn(what, BLANK);
	if (span_read_ms(line + 1, &step->at_ms) || *what == '\0')
		return refuse(fault);
	step->clear = strcmp(what, "clear") == 0;
	snprintf(step->spec, sizeof(step->spec), "%s", what);
	return step->clear ? 0 : check_spec(what, fault);
}

static int
add_line(struct script *script, char *line, struct fault *fault)
{
	struct script_step *steps, *step;
	size_t len;

	line += strspn(line, BLANK);
	for (len = strlen(line); len > 0 && strchr(BLANK, line[len - 1]); len--)
		;
	line[len] = '\0';
	if (len == 0 || line[0] == '#')
		return 0;
	steps = realloc(script->steps, (script->count + 1) * sizeof(*steps));
	if (steps == NULL)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	script->steps = steps;
	step = &steps[script->count];
	if (read_step(step, line, fault))
		return -1;
	if (script->count > 0 && step->at_ms < step[-1].at_ms)
		return refuse(fault);
	script->count++;
	return 0;
}

static int
read_lines(
    struct script *script, FILE *file, const char *path, struct fault *fault)
{
	char line[LINE_SIZE];
	long number = 0;
	int failed = 0;

	while (failed == 0 && fgets(line, sizeof(line), file) != NULL) {
		number++;
		if (strlen(line) == sizeof(line) - 1)
			failed = refuse(fault);
		else
			failed = add_line(script, line, fault);
	}
	if (failed && fault->kind == FAULT_BAD_CONFIG) {
		snprintf(fault->file, sizeof(fault->file), "%.100s", path);
		fault->line = number;
	}
	return failed;
}

int
script_read(struct script *script, const char *path, struct fault *fault)
{
	struct script fresh = { 0 };
	FILE *file = fopen(path, "re");
	int failed;

	if (file == NULL) {
		fault_errno(fault, errno, "cannot open the script %s", path);
		fault_hint(fault, "check --script");
		return -1;
	}
	failed = read_lines(&fresh, file, path, fault);
	fclose(file);
	if (failed) {
		script_free(&fresh);
		return -1;
	}
	script_free(script);
	*script = fresh;
	return 0;
}

void
script_free(struct script *script)
{
	free(script->steps);
	*script = (struct script){ 0 };
}

void
script_start(struct script *script, int64_t now_ms)
{
	script->next = 0;
	script->began_ms = now_ms;
}

int64_t
script_next_ms(const struct script *script)
{
	return script->next < script->count
	    ? script->began_ms + script->steps[script->next].at_ms
	    : -1;
}

void
script_turn(struct script *script, struct mishaps *mishaps, int64_t now_ms)
{
	const struct script_step *step;
	struct fault fault = { 0 };
	char shown[200];

	while (
	    script->next < script->count && script_next_ms(script) <= now_ms) {
		step = &script->steps[script->next++];
		if (step->clear)
			mishaps_clear(mishaps);
		else if (mishaps_add_now(mishaps, step->spec, now_ms, &fault))
			log_event(LOG_ERROR, "script_failed", "error=%s",
			    log_text(shown, sizeof(shown), fault.message));
		log_event(LOG_INFO, "script", "at_ms=%lld step=%s",
		    (long long)step->at_ms,
		    log_text(shown, sizeof(shown), step->spec));
	}
}
