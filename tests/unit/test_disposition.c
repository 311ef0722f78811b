/* links: protocol */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/config.h"
#include "base/fault.h"
#include "protocol/answer.h"
#include "protocol/disposition.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define SENT 500 /* bytes of a request that left */

static struct dispositions *table;

static int
open_table(void **state)
{
	struct fault fault = { 0 };

	(void)state;
	table = dispositions_new(NULL, 0, &fault);
	return table == NULL ? -1 : 0;
}

static int
close_table(void **state)
{
	(void)state;
	dispositions_free(table);
	return 0;
}

/* What is expected of one outcome; the words are those of protocol.md. */
struct expected {
	enum verdict verdict;
	enum scope scope;
	enum lone lone;
	enum stored stored;
};

/* The codes of section 8, written down a second time. */
static const struct {
	int code;
	struct expected want;
} CODES[] = {
	{ 0, { VERDICT_DELIVERED, SCOPE_NONE, LONE_SAME, STORED_YES } },
	{ 1000, { VERDICT_HOLD, SCOPE_ENDPOINT, LONE_HOLD, STORED_NO } },
	{ 1001, { VERDICT_HOLD, SCOPE_ENDPOINT, LONE_HOLD, STORED_NO } },
	{ 1002, { VERDICT_RETRY, SCOPE_ENDPOINT, LONE_SAME, STORED_NO } },
	{ 1003, { VERDICT_RETRY, SCOPE_ENDPOINT, LONE_SAME, STORED_MAYBE } },
	{ 1004, { VERDICT_ISOLATE, SCOPE_ROW, LONE_CONTRAST, STORED_NO } },
	{ 1005, { VERDICT_ISOLATE, SCOPE_ROW, LONE_CONTRAST, STORED_NO } },
	{ 1006,
	    { VERDICT_THROTTLE_REQUESTS, SCOPE_PACE, LONE_SAME, STORED_NO } },
	{ 1007, { VERDICT_RETRY, SCOPE_ENDPOINT, LONE_SAME, STORED_NO } },
	{ 1008, { VERDICT_HOLD, SCOPE_ACCOUNT, LONE_HOLD, STORED_NO } },
	{ 1009, { VERDICT_ISOLATE, SCOPE_ROW, LONE_CONTRAST, STORED_NO } },
	{ 1010, { VERDICT_ISOLATE, SCOPE_ROW, LONE_CONTRAST, STORED_NO } },
	{ 1011, { VERDICT_HOLD, SCOPE_ACCOUNT, LONE_HOLD, STORED_NO } },
	{ 1012, { VERDICT_HOLD, SCOPE_ENDPOINT, LONE_HOLD, STORED_NO } },
	{ 1013, { VERDICT_ISOLATE, SCOPE_ROW, LONE_CONTRAST, STORED_NO } },
	{ 1014, { VERDICT_CHECK_ONE, SCOPE_NAMESPACE, LONE_HOLD, STORED_NO } },
	{ 1015, { VERDICT_SPLIT, SCOPE_SIZE, LONE_DEAD, STORED_NO } },
	{ 1016, { VERDICT_CHECK_ONE, SCOPE_NAMESPACE, LONE_DEAD, STORED_NO } },
	{ 1017, { VERDICT_ISOLATE, SCOPE_SERIES, LONE_DEAD, STORED_NO } },
	{ 1018, { VERDICT_THROTTLE_ROWS, SCOPE_PACE, LONE_SAME, STORED_NO } },
	{ 1019, { VERDICT_ISOLATE, SCOPE_ROW, LONE_CONTRAST, STORED_NO } },
	{ 1020, { VERDICT_ISOLATE, SCOPE_SERIES, LONE_DEAD, STORED_NO } },
	{ 1021, { VERDICT_RESIGN, SCOPE_CLOCK, LONE_SAME, STORED_NO } },
	{ 4000, { VERDICT_ISOLATE, SCOPE_ROW, LONE_CONTRAST, STORED_NO } },
	{ 4100, { VERDICT_HOLD, SCOPE_ACCOUNT, LONE_HOLD, STORED_NO } },
	{ 4200, { VERDICT_RESIGN, SCOPE_CLOCK, LONE_SAME, STORED_NO } },
	{ 4300, { VERDICT_HOLD, SCOPE_ACCOUNT, LONE_HOLD, STORED_NO } },
	{ 4400,
	    { VERDICT_THROTTLE_REQUESTS, SCOPE_PACE, LONE_SAME, STORED_NO } },
	{ 4500, { VERDICT_RESIGN, SCOPE_CLOCK, LONE_SAME, STORED_NO } },
	{ 4600, { VERDICT_HOLD, SCOPE_ENDPOINT, LONE_HOLD, STORED_NO } },
	{ 5000, { VERDICT_HOLD, SCOPE_ENDPOINT, LONE_HOLD, STORED_NO } },
	{ 5100, { VERDICT_RETRY, SCOPE_ENDPOINT, LONE_SAME, STORED_MAYBE } },
	{ 5400, { VERDICT_HOLD, SCOPE_ENDPOINT, LONE_HOLD, STORED_MAYBE } },
	{ 6000, { VERDICT_RETRY, SCOPE_ENDPOINT, LONE_SAME, STORED_MAYBE } },
	{ 6100, { VERDICT_HOLD, SCOPE_ENDPOINT, LONE_HOLD, STORED_NO } },
	{ 6200, { VERDICT_RETRY, SCOPE_ENDPOINT, LONE_SAME, STORED_MAYBE } },
};

