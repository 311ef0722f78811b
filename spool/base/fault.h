#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stddef.h>

/**
 * What can go wrong, in the words of the interface: each kind has the name
 * and exit code of interface.md section 1.
 */
enum fault_kind {
	FAULT_NONE = 0,
	FAULT_USAGE,
	FAULT_NEEDS_CONFIRMATION,
	FAULT_NOTHING_SELECTED,
	FAULT_BAD_JSON,
	FAULT_BAD_UTF8,
	FAULT_BAD_NAME,
	FAULT_BAD_VALUE,
	FAULT_BAD_ROW,
	FAULT_MISSING_MEMBER,
	FAULT_UNKNOWN_MEMBER,
	FAULT_DUPLICATE_MEMBER,
	FAULT_TOO_LONG,
	FAULT_TOO_MANY_DIMENSIONS,
	FAULT_TOO_LARGE,
	FAULT_NOT_FOUND,
	FAULT_QUEUE_MISSING,
	FAULT_UNREACHABLE,
	FAULT_INTERNAL,
	FAULT_CANNOT_CREATE,
	FAULT_IO_ERROR,
	FAULT_DISK_FULL,
	FAULT_CORRUPT,
	FAULT_QUEUE_FOREIGN,
	FAULT_QUEUE_NEWER,
	FAULT_LEDGER_BROKEN,
	FAULT_OUTCOME_UNKNOWN,
	FAULT_QUEUE_BUSY,
	FAULT_QUEUE_FULL,
	FAULT_FORWARDER_RUNNING,
	FAULT_ROWS_LEFT,
	FAULT_INTERRUPTED,
	FAULT_NO_PERMISSION,
	FAULT_UNSAFE_KEY_FILE,
	FAULT_BAD_CONFIG,
	FAULT_KINDS
};

/** One fault, as it is told to a person.  Plain data, copied by assignment. */
struct fault {
	enum fault_kind kind;
	char message[256]; /* what; no newline; text from outside is escaped */
	char why[160];     /* the reason, if known, else "" */
	char hint[256];    /* something to type or to change, else "" */
	char field[32];    /* the member or option at fault, else "" */
	char file[128];    /* the input file, else ""; "-" is standard input */
	long line;         /* from 1; 0 where it does not apply */
	long column;     /* from 1, in characters; 0 where it does not apply */
	int sqlite_code; /* extended result code, or 0 */
	int sys_errno;   /* errno, or 0 */
};

/** The name of ${kind} in JSON ("bad_json") and its exit code (65). */
const char *fault_name(enum fault_kind kind);
int fault_exit(enum fault_kind kind);

/**
 * fault_set(fault, kind, format, ...):
 * Forget what ${fault} held and set its kind and message.  NULL is allowed
 * for ${fault}.  Always return -1, so that "return fault_set(...)" fails.
 */
int fault_set(struct fault *fault, enum fault_kind kind, const char *format,
    ...) __attribute__((format(printf, 3, 4)));
void fault_hint(struct fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void fault_why(struct fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** ${field} is escaped on its way in. */
void fault_field(struct fault *fault, const char *field);

/**
 * fault_errno(fault, error, format, ...):
 * Set ${fault} from the errno ${error}: EACCES and EPERM become
 * FAULT_NO_PERMISSION, ENOSPC and EDQUOT FAULT_DISK_FULL, ENOENT
 * FAULT_NOT_FOUND, all others FAULT_IO_ERROR.  ${format} says what was
 * attempted ("cannot open the gate file /x/y"), the system's text becomes the
 * why, and the hint is that of fault_hint_errno().  Return -1.
 */
int fault_errno(struct fault *fault, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Where the errno ${error} is a limit of the process or of the system and no
 * fault of a disk, say what to raise. */
void fault_hint_errno(struct fault *fault, int error);

#endif
