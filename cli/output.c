#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/text.h"
#include "jsonline.h"

static int write_errno; /* of the first write that failed */

/* What to do where nothing closer is known. */
static const char *const HINTS[FAULT_KINDS] = {
	[FAULT_USAGE] = "monspool --help",
	[FAULT_NEEDS_CONFIRMATION] = "add --yes to go ahead without a question",
	[FAULT_NOTHING_SELECTED] = "name ids or a filter; --all selects all",
	[FAULT_BAD_JSON] = "one JSON object a line, members and texts in "
			   "double quotes",
	[FAULT_BAD_UTF8] = "convert it first: iconv -f latin1 -t utf-8 FILE",
	[FAULT_BAD_NAME] = "letters, digits and underscore",
	[FAULT_BAD_VALUE] = "monspool put --help",
	[FAULT_BAD_ROW] = "one JSON object a line",
	[FAULT_MISSING_MEMBER] = "monspool put --help",
	[FAULT_UNKNOWN_MEMBER] = "remove it, or use --lenient",
	[FAULT_DUPLICATE_MEMBER] = "give each member once",
	[FAULT_TOO_LONG] =
	    "shorten it, or widen [checks] and run monspool init",
	[FAULT_TOO_MANY_DIMENSIONS] = "leave some out, or widen [checks] and "
				      "run monspool init",
	[FAULT_TOO_LARGE] = "split it",
	[FAULT_NOT_FOUND] = "check the name",
	[FAULT_QUEUE_MISSING] = "monspool init",
	[FAULT_UNREACHABLE] = "check receiver.url and the network; rows are "
			      "safe in the queue",
	[FAULT_INTERNAL] = "please report it, with the command and this text",
	[FAULT_CANNOT_CREATE] = "check the directory and who may write there",
	[FAULT_IO_ERROR] = "check the disk: dmesg, df, df -i",
	[FAULT_DISK_FULL] = "make room (df), then try again",
	[FAULT_CORRUPT] = "keep a copy of the queue's files, then monspool "
			  "audit --deep",
	[FAULT_QUEUE_FOREIGN] = "check the path; monspool init makes a queue",
	[FAULT_QUEUE_NEWER] = "upgrade monspool",
	[FAULT_LEDGER_BROKEN] = "monspool audit --deep",
	[FAULT_OUTCOME_UNKNOWN] = "monspool list --newer-than 1m shows what "
				  "was stored",
	[FAULT_QUEUE_BUSY] = "try again, or wait longer: --busy-timeout 30s",
	[FAULT_QUEUE_FULL] = "run monspoold to drain it, or raise "
			     "queue.max_size",
	[FAULT_FORWARDER_RUNNING] = "monspool status",
	[FAULT_ROWS_LEFT] = "monspool status tells why",
	[FAULT_INTERRUPTED] = "run it again",
	[FAULT_NO_PERMISSION] = "check who owns the files, and your groups: id",
	[FAULT_UNSAFE_KEY_FILE] = "chmod 0400 FILE",
	[FAULT_BAD_CONFIG] = "monspool config check",
};

static const char *
hint_of(const struct fault *fault)
{
	if (fault->hint[0] != '\0' || HINTS[fault->kind] == NULL)
		return fault->hint;
	return HINTS[fault->kind];
}

void
output_guard(void)
{
	static const int useless[] = { O_WRONLY, O_RDONLY, O_RDONLY };
	int fd;

	for (fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) == -1 && errno == EBADF &&
		    open("/dev/null", useless[fd]) == -1)
			_exit(74);
}

/* One write, so that lines of several programs do not mix.  Nobody is left to
 * be told of a failure. */
static void
say(const struct text *text)
{
	const char *at = text_string(text);
	size_t left = text->len;
	ssize_t written;

	while (left > 0) {
		written = write(STDERR_FILENO, at, left);
		if (written == -1 && errno != EINTR)
			return;
		if (written > 0) {
			at += written;
			left -= (size_t)written;
		}
	}
}

