#include "dead_filter.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/number.h"
#include "base/text.h"
#include "queue/db.h"
#include "cli.h"
#include "filter.h"
#include "progress.h"

/* A visit under way. */
struct visiting {
	const struct dead_filter *filter;
	deadletter_visit *visit;
	void *cookie;
	bool over, told;
	int64_t rows;
};

int
option_number(void *slot, const struct option *option, const char *value,
    struct fault *fault)
{
	(void)option;
	if (number_read_whole(value, 1, INT64_MAX, slot) == 0)
		return 0;
	fault_set(fault, FAULT_USAGE, "not a number from 1 up");
	fault_hint(fault, "--%s=1", option->name);
	return -1;
}

/* ---- the filter ---- */

static void
make_times(const struct dead_filter *given, struct deadletter_filter *filter)
{
	int64_t now_ms = clock_wall_ms();

	filter->since = given->since;
	filter->until = given->until;
	filter->accepted_before = filter->accepted_after = -1;
	if (given->older_than >= 0)
		filter->accepted_before = now_ms - given->older_than;
	if (given->newer_than >= 0)
		filter->accepted_after = now_ms - given->newer_than;
	filter->replays_least = given->replayed;
	filter->operation = given->operation;
}

/* ${codes} and ${causes} hold what ${filter} points to. */
static int
make_filter(struct dead_filter *given, struct text *codes, struct text *causes,
    struct deadletter_filter *filter, struct fault *fault)
{
	*filter = (struct deadletter_filter){
		.ns_glob = filter_glob(given->ns),
		.region_glob = filter_glob(given->region),
		.account_glob = filter_glob(given->account),
		.metric_glob = filter_glob(given->metric),
	};
	make_times(given, filter);
	if (given->codes != NULL) {
		if (filter_codes_json(given->codes, codes, fault))
			return -1;
		filter->codes = text_string(codes);
	}
	if (given->causes != NULL) {
		if (filter_causes_json(given->causes, causes, fault))
			return -1;
		filter->causes = text_string(causes);
	}
	if (given->key == NULL &&
	    filter_dimension(
		given->dimension, &given->key, &given->value, fault))
		return -1;
	filter->dimension_key = given->key;
	filter->dimension_value = given->value;
	return 0;
}

int
dead_filter_check(struct dead_filter *given, struct fault *fault)
{
	struct text codes = { 0 }, causes = { 0 };
	struct deadletter_filter filter;
	int result;

	result = make_filter(given, &codes, &causes, &filter, fault);
	text_free(&codes);
	text_free(&causes);
	return result;
}

static int
by_first(const void *left, const void *right)
{
	const struct selection_range *a = left, *b = right;

	return (a->first > b->first) - (a->first < b->first);
}

/* Ranges in order, with others between them: so no row comes twice. */
static void
merge(struct selection *selection)
{
	struct selection_range *ranges = selection->ranges;
	size_t i, kept = 0;

	if (selection->count == 0)
		return;
	qsort(ranges, selection->count, sizeof(*ranges), by_first);
	for (i = 1; i < selection->count; i++) {
		if (ranges[i].first - 1 > ranges[kept].last) {
			ranges[++kept] = ranges[i];
			continue;
		}
		if (ranges[i].last > ranges[kept].last)
			ranges[kept].last = ranges[i].last;
	}
	selection->count = kept + 1;
}

int
dead_choice_read(struct dead_choice *choice, struct fault *fault)
{
	struct dead_filter *filter = choice->filter;

	if (choice->word_count > 0 || filter->all || filter->codes != NULL ||
	    filter->causes != NULL || filter->ns != NULL ||
	    filter->region != NULL || filter->account != NULL ||
	    filter->metric != NULL || filter->dimension != NULL ||
	    filter->older_than != -1 || filter->newer_than != -1 ||
	    filter->since != -1 || filter->until != -1 ||
	    filter->replayed != -1 || filter->operation != 0)
		return dead_filter_check(filter, fault) ||
			selection_read(&choice->selection, choice->words,
			    choice->word_count, fault)
		    ? -1
		    : 0;
	fault_set(fault, FAULT_NOTHING_SELECTED, "no row is selected");
	fault_hint(fault,
	    "name ids (17, 104-120), a filter (--code 1016), or --all; "
	    "monspool dead shows what there is");
	return -1;
}