#define HELD \
	{ \
		VERDICT_HOLD, SCOPE_ENDPOINT, LONE_HOLD, STORED_NO \
	}
#define TRIED \
	{ \
		VERDICT_RETRY, SCOPE_ENDPOINT, LONE_SAME, STORED_MAYBE \
	}
#define SPLIT \
	{ \
		VERDICT_SPLIT, SCOPE_SIZE, LONE_CONTRAST, STORED_NO \
	}

/* Section 9.2: the last of these whose range fits is meant. */
static const struct {
	int least, most;
	struct expected want;
	bool hold_after;
} STATUSES[] = {
	{ -1, 1000, TRIED, true },
	{ 300, 399, HELD, false },
	{ 400, 499, HELD, false },
	{ 500, 599, TRIED, false },
	{ 501, 501, HELD, false },
	{ 505, 505, HELD, false },
	{ 511, 511, HELD, false },
	{ 413, 414, SPLIT, false },
	{ 429, 429,
	    { VERDICT_THROTTLE_REQUESTS, SCOPE_PACE, LONE_SAME, STORED_NO },
	    false },
	{ 408, 408, TRIED, false },
	{ 425, 425, TRIED, false },
};

static const char *
describe(const struct outcome *outcome)
{
	static char text[100];

	snprintf(text, sizeof(text), "transfer %d, size %d, http %d, code %d",
	    outcome->transfer, (int)outcome->request_size, outcome->http_status,
	    outcome->answer != NULL ? outcome->answer->code : -2);
	return text;
}

/* A row may die by its own, its series', its namespace's or its size's fault
 * alone (contract.md C6). */
static void
check_innocence(const struct disposition *row)
{
	bool may_kill = row->verdict == VERDICT_DEAD_LETTER ||
	    ((row->verdict == VERDICT_ISOLATE ||
		 row->verdict == VERDICT_CHECK_ONE ||
		 row->verdict == VERDICT_SPLIT) &&
		(row->lone == LONE_DEAD || row->lone == LONE_CONTRAST));

	if (may_kill && row->scope != SCOPE_ROW && row->scope != SCOPE_SERIES &&
	    row->scope != SCOPE_NAMESPACE && row->scope != SCOPE_SIZE)
		fail_msg("%s could kill an innocent row", row->name);
	if ((row->lone == LONE_DEAD || row->lone == LONE_CONTRAST) && !may_kill)
		fail_msg("%s: a death that its verdict has not", row->name);
	assert_true(row->verdict != VERDICT_DEAD_LETTER);
}

static const struct disposition *
check(const struct outcome *outcome, const struct expected *want)
{
	const struct disposition *row = disposition_judge(table, outcome);

	assert_non_null(row);
	if (row->verdict != want->verdict || row->scope != want->scope ||
	    row->lone != want->lone ||
	    disposition_stored(row, outcome) != want->stored)
		fail_msg("%s: got %s, %s, lone %d, stored %s, by %s",
		    describe(outcome), verdict_name(row->verdict),
		    scope_name(row->scope), (int)row->lone,
		    stored_name(disposition_stored(row, outcome)), row->name);
	check_innocence(row);
	return row;
}

static struct answer
coded(int code)
{
	return (struct answer){ .well_formed = true, .code = code };
}

