#ifndef CLI_READ_INFLUX_H
#define CLI_READ_INFLUX_H

struct fault;
struct import;
struct input;

/** Take every line of ${input}, InfluxDB's line protocol: tags are dimensions,
 * each numeric or boolean field is a row, a time in nanoseconds is when it was
 * observed.  A text field is a fault.  0, or -1 with ${fault}, place included. */
int read_influx(
    struct import *import, struct input *input, struct fault *fault);

#endif
