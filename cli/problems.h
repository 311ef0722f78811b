#ifndef CLI_PROBLEMS_H
#define CLI_PROBLEMS_H

struct configfile;
struct output;

/** Tell what was found out about a configuration file: every warning and
 * problem on standard error (in JSON the first problem); "FILE: ok", or the JSON
 * of "config check", as data.  Return the exit code. */
int problems_report(
    const struct output *output, const struct configfile *found);

#endif