static void
add_json(struct text *text, const char *what, const struct fault *fault)
{
	text_addc(text, '{');
	jsonline_open(text, what, '{');
	jsonline_text(text, "name", fault_name(fault->kind));
	jsonline_int(text, "exit", fault_exit(fault->kind));
	jsonline_text(text, "message", fault->message);
	jsonline_text(text, "hint", hint_of(fault));
	if (fault->why[0] != '\0')
		jsonline_text(text, "why", fault->why);
	if (fault->file[0] != '\0')
		jsonline_text(text, "file", fault->file);
	if (fault->line > 0)
		jsonline_int(text, "line", fault->line);
	if (fault->column > 0)
		jsonline_int(text, "column", fault->column);
	if (fault->field[0] != '\0')
		jsonline_text(text, "field", fault->field);
	text_adds(text, "}}\n");
}

/* "monspool: put: file:17:42: " */
static void
add_place(struct text *text, const struct output *output,
    const struct fault *fault, const char *what)
{
	text_addf(text, "%s: ", output->program);
	if (output->command != NULL)
		text_addf(text, "%s: ", output->command);
	text_adds(text, what);
	if (fault->file[0] != '\0') {
		text_add_escaped(text, fault->file, strlen(fault->file));
		text_addc(text, ':');
	}
	if (fault->line > 0)
		text_addf(text, "%ld:", fault->line);
	if (fault->line > 0 && fault->column > 0)
		text_addf(text, "%ld:", fault->column);
	if (fault->file[0] != '\0' || fault->line > 0)
		text_addc(text, ' ');
}

int
output_fault(const struct output *output, const struct fault *fault)
{
	struct text text = { 0 };

	if (output->json)
		add_json(&text, "error", fault);
	else {
		add_place(&text, output, fault, "");
		text_addf(&text, "%s\n", fault->message);
		if (fault->why[0] != '\0')
			text_addf(&text, "  %s\n", fault->why);
		if (hint_of(fault)[0] != '\0')
			text_addf(&text, "hint: %s\n", hint_of(fault));
	}
	say(&text);
	text_free(&text);
	return fault_exit(fault->kind);
}

void
output_note(const struct output *output, const struct fault *fault)
{
	struct text text = { 0 };

	if (output->quiet)
		return;
	if (output->json)
		add_json(&text, "note", fault);
	else {
		add_place(&text, output, fault, "note: ");
		text_addf(&text, "%s\n", fault->message);
		/* of a fault that is passed over, one line is enough */
		if (fault->kind == FAULT_NONE && fault->hint[0] != '\0')
			text_addf(&text, "hint: %s\n", fault->hint);
	}
	say(&text);
	text_free(&text);
}

void
output_data(const char *bytes, size_t len)
{
	if (write_errno == 0 && fwrite(bytes, 1, len, stdout) != len)
		write_errno = errno;
}

int
output_flush(struct fault *fault)
{
	if (fflush(stdout) != 0 && write_errno == 0)
		write_errno = errno;
	if (write_errno == 0)
		return 0;
	fault_set(fault, FAULT_IO_ERROR, "cannot write to standard output");
	fault_why(fault, "%s", strerror(write_errno));
	fault_hint(fault, "look where the output goes: is it closed, or full?");
	return -1;
}

static bool
set_and_true(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0';
}

bool
output_colored(enum output_color color, FILE *stream)
{
	const char *force = getenv("CLICOLOR_FORCE"), *term = getenv("TERM");

	if (color != OUTPUT_COLOR_AUTO)
		return color == OUTPUT_COLOR_ALWAYS;
	if (set_and_true("NO_COLOR"))
		return false;
	if (set_and_true("CLICOLOR_FORCE") && strcmp(force, "0") != 0)
		return true;
	if (term != NULL && strcmp(term, "dumb") == 0)
		return false;
	return isatty(fileno(stream)) == 1;
}
