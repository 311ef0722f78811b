#include "confirm.h"

#include <stdio.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/text.h"
#include "cli.h"

void
confirm_plan(const struct cli *cli, const struct confirm_options *options,
    const struct text *plan)
{
	bool asks = !options->yes && !options->dry_run;

	if ((cli->json || cli->quiet) && !asks)
		return;
	if (options->dry_run)
		output_data(text_string(plan), plan->len);
	else
		fputs(text_string(plan), stderr);
}

int
confirm(const struct cli *cli, const struct confirm_options *options,
    const char *question)
{
	struct fault fault = { 0 };
	char answer[16] = "";

	if (options->yes)
		return 0;
	if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1) {
		fault_set(&fault, FAULT_NEEDS_CONFIRMATION,
		    "this needs a yes, and there is no terminal to ask");
		fault_hint(&fault,
		    "add --yes to go ahead, or --dry-run to see what it "
		    "would do");
		return cli_fail(cli, &fault);
	}
	fprintf(stderr, "%s [y/N] ", question);
	fflush(stderr);
	if (fgets(answer, sizeof(answer), stdin) == NULL)
		fputc('\n', stderr);
	if (answer[0] == 'y' || answer[0] == 'Y')
		return 0;
	fprintf(stderr, "nothing was changed\n");
	return 1;
}