static size_t
status_case(int status)
{
	size_t i = LENGTH(STATUSES);

	do
		i--;
	while (status < STATUSES[i].least || status > STATUSES[i].most);
	return i;
}

static void
judges_every_code_as_documented(void **state)
{
	const struct disposition *row;
	struct outcome outcome = { .request_size = SENT, .http_status = 200 };
	struct answer answer;
	char name[12];
	size_t i;

	(void)state;
	outcome.answer = &answer;
	for (i = 0; i < LENGTH(CODES); i++) {
		answer = coded(CODES[i].code);
		row = check(&outcome, &CODES[i].want);
		snprintf(name, sizeof(name), "%d", CODES[i].code);
		assert_string_equal(row->name, name);
		assert_int_equal(row->code, CODES[i].code);
		assert_ptr_equal(disposition_find(table, name), row);
		assert_int_equal(row->retry_first,
		    CODES[i].code == 1004 || CODES[i].code == 1014);
		assert_int_equal(row->slow_probe,
		    CODES[i].code == 1008 || CODES[i].code == 4300);
		assert_false(row->hold_after);
	}
}

static void
takes_every_other_code_for_unknown(void **state)
{
	static const struct expected UNKNOWN = TRIED;
	struct outcome outcome = { .request_size = SENT, .http_status = 200 };
	const struct disposition *row;
	struct answer answer;
	size_t known = 0;
	int code;

	(void)state;
	outcome.answer = &answer;
	for (code = 0; code <= 999999; code++) {
		if (known < LENGTH(CODES) && CODES[known].code == code) {
			known++;
			continue;
		}
		answer = coded(code);
		row = disposition_judge(table, &outcome);
		if (strcmp(row->name, "unknown-code") != 0)
			fail_msg("%d is judged by %s", code, row->name);
	}
	assert_int_equal(known, LENGTH(CODES));
	row = check(&outcome, &UNKNOWN);
	assert_true(row->hold_after);
	assert_int_equal(row->code, -1);
}

static void
lets_a_known_code_decide_whatever_the_status(void **state)
{
	struct outcome outcome = { .request_size = SENT };
	struct answer answer;
	size_t i;
	int status;

	(void)state;
	outcome.answer = &answer;
	for (status = 0; status <= 1000; status++) {
		outcome.http_status = status;
		for (i = 1; i < LENGTH(CODES); i++) {
			answer = coded(CODES[i].code);
			check(&outcome, &CODES[i].want);
		}
	}
}

static void
delivers_by_status_200_and_code_0_alone(void **state)
{
	struct answer answer = coded(0);
	struct outcome outcome = { .request_size = SENT, .answer = &answer };
	int status, transfer;

	(void)state;
	for (status = -1; status <= 1000; status++) {
		outcome.http_status = status;
		assert_int_equal(disposition_judge(table, &outcome)->verdict ==
			VERDICT_DELIVERED,
		    status == 200);
	}
	outcome.http_status = 200;
	for (transfer = 1; transfer <= 200; transfer++) {
		outcome.transfer = transfer;
		assert_int_not_equal(
		    disposition_judge(table, &outcome)->verdict,
		    VERDICT_DELIVERED);
	}
}

/* Judge ${status} with ${answer}; ${zero} if it holds the code 0. */
static void
check_status(int status, const struct answer *answer, bool zero)
{
	size_t i = status_case(status);
	struct expected want = STATUSES[i].want;
	struct outcome outcome = {
		.request_size = SENT, .http_status = status, .answer = answer
	};
	const struct disposition *row;
	char name[20];

	if (zero)
		want.stored = STORED_MAYBE;
	row = check(&outcome, &want);
	assert_int_equal(row->hold_after, STATUSES[i].hold_after);
	assert_false(row->retry_first);
	snprintf(name, sizeof(name), "http-%d", status);
	assert_string_equal(
	    row->name, status < 100 || status > 599 ? "http-other" : name);
}

static void
judges_every_status_by_its_class(void **state)
{
	const struct answer zero = coded(0);
	const struct answer unknown = coded(5200);
	const struct answer malformed = { .code = -1 };
	int status;

	(void)state;
	for (status = 0; status <= 1000; status++) {
		if (status == 200)
			continue;
		check_status(status, NULL, false);
		check_status(status, &malformed, false);
		check_status(status, &unknown, false);
		check_status(status, &zero, true);
	}
}

