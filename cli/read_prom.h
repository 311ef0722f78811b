#ifndef CLI_READ_PROM_H
#define CLI_READ_PROM_H

struct fault;
struct import;
struct input;

/** Take every sample of ${input}, a Prometheus text exposition, as a row: labels
 * are dimensions, a time in milliseconds is when it was observed.  HELP, TYPE
 * and other comments are passed over.  0, or -1 with ${fault}, place included. */
int read_prom(struct import *import, struct input *input, struct fault *fault);

#endif
