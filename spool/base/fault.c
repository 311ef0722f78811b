#include "fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

struct kind {
	const char *name;
	int exit;
};

static const struct kind KINDS[FAULT_KINDS] = {
	[FAULT_NONE] = { "", 0 },
	[FAULT_USAGE] = { "usage", 64 },
	[FAULT_NEEDS_CONFIRMATION] = { "needs_confirmation", 64 },
	[FAULT_NOTHING_SELECTED] = { "nothing_selected", 64 },
	[FAULT_BAD_JSON] = { "bad_json", 65 },
	[FAULT_BAD_UTF8] = { "bad_utf8", 65 },
	[FAULT_BAD_NAME] = { "bad_name", 65 },
	[FAULT_BAD_VALUE] = { "bad_value", 65 },
	[FAULT_BAD_ROW] = { "bad_row", 65 },
	[FAULT_MISSING_MEMBER] = { "missing_member", 65 },
	[FAULT_UNKNOWN_MEMBER] = { "unknown_member", 65 },
	[FAULT_DUPLICATE_MEMBER] = { "duplicate_member", 65 },
	[FAULT_TOO_LONG] = { "too_long", 65 },
	[FAULT_TOO_MANY_DIMENSIONS] = { "too_many_dimensions", 65 },
	[FAULT_TOO_LARGE] = { "too_large", 65 },
	[FAULT_NOT_FOUND] = { "not_found", 66 },
	[FAULT_QUEUE_MISSING] = { "queue_missing", 66 },
	[FAULT_UNREACHABLE] = { "unreachable", 69 },
	[FAULT_INTERNAL] = { "internal", 70 },
	[FAULT_CANNOT_CREATE] = { "cannot_create", 73 },
	[FAULT_IO_ERROR] = { "io_error", 74 },
	[FAULT_DISK_FULL] = { "disk_full", 74 },
	[FAULT_CORRUPT] = { "corrupt", 74 },
	[FAULT_QUEUE_FOREIGN] = { "queue_foreign", 74 },
	[FAULT_QUEUE_NEWER] = { "queue_newer", 74 },
	[FAULT_LEDGER_BROKEN] = { "ledger_broken", 74 },
	[FAULT_OUTCOME_UNKNOWN] = { "outcome_unknown", 74 },
	[FAULT_QUEUE_BUSY] = { "queue_busy", 75 },
	[FAULT_QUEUE_FULL] = { "queue_full", 75 },
	[FAULT_FORWARDER_RUNNING] = { "forwarder_running", 75 },
	[FAULT_ROWS_LEFT] = { "rows_left", 75 },
	[FAULT_INTERRUPTED] = { "interrupted", 75 },
	[FAULT_NO_PERMISSION] = { "no_permission", 77 },
	[FAULT_UNSAFE_KEY_FILE] = { "unsafe_key_file", 77 },
	[FAULT_BAD_CONFIG] = { "bad_config", 78 },
};

const char *
fault_name(enum fault_kind kind)
{
	return KINDS[kind].name;
}

int
fault_exit(enum fault_kind kind)
{
	return KINDS[kind].exit;
}

/* vsnprintf() that does not leave half a character at the cut. */
static void fill(char *buf, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

static void
fill(char *buf, size_t size, const char *format, va_list args)
{
	int len = vsnprintf(buf, size, format, args);
	size_t start = size - 1;

	if (len < 0)
		buf[0] = '\0';
	if (len < (int)size)
		return;
	while (start > 0 && ((unsigned char)buf[start - 1] & 0xc0) == 0x80)
		start--;
	if (start > 0 && (unsigned char)buf[start - 1] >= 0xc0)
		start--;
	if (text_utf8_bad(buf + start, size - 1 - start) >= 0)
		buf[start] = '\0';
}

int
fault_set(struct fault *fault, enum fault_kind kind, const char *format, ...)
{
	va_list args;

	if (fault == NULL)
		return -1;
	memset(fault, 0, sizeof(*fault));
	fault->kind = kind;
	va_start(args, format);
	fill(fault->message, sizeof(fault->message), format, args);
	va_end(args);
	return -1;
}

void
fault_hint(struct fault *fault, const char *format, ...)
{
	va_list args;

	if (fault == NULL)
		return;
	va_start(args, format);
	fill(fault->hint, sizeof(fault->hint), format, args);
	va_end(args);
}

void
fault_why(struct fault *fault, const char *format, ...)
{
	va_list args;

	if (fault == NULL)
		return;
	va_start(args, format);
	fill(fault->why, sizeof(fault->why), format, args);
	va_end(args);
}

void
fault_field(struct fault *fault, const char *field)
{
	if (fault != NULL)
		text_shown(
		    fault->field, sizeof(fault->field), field, strlen(field));
}

static enum fault_kind
kind_of_errno(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return FAULT_NO_PERMISSION;
	case ENOSPC:
	case EDQUOT:
		return FAULT_DISK_FULL;
	case ENOENT:
		return FAULT_NOT_FOUND;
	default:
		return FAULT_IO_ERROR;
	}
}

void
fault_hint_errno(struct fault *fault, int error)
{
	static const struct {
		int error;
		const char *hint;
	} LIMITS[] = {
		{ EMFILE,
		    "this process may open no more files: raise ulimit -n" },
		{ ENFILE,
		    "the system has too many files open: sysctl fs.file-max" },
		{ EFBIG,
		    "this process may write no longer files: raise ulimit -f" },
		{ ENOMEM, "make memory free, or raise ulimit -v" },
	};
	size_t i;

	for (i = 0; i < sizeof(LIMITS) / sizeof(LIMITS[0]); i++)
		if (LIMITS[i].error == error)
			fault_hint(fault, "%s", LIMITS[i].hint);
}

int
fault_errno(struct fault *fault, int error, const char *format, ...)
{
	va_list args;
	char why[sizeof(fault->why)];

	if (fault == NULL)
		return -1;
	memset(fault, 0, sizeof(*fault));
	fault->kind = kind_of_errno(error);
	va_start(args, format);
	fill(fault->message, sizeof(fault->message), format, args);
	va_end(args);
	if (strerror_r(error, why, sizeof(why)) != 0)
		snprintf(why, sizeof(why), "error %d", error);
	snprintf(fault->why, sizeof(fault->why), "%s", why);
	fault->sys_errno = error;
	fault_hint_errno(fault, error);
	return -1;
}
