#ifndef RECEIVER_OPTIONS_H
#define RECEIVER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#include "receiver_check.h"
#include "receiver_listen.h"
#include "receiver_mishap.h"
#include "receiver_script.h"

struct fault;

/** The command line.  Texts are borrowed from argv. */
struct receiver_options {
	struct listen_address listen;
	struct rules rules;
	struct mishaps mishaps;
	struct script script;
	const char *secret_id, *secret_key_file, *keys;
	const char *schema, *script_file;
	const char *tls_cert, *tls_key;       /* files */
	struct text certificate, private_key; /* what they hold */
	const char *port_file, *record, *requests;
	int64_t seed, rows_per_minute;
	bool print_port, quiet, json, help, version;
};

/**
 * receiver_options_read(options, argc, argv, fault):
 * Read the command line, the program's name first, into ${options}, which starts
 * from the defaults; the key file is read, too, unless help or the version is
 * asked for.  Return 0, or -1 with ${fault}; receiver_options_free()
 * in either case.
 */
int receiver_options_read(struct receiver_options *options, int argc,
    char **argv, struct fault *fault);
/** Read schema and script anew; the script begins again at the steady time
 * ${now_ms}.  0, or -1 with ${fault}; then all is as it was. */
int receiver_options_reload(
    struct receiver_options *options, int64_t now_ms, struct fault *fault);
void receiver_options_free(struct receiver_options *options);

/** Add the help text. */
void receiver_options_help(struct text *text);

#endif
