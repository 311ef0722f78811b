#include "problems.h"

#include <string.h>

#include "base/configfile.h"
#include "base/fault.h"
#include "base/text.h"
#include "jsonline.h"
#include "output.h"

static void
add_fault(struct text *text, const struct fault *fault)
{
	jsonline_open(text, NULL, '{');
	jsonline_text(text, "file", fault->file);
	jsonline_optional(text, "line", fault->line, 0);
	jsonline_text(text, "message", fault->message);
	jsonline_text(text, "hint", fault->hint);
	jsonline_close(text, '}');
}

static void
add_faults(struct text *text, const char *name, const struct fault *faults,
    size_t count)
{
	size_t i;

	jsonline_open(text, name, '[');
	for (i = 0; i < count; i++)
		add_fault(text, &faults[i]);
	jsonline_close(text, ']');
}

static void
add_json(struct text *text, const struct configfile *found)
{
	jsonline_open(text, NULL, '{');
	jsonline_bool(text, "ok", found->problem_count == 0);
	add_faults(text, "problems", found->problems, found->problem_count);
	add_faults(text, "warnings", found->warnings, found->warning_count);
	jsonline_text(
	    text, "file", found->path[0] != '\0' ? found->path : NULL);
	text_adds(text, "}\n");
}

static void
add_ok(struct text *text, const struct configfile *found)
{
	if (found->path[0] == '\0')
		text_adds(text, "no configuration file: built-in settings");
	else
		text_add_escaped(text, found->path, strlen(found->path));
	text_adds(text, ": ok\n");
}

/* On standard error; in JSON all is in the data already, so that just one
 * says there why this failed. */
static void
tell(const struct output *output, const struct configfile *found)
{
	size_t told = found->problem_count, i;

	if (output->json && told > 1)
		told = 1;
	for (i = 0; i < found->warning_count && !output->json; i++)
		output_note(output, &found->warnings[i]);
	for (i = 0; i < told; i++)
		output_fault(output, &found->problems[i]);
}

int
problems_report(const struct output *output, const struct configfile *found)
{
	struct text text = { 0 };
	struct fault fault = { 0 };

	if (output->json)
		add_json(&text, found);
	else if (found->problem_count == 0)
		add_ok(&text, found);
	output_data(text_string(&text), text.len);
	text_free(&text);
	tell(output, found);
	if (output_flush(&fault))
		return output_fault(output, &fault);
	if (found->problem_count == 0)
		return 0;
	return fault_exit(found->problems[0].kind);
}
