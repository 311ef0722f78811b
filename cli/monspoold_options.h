#ifndef CLI_MONSPOOLD_OPTIONS_H
#define CLI_MONSPOOLD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct fault;
struct text;

/** The command line of monspoold. */
struct monspoold_options {
	const char *queue, *config; /* NULL: not given */
	bool json, quiet, help, version;
	int verbose;
	bool once, drain, check_config, print;
	int64_t drain_ms;      /* 0: as long as it takes */
	int64_t until_idle_ms; /* -1: not given */
	int64_t limit;         /* -1: not given */
	const char *namespaces;
	double rate; /* requests a second; 0: not given */
};

/** Read it.  0, or -1 with ${fault} (FAULT_USAGE). */
int monspoold_options_read(struct monspoold_options *options, int argc,
    char **argv, struct fault *fault);
/** Add what --help says to ${text}. */
void monspoold_options_help(struct text *text);

#endif
