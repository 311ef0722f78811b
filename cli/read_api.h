#ifndef CLI_READ_API_H
#define CLI_READ_API_H

struct fault;
struct import;
struct input;

/** Take all of ${input} as PutMonitorData bodies or bare Data arrays, one after
 * the other; what belongs to signing is dropped with one note.  0, or -1 with ${fault}, place
 * included. */
int read_api(struct import *import, struct input *input, struct fault *fault);

#endif
