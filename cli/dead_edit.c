#define _GNU_SOURCE /* mkostemp() */
#include "dead_edit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "base/fault.h"
#include "base/json.h"
#include "base/text.h"
#include "queue/deadletter.h"
#include "dead_changes.h"
#include "input.h"

#define FILE_SIZE 256
#define FILE_MOST ((size_t)64 * 1024)

/* ---- the file ---- */

static void
add_member(struct text *text, const char *name, const char *value)
{
	text_addf(text, "  \"%s\": ", name);
	text_add_json(text, value, strlen(value));
	text_adds(text, ",\n");
}

static void
add_dimensions(struct text *text, const char *json)
{
	struct cJSON *tree = json_parse(json, strlen(json), NULL);
	const struct cJSON *member;

	text_adds(text, "  \"dimensions\": {");
	for (member = tree != NULL ? tree->child : NULL; member != NULL;
	     member = member->next) {
		text_adds(text, "\n    ");
		text_add_json(text, member->string, strlen(member->string));
		text_adds(text, ": ");
		text_add_json(text, cJSON_GetStringValue(member),
		    strlen(cJSON_GetStringValue(member)));
		text_adds(text, member->next != NULL ? "," : "\n  ");
	}
	text_adds(text, "}\n");
	cJSON_Delete(tree);
}

static int
write_file(
    const struct deadletter_row *row, char path[FILE_SIZE], struct fault *fault)
{
	const char *dir = getenv("TMPDIR");
	struct text text = { 0 };
	ssize_t written;
	int fd, failed;

	snprintf(path, FILE_SIZE, "%.200s/monspool-edit-XXXXXX.json",
	    dir != NULL && dir[0] != '\0' ? dir : "/tmp");
	if ((fd = mkostemps(path, 5, O_CLOEXEC)) == -1)
		return fault_errno(fault, errno, "cannot create %.150s", path);
	text_adds(&text, "{\n");
	add_member(&text, "namespace", row->ns);
	add_member(&text, "region", row->region);
	add_member(&text, "metric", row->metric);
	add_dimensions(&text, row->dimensions);
	text_adds(&text, "}\n");
	written = write(fd, text_string(&text), text.len);
	failed = text.failed || written != (ssize_t)text.len;
	failed |= close(fd) != 0;
	text_free(&text);
	return failed ? fault_errno(fault, EIO, "cannot write %.150s", path)
		      : 0;
}

/* ---- the editor ---- */

static const char *
editor(void)
{
	const char *visual = getenv("VISUAL"), *plain = getenv("EDITOR");

	if (visual != NULL && visual[0] != '\0')
		return visual;
	return plain != NULL && plain[0] != '\0' ? plain : "vi";
}

/* The editor's words may have arguments, so a shell reads them. */
static int
run_editor(const char *path, struct fault *fault)
{
	struct text command = { 0 };
	pid_t child;
	int status = -1;

	text_addf(&command, "%s \"$1\"", editor());
	child = command.failed ? -1 : fork();
	if (child == 0) {
		execl("/bin/sh", "sh", "-c", text_string(&command), "sh", path,
		    (char *)NULL);
		_exit(127);
	}
	while (child > 0 && waitpid(child, &status, 0) == -1 && errno == EINTR)
		;
	text_free(&command);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	fault_set(fault, FAULT_USAGE, "the editor failed: nothing was changed");
	fault_hint(fault, "EDITOR=nano monspool dead edit ...");
	return -1;
}

/* ---- what was changed ---- */

static int
add_change(struct dead_changes *changes, enum reshape_verb verb,
    const char *key, const char *value, struct fault *fault)
{
	const struct reshape_change change = {
		.verb = verb, .key = key, .value = value
	};

	return dead_changes_add(changes, &change, fault);
}

static int
compare_text(const struct cJSON *tree, const char *name, const char *before,
    enum reshape_verb verb, struct dead_changes *changes, struct fault *fault)
{
	const char *after = cJSON_GetStringValue(
	    cJSON_GetObjectItemCaseSensitive(tree, name));

	if (after == NULL) {
		fault_set(fault, FAULT_BAD_ROW,
		    "the member \"%s\" is missing, or no text", name);
		fault_hint(fault, "change values, and leave the members");
		return -1;
	}
	if (strcmp(after, before) == 0)
		return 0;
	return add_change(changes, verb, NULL, after, fault);
}

/* Every old one goes, every new one comes: reshape() sees what is the same. */
static int
compare_dimensions(const struct cJSON *tree, const char *before,
    struct dead_changes *changes, struct fault *fault)
{
	const struct cJSON *after = cJSON_GetObjectItemCaseSensitive(
	    tree, "dimensions");
	const struct cJSON *member;

	changes->before = json_parse(before, strlen(before), fault);
	if (changes->before == NULL)
		return -1;
	if (!cJSON_IsObject(after)) {
		fault_set(fault, FAULT_BAD_ROW,
		    "the member \"dimensions\" is missing, or no object");
		fault_hint(fault, "\"dimensions\": {\"ip\": \"10.0.0.1\"}");
		return -1;
	}
	for (member = changes->before->child; member != NULL;
	     member = member->next)
		if (add_change(
			changes, RESHAPE_DROP, member->string, NULL, fault))
			return -1;
	for (member = after->child; member != NULL; member = member->next) {
		if (!cJSON_IsString(member))
			return fault_set(fault, FAULT_BAD_VALUE,
			    "dimension values are texts");
		if (add_change(changes, RESHAPE_SET, member->string,
			member->valuestring, fault))
			return -1;
	}
	return 0;
}

static int
read_file(const char *path, const struct deadletter_row *row,
    struct dead_changes *changes, struct fault *fault)
{
	struct input input = { 0 };
	const struct cJSON *tree;
	const char *bytes;
	size_t len;

	if (input_open(&input, path, fault))
		return -1;
	if (input_all(&input, FILE_MOST, &bytes, &len, fault) == 0)
		changes->after = json_parse(bytes, len, fault);
	input_close(&input);
	if ((tree = changes->after) == NULL)
		return -1;
	return compare_text(tree, "namespace", row->ns, RESHAPE_NAMESPACE,
		   changes, fault) ||
		compare_text(tree, "region", row->region, RESHAPE_REGION,
		    changes, fault) ||
		compare_text(tree, "metric", row->metric, RESHAPE_METRIC,
		    changes, fault) ||
		compare_dimensions(tree, row->dimensions, changes, fault)
	    ? -1
	    : 0;
}

int
dead_edit_by_hand(const struct deadletter_row *row,
    struct dead_changes *changes, struct fault *fault)
{
	char path[FILE_SIZE];

	if (write_file(row, path, fault))
		return -1;
	if (run_editor(path, fault) || read_file(path, row, changes, fault)) {
		fault_why(fault, "what was edited is in %s", path);
		return -1;
	}
	unlink(path);
	return 0;
}
