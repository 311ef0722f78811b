#include "receiver_options.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/span.h"
#include "base/text.h"
#include "options.h"

#define DEFAULT_SKEW_MS 300000

static int
take_listen(void *slot, const struct option *option, const char *value,
    struct fault *fault)
{
	(void)option;
	return listen_read(slot, value, fault);
}

static int
take_namespace(void *slot, const struct option *option, const char *value,
    struct fault *fault)
{
	(void)option;
	return known_add(slot, value, fault);
}

static int
take_fault(void *slot, const struct option *option, const char *value,
    struct fault *fault)
{
	(void)option;
	return mishaps_add(slot, value, fault);
}

static int
take_rate(void *slot, const struct option *option, const char *value,
    struct fault *fault)
{
	char shown[128];

	(void)option;
	if (span_read_rate(value, slot) == 0)
		return 0;
	fault_set(fault, FAULT_USAGE, "%s is no rate",
	    log_text(shown, sizeof(shown), value));
	fault_hint(fault, "rates are written 50/s, 600/m");
	return -1;
}

static int
take_offset(void *slot, const struct option *option, const char *value,
    struct fault *fault)
{
	bool back = value[0] == '-';
	char shown[128];

	(void)option;
	if (span_read_ms(value + (back || value[0] == '+'), slot) == 0) {
		if (back)
			*(int64_t *)slot = -*(int64_t *)slot;
		return 0;
	}
	fault_set(fault, FAULT_USAGE, "%s is no offset",
	    log_text(shown, sizeof(shown), value));
	fault_hint(fault, "offsets are written +1h, -90s");
	return -1;
}

#define AT(member) offsetof(struct receiver_options, member)

static const struct option OPTIONS[] = {
	{ 0, "listen", "ADDR[:PORT]",
	    "loopback only; port 0 is any free one (127.0.0.1:0)", take_listen,
	    AT(listen), false, false, NULL },
	{ 0, "path", "PATH", "path that is served (/v2/index.php)", option_text,
	    AT(rules.path), false, false, NULL },
	{ 0, "print-port", NULL, "print the port on stdout once listening",
	    option_flag, AT(print_port), false, false, NULL },
	{ 0, "port-file", "FILE", "write the port into FILE, all at once",
	    option_text, AT(port_file), false, false, NULL },
	{ 0, "secret-id", "ID", "the one SecretId that is accepted",
	    option_text, AT(secret_id), false, false, NULL },
	{ 0, "secret-key-file", "FILE",
	    "its key; without both no signature is checked", option_text,
	    AT(secret_key_file), false, false, NULL },
	{ 0, "keys", "FILE", "accepted credentials: lines of ID KEY",
	    option_text, AT(keys), false, false, NULL },
	{ 0, "sign-host", "HOST",
	    "signed host (receiver.monitor.tencentyun.com)", option_text,
	    AT(rules.credentials.sign_host), false, false, NULL },
	{ 0, "sign-path", "PATH", "signed path (/v2/index.php)", option_text,
	    AT(rules.credentials.sign_path), false, false, NULL },
	{ 0, "namespace", "SPEC",
	    "known: NS, NS:METRIC,... or NS:METRIC,...:DIM,...; repeats",
	    take_namespace, AT(rules.known), false, true, NULL },
	{ 0, "schema", "FILE",
	    "the same as JSON: {\"NS\":{\"METRIC\":[\"DIM\"]},\"NS\":null}",
	    option_text, AT(schema), false, false, NULL },
	{ 0, "max-body", "SIZE", "1015 beyond; of a GET the target counts",
	    option_bytes, AT(rules.max_body), false, false, NULL },
	{ 0, "max-name", "N", "1020 for longer metric and dimension names",
	    option_whole, AT(rules.max_name), false, false, NULL },
	{ 0, "rate", "N/s", "1006 beyond, per SecretId", take_rate,
	    AT(rules.pace.requests_per_second), false, false, NULL },
	{ 0, "rows-per-minute", "N", "1018 beyond, per SecretId", option_whole,
	    AT(rows_per_minute), false, false, NULL },
	{ 0, "skew", "D", "1021 beyond (300s; 0 off)", option_span,
	    AT(rules.skew_ms), false, false, NULL },
	{ 0, "clock-offset", "+D|-D", "its clock, Date included, is off by D",
	    take_offset, AT(rules.clock_offset_ms), false, false, NULL },
	{ 0, "fault", "SPEC", "misbehave, see below; repeats", take_fault,
	    AT(mishaps), false, true, NULL },
	{ 0, "script", "FILE",
	    "lines of +12s SPEC, +20s clear; HUP reads it and --schema anew",
	    option_text, AT(script_file), false, false, NULL },
	{ 0, "seed", "N", "same seed and same requests: same faults (1)",
	    option_whole, AT(seed), false, false, NULL },
	{ 0, "record", "FILE", "append a JSON line for each accepted row",
	    option_text, AT(record), false, false, NULL },
	{ 0, "requests", "FILE", "append a JSON line for each request",
	    option_text, AT(requests), false, false, NULL },
	{ 0, "tls-cert", "FILE", "https: the certificate, PEM", option_text,
	    AT(tls_cert), false, false, NULL },
	{ 0, "tls-key", "FILE", "and its key", option_text, AT(tls_key), false,
	    false, NULL },
	{ 'q', "quiet", NULL, "no line per request on stderr", option_flag,
	    AT(quiet), false, false, NULL },
	{ 'j', "json", NULL, "stderr as JSON lines, the totals last",
	    option_flag, AT(json), false, false, NULL },
	{ 'h', "help", NULL, "this text", option_flag, AT(help), false, false,
	    NULL },
	{ 'V', "version", NULL, "versions; with --json as one object",
	    option_flag, AT(version), false, false, NULL },
	{ 0, NULL, NULL, NULL, NULL, 0, false, false, NULL },
};

