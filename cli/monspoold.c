#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/configfile.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "forward/forwarder.h"
#include "forward/settings.h"
#include "forward/versions.h"
#include "jsonline.h"
#include "monspoold_options.h"
#include "output.h"
#include "problems.h"
#include "queue/schema.h"

/* Whether standard error goes to the journal, as systemd.exec(5) has it. */
static bool
journal_listens(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat status;

	return stream != NULL &&
	    sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	    fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device &&
	    status.st_ino == inode;
}

static enum log_form
log_form(const struct monspoold_options *options)
{
	if (options->json)
		return LOG_NDJSON;
	return journal_listens() ? LOG_JOURNAL : LOG_PLAIN;
}

static int
run(const struct monspoold_options *options, const struct output *output)
{
	struct forwarder_options forwarder = { .config_file = options->config,
		.queue = options->queue,
		.mode = CORE_RUN,
		.drain_ms = options->drain_ms,
		.verbose = options->quiet ? -1 : options->verbose,
		.log_form = log_form(options) };
	struct fault fault = { 0 };
	int code;

	if (options->once)
		forwarder.mode = CORE_ONCE;
	if (options->drain)
		forwarder.mode = CORE_DRAIN;
	code = forwarder_run(&forwarder, &fault);
	if (code != 0)
		output_fault(output, &fault);
	return code;
}

/* The keys' fault is a problem like those of the file. */
static int
check_config(
    const struct monspoold_options *options, const struct output *output)
{
	struct fault fault = { 0 };
	struct settings *settings;
	int code;

	settings = settings_read(options->config, options->queue, &fault);
	if (settings == NULL)
		return output_fault(output, &fault);
	if (settings->credentials == NULL && settings->found.problem_count == 0)
		settings->found
		    .problems[settings->found.problem_count++] = fault;
	code = problems_report(output, &settings->found);
	settings_free(settings);
	return code;
}

static void
add_version_json(struct text *text)
{
	const struct version *version;

	jsonline_open(text, NULL, '{');
	jsonline_text(text, "monspool", MONSPOOL_VERSION);
	jsonline_int(text, "schema", schema_latest());
	for (version = versions_list(); version->name != NULL; version++)
		jsonline_text(text, version->name, version->version);
	text_adds(text, "}\n");
}

static int
tell(const struct monspoold_options *options, const struct output *output)
{
	struct text text = { 0 };
	struct fault fault = { 0 };

	if (options->help)
		monspoold_options_help(&text);
	else if (options->json)
		add_version_json(&text);
	else
		text_adds(&text, "monspoold " MONSPOOL_VERSION "\n");
	output_data(text_string(&text), text.len);
	text_free(&text);
	return output_flush(&fault) == 0 ? 0 : output_fault(output, &fault);
}

int
main(int argc, char **argv)
{
	struct output output = { .program = "monspoold" };
	struct monspoold_options options;
	struct fault fault = { 0 };

	output_guard();
	forwarder_harden();
	if (monspoold_options_read(&options, argc, argv, &fault)) {
		output.json = options.json;
		return output_fault(&output, &fault);
	}
	output.json = options.json;
	output.quiet = options.quiet;
	if (options.help || options.version)
		return tell(&options, &output);
	if (options.check_config)
		return check_config(&options, &output);
	return run(&options, &output);
}
