#include "base/config.h"
#include "base/fault.h"
#include "cli.h"
#include "dead_filter.h"
#include "export_file.h"

static struct dead_export_options {
	struct dead_filter filter; /* first */
} options = { .filter = DEAD_FILTER_NONE };

static const struct option OPTIONS[] = {
	DEAD_FILTER_OPTIONS,
	{ 0 },
};

static int
on_row(void *cookie, const struct deadletter_row *row)
{
	export_row(cookie, row);
	return 0;
}

static int
write_all(const struct cli *cli, struct export_file *export, struct db *db,
    struct fault *fault)
{
	struct dead_choice choice = { .filter = &options.filter,
		.output = export->path != NULL ? &cli->output : NULL };

	if (dead_choice_visit(
		&choice, db, DEADLETTER_BY_ID, on_row, export, fault)) {
		export_abandon(export);
		return -1;
	}
	return export_close(export, fault);
}

static int
dead_export_run(struct cli *cli)
{
	static struct config config;
	struct export_file export;
	struct fault fault = { 0 };
	struct db *db;
	int result;

	if (dead_filter_check(&options.filter, &fault) ||
	    (db = cli_open(cli, DB_READER, &config, &fault)) == NULL)
		return cli_fail(cli, &fault);
	result = export_open(
	    &export, cli->word_count > 0 ? cli->words[0] : NULL, &fault);
	if (result == 0)
		result = write_all(cli, &export, db, &fault);
	db_close(db);
	return result == 0 ? 0 : cli_fail(cli, &fault);
}

const struct command COMMAND_DEAD_EXPORT = {
	.name = "dead export",
	.usage = "dead export [FILTER] [FILE]",
	.summary = "dead rows as NDJSON",
	.notes = "FILE must not exist; it is made 0600.  dead import and put "
		 "-f ndjson read it.",
	.options = OPTIONS,
	.target = &options,
	.words_most = 1,
	.run = dead_export_run,
};