static const char HELP_HEAD[] =
    "usage: monspool-receiver [OPTION]...\n"
    "A loopback emulator of the PutMonitorData receiver (API 2.0), with\n"
    "faults on demand.  Runs until TERM or INT, then prints totals on stderr.\n"
    "\n";

static const char HELP_TAIL[] =
    "\n"
    "The first check that fails decides, and no row is accepted then:\n"
    "faults, method 1000, path 1001, size 1015, no content 1004, not JSON\n"
    "1005, parameter missing 1009 or of the wrong type 1010, Action 1012,\n"
    "SecretId or signature 1011, Timestamp 1021, rate 1006, Region 1013,\n"
    "Namespace 1016, no Data 1019; row by row: members 1009 and 1010, name\n"
    "length 1020, metric or dimensions 1017; rows per minute 1018.  Else the\n"
    "answer is 0.\n"
    "\n"
    "--rate and --rows-per-minute are token buckets, full at first: one\n"
    "holds a second's worth of requests (at least one), the other a minute's\n"
    "worth of rows.  Who is refused by a bucket takes nothing from it.\n"
    "Bodies over 64M are always too long.\n"
    "\n"
    "--fault KIND[=ARG][,CONDITION]...; the first that strikes happens:\n"
    "  code=N              that code is answered\n"
    "  http=N              that status, an HTML body; ,retry-after=SECONDS\n"
    "  refuse              the connection is reset when it is made\n"
    "  outage=D[/D]        the same for a time, once or out of every so long\n"
    "  reset, hang         request read, then RST; no answer ever\n"
    "  delay=D[..D]        a late answer; rows are accepted\n"
    "  slow=NB/s           a trickling answer; rows are accepted\n"
    "  truncate            half an answer, then closed; rows are accepted\n"
    "  garbage             an answer that is not JSON; rows are accepted\n"
    "  close-before-reply  closed without an answer; rows are accepted\n"
    "Conditions: p=0.1 (probability), every=N (each Nth), after=N (not the\n"
    "first N), count=N (at most N times), accept=yes (rows that pass the\n"
    "checks are accepted), namespace=GLOB, metric=GLOB (of any row),\n"
    "min-rows=N.  A fault counts the requests that meet its last three;\n"
    "refuse and outage, which go with none of the last four, count\n"
    "connections.  An outage with after=N begins at connection N+1.\n";

/* So that even a wrong command line is answered in the form asked for. */
static bool
asks_for_json(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0 ||
		    (argv[i][0] == '-' && argv[i][1] != '-' &&
			strchr(argv[i], 'j') != NULL))
			return true;
	return false;
}

static int
go_together(const char *one, const char *other, const char *names,
    const char *hint, struct fault *fault)
{
	if ((one == NULL) == (other == NULL))
		return 0;
	fault_set(fault, FAULT_USAGE, "%s go together", names);
	fault_hint(fault, "%s", hint);
	return -1;
}

