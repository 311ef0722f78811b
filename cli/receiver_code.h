#ifndef RECEIVER_CODE_H
#define RECEIVER_CODE_H

#include <stddef.h>

/*
 * The codes the receiver knows.  These are the emulator's own, on purpose
 * not those of the protocol shelf: a test must not agree with itself.
 */
enum code {
	CODE_OK = 0,
	CODE_METHOD = 1000,
	CODE_PATH = 1001,
	CODE_INTERNAL = 1003,
	CODE_NO_CONTENT = 1004,
	CODE_NOT_JSON = 1005,
	CODE_TOO_MANY_REQUESTS = 1006,
	CODE_MISSING = 1009,
	CODE_TYPE = 1010,
	CODE_AUTHENTICATION = 1011,
	CODE_ACTION = 1012,
	CODE_PARAMETER = 1013,
	CODE_TOO_LONG = 1015,
	CODE_NAMESPACE = 1016,
	CODE_DIMENSION = 1017,
	CODE_TOO_MANY_ROWS = 1018,
	CODE_NO_DATA = 1019,
	CODE_NAME_LENGTH = 1020,
	CODE_TIMESTAMP = 1021
};

/** Number of documented codes, 0 and 1000 to 1021. */
#define CODE_COUNT 23

/** The documented text of ${code}; a made-up code has one that says so. */
const char *code_text(int code);

/** The place of ${code} among the documented ones, from 0, or CODE_COUNT;
 * and the code at ${place}. */
size_t code_place(int code);
int code_at(size_t place);

#endif
