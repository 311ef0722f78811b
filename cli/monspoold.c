#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static struct forwarder_options
for_forwarder(const struct monspoold_options *options)
{
	return (struct forwarder_options){ .config_file = options->config,
		.queue = options->queue,
		.mode = options->once ? CORE_ONCE
		    : options->drain  ? CORE_DRAIN
				      : CORE_RUN,
		.drain_ms = options->drain_ms,
		.until_idle_ms = options->until_idle_ms > 0
		    ? options->until_idle_ms
		    : 0,
		.bounds = { .rows = options->limit > 0 ? options->limit : 0,
		    .namespaces = options->namespaces },
		.rate = options->rate,
		.verbose = options->quiet ? -1 : options->verbose,
		.log_form = log_form(options) };
}

static int
run(const struct monspoold_options *options, const struct output *output)
{
	struct forwarder_options forwarder = for_forwarder(options);
	struct fault fault = { 0 };
	int code;

	code = forwarder_run(&forwarder, &fault);
	if (code != 0)
		output_fault(output, &fault);
	return code;
}

static void
show_json(struct text *text, const struct forwarder_preview *preview)
{
	jsonline_open(text, NULL, '{');
	jsonline_text(text, "namespace", preview->ns);
	jsonline_text(text, "region", preview->region);
	jsonline_text(text, "account", preview->account);
	jsonline_text(text, "method", preview->method);
	jsonline_text(text, "url", preview->url);
	jsonline_int(text, "rows", (int64_t)preview->rows);
	jsonline_int(text, "bytes", (int64_t)preview->bytes);
	jsonline_text(text, "body", preview->body);
	text_adds(text, "}\n");
}

static void
show_text(struct text *text, const struct forwarder_preview *preview)
{
	text_addf(text, "%s ", preview->method);
	text_add_escaped(text, preview->url, strlen(preview->url));
	text_adds(text, "   ");
	text_add_escaped(text, preview->ns, strlen(preview->ns));
	text_addf(
	    text, ", rows %zu, bytes %zu\n", preview->rows, preview->bytes);
	if (preview->body[0] == '\0')
		return;
	text_add_escaped(text, preview->body, strlen(preview->body));
	text_addc(text, '\n');
}

static void
show(void *cookie, const struct forwarder_preview *preview)
{
	const struct output *output = cookie;
	struct text text = { 0 };

	if (output->json)
		show_json(&text, preview);
	else
		show_text(&text, preview);
	output_data(text_string(&text), text.len);
	text_free(&text);
}

static int
print(const struct monspoold_options *options, struct output *output)
{
	struct forwarder_options forwarder = for_forwarder(options);
	struct fault fault = { 0 };

	if (forwarder_print(&forwarder, show, output, &fault) ||
	    output_flush(&fault))
		return output_fault(output, &fault);
	return 0;
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
	signal(SIGXFSZ, SIG_IGN); /* the write fails, and that is told */
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
	if (options.print)
		return print(&options, &output);
	return run(&options, &output);
}
