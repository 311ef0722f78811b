#ifndef CLI_READ_CSV_H
#define CLI_READ_CSV_H

struct fault;
struct import;
struct input;

/** Take every record of ${input}, CSV as of RFC 4180 with a header, as a row:
 * columns that put does not know are dimensions, an empty cell is none.  0, or -1
 * with ${fault}, place included. */
int read_csv(struct import *import, struct input *input, struct fault *fault);

#endif