static int
read_keys(struct receiver_options *options, struct fault *fault)
{
	struct credentials *credentials = &options->rules.credentials;

	if (go_together(options->secret_id, options->secret_key_file,
		"--secret-id and --secret-key-file",
		"--secret-id ID --secret-key-file FILE", fault))
		return -1;
	if (options->secret_id != NULL &&
	    sign_read_key(credentials, options->secret_id,
		options->secret_key_file, fault))
		return -1;
	if (options->keys == NULL)
		return 0;
	if (sign_read_keys(credentials, options->keys, fault))
		return -1;
	if (credentials->count > 0)
		return 0;
	fault_set(fault, FAULT_BAD_CONFIG, "there is no key in the file");
	fault_hint(fault, "write ID KEY, one pair a line");
	snprintf(fault->file, sizeof(fault->file), "%.100s", options->keys);
	return -1;
}

static int
read_pem(const char *path, struct text *text, struct fault *fault)
{
	FILE *file = fopen(path, "re");
	char chunk[4096];
	size_t len;

	if (file == NULL) {
		fault_errno(fault, errno, "cannot open %s", path);
		fault_hint(fault, "check --tls-cert and --tls-key");
		return -1;
	}
	while ((len = fread(chunk, 1, sizeof(chunk), file)) > 0)
		text_add(text, chunk, len);
	fclose(file);
	return text->failed ? fault_set(fault, FAULT_INTERNAL, "out of memory")
			    : 0;
}

static int
read_tls(struct receiver_options *options, struct fault *fault)
{
	if (go_together(options->tls_cert, options->tls_key,
		"--tls-cert and --tls-key", "--tls-cert FILE --tls-key FILE",
		fault))
		return -1;
	if (options->tls_cert == NULL)
		return 0;
	return read_pem(options->tls_cert, &options->certificate, fault) ||
		read_pem(options->tls_key, &options->private_key, fault)
	    ? -1
	    : 0;
}

static int
read_files(struct receiver_options *options, struct fault *fault)
{
	if (options->schema != NULL &&
	    known_read_schema(&options->rules.known, options->schema, fault))
		return -1;
	if (options->script_file != NULL &&
	    script_read(&options->script, options->script_file, fault))
		return -1;
	return read_keys(options, fault) || read_tls(options, fault) ? -1 : 0;
}

int
receiver_options_reload(
    struct receiver_options *options, int64_t now_ms, struct fault *fault)
{
	struct script fresh = { 0 };

	if (options->script_file != NULL &&
	    script_read(&fresh, options->script_file, fault))
		return -1;
	if (options->schema != NULL &&
	    known_read_schema(&options->rules.known, options->schema, fault)) {
		script_free(&fresh);
		return -1;
	}
	script_free(&options->script);
	options->script = fresh;
	mishaps_restart(&options->mishaps, now_ms);
	script_start(&options->script, now_ms);
	return 0;
}

static int
parse(struct receiver_options *options, int argc, char **argv,
    struct fault *fault)
{
	struct option_set set = { OPTIONS, options, 0 };
	struct option_set *sets[] = { &set };
	struct option_scan scan = {
		.sets = sets, .set_count = 1, .argv = argv + 1, .argc = argc - 1
	};
	char shown[128];

	if (options_parse(&scan, fault))
		return -1;
	if (scan.word_count == 0)
		return 0;
	fault_set(fault, FAULT_USAGE, "there is no argument for %s",
	    log_text(shown, sizeof(shown), scan.argv[0]));
	fault_hint(fault, "monspool-receiver --help lists the options");
	return -1;
}

int
receiver_options_read(struct receiver_options *options, int argc, char **argv,
    struct fault *fault)
{
	*options = (struct receiver_options){
		.rules = { .path = "/v2/index.php",
		    .skew_ms = DEFAULT_SKEW_MS,
		    .credentials = { .sign_host =
					 "receiver.monitor.tencentyun.com",
			.sign_path = "/v2/index.php" } },
		.seed = 1,
		.json = asks_for_json(argc, argv),
	};
	if (listen_read(&options->listen, "127.0.0.1:0", fault) ||
	    parse(options, argc, argv, fault))
		return -1;
	options->rules.pace.rows_per_minute = (double)options->rows_per_minute;
	if (options->help || options->version)
		return 0;
	return read_files(options, fault);
}

void
receiver_options_free(struct receiver_options *options)
{
	sign_forget_keys(&options->rules.credentials);
	script_free(&options->script);
	text_free(&options->certificate);
	text_free(&options->private_key);
	known_free(&options->rules.known);
	pace_free(&options->rules.pace);
	mishaps_free(&options->mishaps);
}

void
receiver_options_help(struct text *text)
{
	text_adds(text, HELP_HEAD);
	options_help(OPTIONS, text);
	text_adds(text, HELP_TAIL);
}