static void
takes_200_without_an_answer_for_malformed(void **state)
{
	static const struct expected MALFORMED = TRIED;
	/* The code of an answer that is not well formed means nothing. */
	const struct answer lies[] = { { .code = -1 }, { .code = 0 },
		{ .code = 1016 } };
	struct outcome outcome = { .request_size = SENT, .http_status = 200 };
	const struct disposition *row;
	size_t i;

	(void)state;
	for (i = 0; i <= LENGTH(lies); i++) {
		outcome.answer = i < LENGTH(lies) ? &lies[i] : NULL;
		row = check(&outcome, &MALFORMED);
		assert_string_equal(row->name, "malformed");
		assert_true(row->hold_after);
	}
}

/* Section 9.1, once more; what is not here is "any other". */
static const struct {
	int transfer;
	int size; /* 0, SENT, or -1 for both */
	int status;
	const char *row;
	enum verdict verdict;
	bool hold_after;
} TRANSFERS[] = {
	{ 6, -1, 0, "transfer-dns", VERDICT_RETRY, false },
	{ 7, -1, 0, "transfer-refused", VERDICT_RETRY, false },
	{ 28, 0, 0, "transfer-connect-timeout", VERDICT_RETRY, false },
	{ 28, SENT, 0, "transfer-timeout", VERDICT_RETRY, false },
	{ 28, SENT, 200, "transfer-timeout", VERDICT_RETRY, false },
	{ 58, -1, 0, "transfer-certificate", VERDICT_HOLD, false },
	{ 60, -1, 0, "transfer-certificate", VERDICT_HOLD, false },
	{ 77, -1, 0, "transfer-certificate", VERDICT_HOLD, false },
	{ 90, -1, 0, "transfer-certificate", VERDICT_HOLD, false },
	{ 35, -1, 0, "transfer-handshake", VERDICT_RETRY, false },
	{ 55, -1, 0, "transfer-broken", VERDICT_RETRY, false },
	{ 52, -1, 0, "transfer-broken", VERDICT_RETRY, false },
	{ 56, -1, 0, "transfer-broken", VERDICT_RETRY, false },
	{ 56, -1, 100, "transfer-too-large", VERDICT_RETRY, true },
	{ 18, -1, 200, "transfer-cut", VERDICT_RETRY, false },
	{ 23, -1, 200, "transfer-too-large", VERDICT_RETRY, true },
	{ 63, -1, 200, "transfer-too-large", VERDICT_RETRY, true },
	{ 1, 0, 0, "transfer-setting", VERDICT_HOLD, false },
	{ 3, 0, 0, "transfer-setting", VERDICT_HOLD, false },
	{ 43, 0, 0, "transfer-setting", VERDICT_HOLD, false },
	{ 1, SENT, 0, "transfer-failed", VERDICT_RETRY, true },
	{ 3, SENT, 0, "transfer-failed", VERDICT_RETRY, true },
	{ 43, SENT, 0, "transfer-failed", VERDICT_RETRY, true },
};

static void
judges_failed_transfers_as_documented(void **state)
{
	const struct disposition *row;
	struct outcome outcome = { 0 };
	size_t i;
	int size;

	(void)state;
	for (i = 0; i < LENGTH(TRANSFERS); i++) {
		for (size = 0; size <= SENT; size += SENT) {
			if (TRANSFERS[i].size != -1 &&
			    TRANSFERS[i].size != size)
				continue;
			outcome.transfer = TRANSFERS[i].transfer;
			outcome.request_size = size;
			outcome.http_status = TRANSFERS[i].status;
			row = disposition_judge(table, &outcome);
			assert_string_equal(row->name, TRANSFERS[i].row);
			assert_int_equal(row->verdict, TRANSFERS[i].verdict);
			assert_int_equal(
			    row->hold_after, TRANSFERS[i].hold_after);
			assert_int_equal(row->code, -1);
		}
	}
}

static bool
is_listed(int transfer)
{
	size_t i;

	for (i = 0; i < LENGTH(TRANSFERS); i++) {
		if (TRANSFERS[i].transfer == transfer)
			return true;
	}
	return false;
}

/* Whatever libcurl says and whatever a body claims: the endpoint is blamed,
 * and the bytes that left tell what the receiver may have. */
