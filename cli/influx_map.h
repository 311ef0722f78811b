#ifndef CLI_INFLUX_MAP_H
#define CLI_INFLUX_MAP_H

struct fault;
struct text;

/** How metrics are named where no --map tells. */
#define INFLUX_MAP "metric={measurement}_{field}"

/** Whether ${map} is "metric=" and a text in which braces hold "measurement" or
 * "field" alone.  0, or -1 with ${fault} (FAULT_USAGE). */
int influx_map_check(const char *map, struct fault *fault);

/** The metric's name, by a ${map} that was checked, into ${metric}. */
void influx_map_apply(const char *map, const char *measurement,
    const char *field, struct text *metric);

#endif
