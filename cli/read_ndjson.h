#ifndef CLI_READ_NDJSON_H
#define CLI_READ_NDJSON_H

struct fault;
struct import;
struct input;

/** Take every line of ${input} as a row; blank lines are passed over.  0, or
 * -1 with ${fault}, place included. */
int read_ndjson(
    struct import *import, struct input *input, struct fault *fault);

#endif