static void
judges_any_failed_transfer_by_what_was_sent(void **state)
{
	static const struct answer ZERO = { .well_formed = true, .code = 0 };
	const struct disposition *row;
	struct outcome outcome;
	int number, i;

	(void)state;
	for (number = 1; number <= 99; number++) {
		for (i = 0; i < 8; i++) {
			outcome = (struct outcome){ .transfer = number,
				.request_size = (i & 1) != 0 ? SENT : 0,
				.http_status = (i & 2) != 0 ? 200 : 0,
				.answer = (i & 4) != 0 ? &ZERO : NULL };
			row = disposition_judge(table, &outcome);
			check_innocence(row);
			assert_int_equal(row->scope, SCOPE_ENDPOINT);
			assert_true(row->verdict == VERDICT_RETRY ||
			    row->verdict == VERDICT_HOLD);
			assert_int_equal(disposition_stored(row, &outcome),
			    (i & 1) != 0 ? STORED_MAYBE : STORED_NO);
			assert_int_equal(
			    disposition_counts(&outcome), (i & 1) != 0);
			if (!is_listed(number))
				assert_string_equal(
				    row->name, "transfer-failed");
		}
	}
}

static void
lists_its_rows_for_people(void **state)
{
	const struct disposition *row;
	size_t i;
	int code;

	(void)state;
	for (i = 0; (row = disposition_at(table, i)) != NULL; i++) {
		check_innocence(row);
		assert_string_not_equal(row->text, "");
		assert_string_not_equal(row->causes, "");
		assert_string_not_equal(row->cure, "");
		assert_null(strstr(row->causes, "\n\n"));
		assert_null(strstr(row->cure, "\n\n"));
		assert_int_not_equal(row->cure[strlen(row->cure) - 1], '\n');
		if (strncmp(row->name, "http-", 5) != 0)
			assert_ptr_equal(
			    disposition_find(table, row->name), row);
		code = i == 0 ? 0 : (int)i + 999;
		if (i <= 22)
			assert_int_equal(row->code, code);
	}
	assert_int_equal(i, LENGTH(CODES) + 30);
	assert_null(disposition_at(table, i + 1));
	assert_null(disposition_at(table, SIZE_MAX));
}

static void
finds_rows_by_name(void **state)
{
	static const char *const NONE[] = { "", "1", "1022", "01017", "1017 ",
		"-1", "http-200", "http_200", "http-99", "http-099", "http-600",
		"http-4044", "http-40", "http-", "http-4x4", "http404",
		"HTTP-404", "nonsense" };
	size_t i;

	(void)state;
	assert_string_equal(disposition_find(table, "1017")->name, "1017");
	assert_string_equal(
	    disposition_find(table, "http-404")->name, "http-404");
	assert_ptr_equal(disposition_find(table, "http_404"),
	    disposition_find(table, "http-404"));
	assert_string_equal(
	    disposition_find(table, "http-100")->name, "http-100");
	assert_string_equal(
	    disposition_find(table, "http-599")->name, "http-599");
	assert_string_equal(
	    disposition_find(table, "http-4xx")->name, "http-4xx");
	assert_string_equal(
	    disposition_find(table, "malformed")->name, "malformed");
	for (i = 0; i < LENGTH(NONE); i++)
		assert_null(disposition_find(table, NONE[i]));
}

static void
names_what_it_decides(void **state)
{
	(void)state;
	assert_string_equal(verdict_name(VERDICT_DELIVERED), "delivered");
	assert_string_equal(verdict_name(VERDICT_RETRY), "retry");
	assert_string_equal(
	    verdict_name(VERDICT_THROTTLE_REQUESTS), "throttle-requests");
	assert_string_equal(
	    verdict_name(VERDICT_THROTTLE_ROWS), "throttle-rows");
	assert_string_equal(verdict_name(VERDICT_HOLD), "hold");
	assert_string_equal(verdict_name(VERDICT_SPLIT), "split");
	assert_string_equal(verdict_name(VERDICT_ISOLATE), "isolate");
	assert_string_equal(verdict_name(VERDICT_CHECK_ONE), "check-one");
	assert_string_equal(verdict_name(VERDICT_DEAD_LETTER), "dead-letter");
	assert_string_equal(verdict_name(VERDICT_RESIGN), "resign");
	assert_string_equal(scope_name(SCOPE_NONE), "none");
	assert_string_equal(scope_name(SCOPE_ROW), "row");
	assert_string_equal(scope_name(SCOPE_SERIES), "series");
	assert_string_equal(scope_name(SCOPE_NAMESPACE), "namespace");
	assert_string_equal(scope_name(SCOPE_SIZE), "size");
	assert_string_equal(scope_name(SCOPE_PACE), "pace");
	assert_string_equal(scope_name(SCOPE_ACCOUNT), "account");
	assert_string_equal(scope_name(SCOPE_ENDPOINT), "endpoint");
	assert_string_equal(scope_name(SCOPE_CLOCK), "clock");
	assert_string_equal(stored_name(STORED_NO), "no");
	assert_string_equal(stored_name(STORED_MAYBE), "maybe");
	assert_string_equal(stored_name(STORED_YES), "yes");
}