/* Several globs joined by commas are matched here. */
static int
on_row(void *cookie, const struct deadletter_row *row)
{
	struct visiting *visiting = cookie;
	const struct dead_filter *filter = visiting->filter;

	if (visiting->told)
		progress_rows(++visiting->rows);
	if (!filter_matches(filter->ns, row->ns) ||
	    !filter_matches(filter->region, row->region) ||
	    !filter_matches(filter->account, row->account) ||
	    !filter_matches(filter->metric, row->metric))
		return 0;
	visiting->over = visiting->visit(visiting->cookie, row) != 0;
	return visiting->over;
}

static int
on_any(void *cookie, const struct deadletter_row *row)
{
	(void)cookie;
	(void)row;
	return 0;
}

/* A row that was named must be there; of a range any number may. */
static int
check_ids(const struct selection *selection, struct db *db, struct fault *fault)
{
	int64_t id;
	size_t i;
	int found;

	for (i = 0; i < selection->count; i++) {
		id = selection->ranges[i].first;
		if (id != selection->ranges[i].last)
			continue;
		if ((found = deadletter_show(db, id, on_any, NULL)) == -1) {
			*fault = *db_fault(db);
			return -1;
		}
		if (found == 1)
			continue;
		fault_set(fault, FAULT_NOT_FOUND,
		    "row %" PRId64 " is not among the dead", id);
		fault_hint(fault, "monspool show %" PRId64, id);
		return -1;
	}
	return 0;
}

/* ---- both ---- */

static int
visit_ranges(const struct selection *selection, struct db *db,
    struct deadletter_filter *filter, enum deadletter_order order,
    struct visiting *visiting)
{
	size_t i;

	for (i = 0; i < selection->count && !visiting->over; i++) {
		filter->first_id = selection->ranges[i].first;
		filter->last_id = selection->ranges[i].last;
		if (deadletter_list(db, filter, order, -1, on_row, visiting) ==
		    -1)
			return -1;
	}
	return 0;
}

static int
visit(struct dead_choice *choice, struct db *db, enum deadletter_order order,
    struct deadletter_filter *filter, struct visiting *visiting,
    struct fault *fault)
{
	struct selection *selection = &choice->selection;
	int failed;

	if (choice->word_count == 0)
		failed = deadletter_list(
			     db, filter, order, -1, on_row, visiting) == -1;
	else if (check_ids(selection, db, fault))
		return -1;
	else {
		merge(selection);
		failed = visit_ranges(selection, db, filter, order, visiting);
	}
	if (failed)
		*fault = *db_fault(db);
	return failed ? -1 : 0;
}

int
dead_choice_visit(struct dead_choice *choice, struct db *db,
    enum deadletter_order order, deadletter_visit *visitor, void *cookie,
    struct fault *fault)
{
	struct visiting visiting = { .filter = choice->filter,
		.visit = visitor,
		.cookie = cookie,
		.told = choice->output != NULL };
	struct text codes = { 0 }, causes = { 0 };
	struct deadletter_filter filter;
	int result;

	result = make_filter(choice->filter, &codes, &causes, &filter, fault);
	if (visiting.told)
		progress_start(choice->output);
	if (result == 0)
		result = visit(choice, db, order, &filter, &visiting, fault);
	if (visiting.told)
		progress_end();
	text_free(&codes);
	text_free(&causes);
	return result;
}

/* ---- in words ---- */

static void
add_word(struct text *text, const char *name, const char *value)
{
	if (value == NULL)
		return;
	text_adds(text, text->len > 0 ? ", " : "");
	text_adds(text, name);
	text_addc(text, ' ');
	text_add_escaped(text, value, strlen(value));
}

void
dead_choice_free(struct dead_choice *choice)
{
	selection_free(&choice->selection);
}

void
dead_choice_words(const struct dead_choice *choice, struct text *text)
{
	const struct dead_filter *filter = choice->filter;
	char digits[NUMBER_TEXT_SIZE];
	int i;

	for (i = 0; i < choice->word_count; i++)
		add_word(text, "row", choice->words[i]);
	add_word(text, "code", filter->codes);
	add_word(text, "cause", filter->causes);
	add_word(text, "namespace", filter->ns);
	add_word(text, "region", filter->region);
	add_word(text, "account", filter->account);
	add_word(text, "metric", filter->metric);
	add_word(text, "dimension", filter->dimension);
	if (filter->operation != 0)
		add_word(text, "operation",
		    number_print_grouped(digits, filter->operation));
	if (text->len == 0)
		text_adds(text, "all");
}
