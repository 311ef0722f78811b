#include <stdio.h>

#include "base/fault.h"
#include "base/text.h"
#include "cli.h"
#include "status_view.h"

static struct status_options {
	bool ages, lanes;
} options;

static int
status_run(struct cli *cli)
{
	static struct status_view view;
	struct text text = { 0 };
	struct fault fault = { 0 };

	view.want_ages = options.ages;
	if (status_view_read(&view, cli, &fault))
		return cli_fail(cli, &fault);
	if (cli->json)
		status_json(&text, &view);
	else
		status_text(&text, &view,
		    output_colored((enum output_color)cli->color, stdout),
		    options.lanes);
	output_data(text_string(&text), text.len);
	text_free(&text);
	status_view_free(&view);
	return 0;
}

#define SLOT(member) .offset = offsetof(struct status_options, member)
static const struct option OPTIONS[] = {
	{ .name = "ages",
	    .take = option_flag,
	    SLOT(ages),
	    .help = "the pending rows by age" },
	{ .name = "lanes",
	    .take = option_flag,
	    SLOT(lanes),
	    .help = "every lane, not only those in trouble" },
	{ 0 },
};

const struct command COMMAND_STATUS = {
	.name = "status",
	.usage = "status [--ages] [--lanes]",
	.summary = "what waits, what is held, what was refused",
	.options = OPTIONS,
	.target = &options,
	.run = status_run,
};