/* One line of [codes] each, and what becomes of its row. */
static const struct {
	const char *name, *verdict;
	struct expected want;
} OVERRIDES[] = {
	{ "1017", "hold",
	    { VERDICT_HOLD, SCOPE_SERIES, LONE_HOLD, STORED_NO } },
	{ "1016", "hold",
	    { VERDICT_HOLD, SCOPE_NAMESPACE, LONE_HOLD, STORED_NO } },
	{ "1016", "isolate",
	    { VERDICT_ISOLATE, SCOPE_ROW, LONE_CONTRAST, STORED_NO } },
	{ "1016", "dead-letter",
	    { VERDICT_CHECK_ONE, SCOPE_NAMESPACE, LONE_DEAD, STORED_NO } },
	{ "1014", "dead-letter",
	    { VERDICT_CHECK_ONE, SCOPE_NAMESPACE, LONE_DEAD, STORED_NO } },
	{ "1015", "dead-letter",
	    { VERDICT_SPLIT, SCOPE_SIZE, LONE_DEAD, STORED_NO } },
	{ "1015", "split",
	    { VERDICT_SPLIT, SCOPE_SIZE, LONE_DEAD, STORED_NO } },
	{ "1017", "isolate",
	    { VERDICT_ISOLATE, SCOPE_SERIES, LONE_DEAD, STORED_NO } },
	{ "1017", "dead-letter",
	    { VERDICT_ISOLATE, SCOPE_SERIES, LONE_DEAD, STORED_NO } },
	{ "1013", "dead-letter",
	    { VERDICT_ISOLATE, SCOPE_ROW, LONE_DEAD, STORED_NO } },
	{ "1013", "isolate",
	    { VERDICT_ISOLATE, SCOPE_ROW, LONE_CONTRAST, STORED_NO } },
	{ "1003", "dead-letter",
	    { VERDICT_ISOLATE, SCOPE_ROW, LONE_DEAD, STORED_MAYBE } },
	{ "1003", "isolate",
	    { VERDICT_ISOLATE, SCOPE_ROW, LONE_CONTRAST, STORED_MAYBE } },
	{ "1004", "retry", { VERDICT_RETRY, SCOPE_ROW, LONE_SAME, STORED_NO } },
	{ "1020", "split",
	    { VERDICT_SPLIT, SCOPE_SIZE, LONE_CONTRAST, STORED_NO } },
	{ "1007", "throttle-requests",
	    { VERDICT_THROTTLE_REQUESTS, SCOPE_PACE, LONE_SAME, STORED_NO } },
	{ "1006", "throttle-rows",
	    { VERDICT_THROTTLE_ROWS, SCOPE_PACE, LONE_SAME, STORED_NO } },
	{ "1011", "resign",
	    { VERDICT_RESIGN, SCOPE_CLOCK, LONE_SAME, STORED_NO } },
	{ "1021", "hold", { VERDICT_HOLD, SCOPE_CLOCK, LONE_HOLD, STORED_NO } },
	{ "5400", "retry",
	    { VERDICT_RETRY, SCOPE_ENDPOINT, LONE_SAME, STORED_MAYBE } },
	{ "http_404", "retry",
	    { VERDICT_RETRY, SCOPE_ENDPOINT, LONE_SAME, STORED_NO } },
	{ "http-413", "hold",
	    { VERDICT_HOLD, SCOPE_SIZE, LONE_HOLD, STORED_NO } },
	{ "http_204", "dead-letter",
	    { VERDICT_ISOLATE, SCOPE_ROW, LONE_DEAD, STORED_MAYBE } },
	{ "http_204", "retry",
	    { VERDICT_RETRY, SCOPE_ENDPOINT, LONE_SAME, STORED_MAYBE } },
	{ "5300", "retry",
	    { VERDICT_RETRY, SCOPE_ENDPOINT, LONE_SAME, STORED_MAYBE } },
	{ "7777", "dead-letter",
	    { VERDICT_ISOLATE, SCOPE_ROW, LONE_DEAD, STORED_MAYBE } },
};

static struct config_code
line(const char *name, const char *verdict)
{
	struct config_code code = { { 0 }, { 0 } };

	snprintf(code.name, sizeof(code.name), "%s", name);
	snprintf(code.verdict, sizeof(code.verdict), "%s", verdict);
	return code;
}

static void
obeys_the_overrides(void **state)
{
	const struct disposition *row;
	struct dispositions *other;
	struct fault fault = { 0 };
	struct config_code code;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(OVERRIDES); i++) {
		code = line(OVERRIDES[i].name, OVERRIDES[i].verdict);
		other = dispositions_new(&code, 1, &fault);
		assert_non_null(other);
		row = disposition_find(other, OVERRIDES[i].name);
		if (row->verdict != OVERRIDES[i].want.verdict ||
		    row->scope != OVERRIDES[i].want.scope ||
		    row->lone != OVERRIDES[i].want.lone ||
		    row->stored != OVERRIDES[i].want.stored)
			fail_msg("%s = %s: got %s, %s, lone %d", code.name,
			    code.verdict, verdict_name(row->verdict),
			    scope_name(row->scope), (int)row->lone);
		check_innocence(row);
		assert_false(row->retry_first);
		assert_false(row->hold_after);
		dispositions_free(other);
	}
}

static void
changes_only_the_row_that_is_named(void **state)
{
	struct config_code codes[2];
	struct fault fault = { 0 };
	struct dispositions *other;
	const struct disposition *row;
	size_t i = 0, n;
	int status;
	char name[20];

	(void)state;
	codes[0] = line("http_404", "retry");
	codes[1] = line("1017", "hold");
	other = dispositions_new(codes, 2, &fault);
	assert_non_null(other);
	for (n = 0; disposition_at(table, n) != NULL; n++) {
		row = disposition_at(other, n);
		if (strcmp(row->name, "1017") != 0)
			assert_memory_equal(
			    row, disposition_at(table, n), sizeof(*row));
	}
	for (status = 100; status <= 599; status++) {
		snprintf(name, sizeof(name), "http-%d", status);
		if (status == 200)
			continue;
		assert_int_equal(disposition_find(other, name)->verdict !=
			disposition_find(table, name)->verdict,
		    status == 404);
		i++;
	}
	assert_int_equal(i, 499);
	row = disposition_at(other, n);
	assert_non_null(row);
	assert_string_equal(row->name, "http-404");
	assert_int_equal(row->verdict, VERDICT_RETRY);
	assert_null(disposition_at(other, n + 1));
	dispositions_free(other);
}

static void
judges_by_the_overrides(void **state)
{
	struct config_code codes[2];
	struct fault fault = { 0 };
	struct dispositions *other;
	struct answer answer = coded(1016);
	struct outcome outcome = {
		.request_size = SENT, .http_status = 200, .answer = &answer
	};

	(void)state;
	codes[0] = line("1016", "hold");
	codes[1] = line("http_503", "hold");
	other = dispositions_new(codes, 2, &fault);
	assert_int_equal(
	    disposition_judge(other, &outcome)->verdict, VERDICT_HOLD);
	assert_int_equal(
	    disposition_judge(table, &outcome)->verdict, VERDICT_CHECK_ONE);
	outcome.answer = NULL;
	outcome.http_status = 503;
	assert_int_equal(
	    disposition_judge(other, &outcome)->verdict, VERDICT_HOLD);
	assert_int_equal(
	    disposition_judge(table, &outcome)->verdict, VERDICT_RETRY);
	dispositions_free(other);
}

/* Codes that no document lists, and the others of their kind. */
static void
judges_an_unlisted_code_by_its_own_line(void **state)
{
	struct config_code codes[2];
	struct fault fault = { 0 };
	struct dispositions *other;
	struct answer answer = coded(7777);
	struct outcome outcome = {
		.request_size = SENT, .http_status = 200, .answer = &answer
	};
	const struct disposition *row;

	(void)state;
	codes[0] = line("7777", "hold");
	codes[1] = line("7777", "isolate"); /* the last one counts */
	other = dispositions_new(codes, 2, &fault);
	assert_non_null(other);
	row = disposition_judge(other, &outcome);
	assert_int_equal(row->verdict, VERDICT_ISOLATE);
	assert_string_equal(row->name, "7777");
	assert_int_equal(row->code, 7777);
	answer = coded(7778);
	row = disposition_judge(other, &outcome);
	assert_string_equal(row->name, "unknown-code");
	assert_true(row->hold_after);
	dispositions_free(other);
}

static void
keeps_the_details_of_a_verdict_that_stays(void **state)
{
	struct config_code codes[2];
	struct fault fault = { 0 };
	struct dispositions *other;

	(void)state;
	codes[0] = line("1004", "isolate");
	codes[1] = line("1008", "hold");
	other = dispositions_new(codes, 2, &fault);
	assert_true(disposition_find(other, "1004")->retry_first);
	assert_true(disposition_find(other, "1008")->slow_probe);
	dispositions_free(other);
}

static void
refuses_what_cannot_be_set(void **state)
{
	static const char *const LINES[][2] = { { "0", "retry" },
		{ "00", "retry" }, { "1234567", "retry" }, { "012", "retry" },
		{ "-1", "retry" }, { "", "retry" }, { "unknown-code", "retry" },
		{ "malformed", "hold" }, { "http-4xx", "hold" },
		{ "transfer-dns", "hold" }, { "http_200", "hold" },
		{ "http_600", "hold" }, { "http_", "hold" },
		{ "1017", "delivered" }, { "1017", "check-one" },
		{ "1017", "" }, { "1017", "Hold" }, { "1017", "hold " },
		{ "http_404", "dead" } };
	struct config_code codes[2];
	struct fault fault;
	size_t i;

	(void)state;
	codes[0] = line("1017", "hold");
	for (i = 0; i < LENGTH(LINES); i++) {
		memset(&fault, 0, sizeof(fault));
		codes[1] = line(LINES[i][0], LINES[i][1]);
		assert_null(dispositions_new(codes, 2, &fault));
		assert_int_equal(fault.kind, FAULT_BAD_CONFIG);
		assert_non_null(strstr(fault.message, LINES[i][0]));
		assert_string_equal(fault.field, LINES[i][0]);
		assert_string_not_equal(fault.hint, "");
		assert_null(dispositions_new(codes, 2, NULL));
	}
}

static void
proposes_the_verdict_that_was_meant(void **state)
{
	struct config_code code = line("1017", "dead-leter");
	struct fault fault = { 0 };

	(void)state;
	assert_null(dispositions_new(&code, 1, &fault));
	assert_string_equal(fault.hint, "1017 = dead-letter");
	code = line("1017", "xyzzyxyzzyxyzzy");
	assert_null(dispositions_new(&code, 1, &fault));
	assert_non_null(strstr(fault.hint, "throttle-requests"));
}

static void
frees_nothing_without_complaint(void **state)
{
	(void)state;
	dispositions_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_every_code_as_documented),
		cmocka_unit_test(takes_every_other_code_for_unknown),
		cmocka_unit_test(lets_a_known_code_decide_whatever_the_status),
		cmocka_unit_test(delivers_by_status_200_and_code_0_alone),
		cmocka_unit_test(judges_every_status_by_its_class),
		cmocka_unit_test(takes_200_without_an_answer_for_malformed),
		cmocka_unit_test(judges_failed_transfers_as_documented),
		cmocka_unit_test(judges_any_failed_transfer_by_what_was_sent),
		cmocka_unit_test(lists_its_rows_for_people),
		cmocka_unit_test(finds_rows_by_name),
		cmocka_unit_test(names_what_it_decides),
		cmocka_unit_test(obeys_the_overrides),
		cmocka_unit_test(changes_only_the_row_that_is_named),
		cmocka_unit_test(judges_by_the_overrides),
		cmocka_unit_test(judges_an_unlisted_code_by_its_own_line),
		cmocka_unit_test(keeps_the_details_of_a_verdict_that_stays),
		cmocka_unit_test(refuses_what_cannot_be_set),
		cmocka_unit_test(proposes_the_verdict_that_was_meant),
		cmocka_unit_test(frees_nothing_without_complaint),
	};

	return cmocka_run_group_tests(tests, open_table, close_table);
}
