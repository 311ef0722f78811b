#include "entry_rule.h"

#include <stddef.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"

/* Characters before byte ${at}, and one: what a person counts. */
static long
position(const char *string, size_t at)
{
	long count = 1;
	size_t i;

	for (i = 0; i < at; i++)
		if (((unsigned char)string[i] & 0xc0) != 0x80)
			count++;
	return count;
}

/* The character at ${at}, escaped, into ${buf}. */
static const char *
offender(char *buf, size_t size, const char *string, size_t at)
{
	struct text text = { 0 };
	size_t len = 1;

	while (((unsigned char)string[at + len] & 0xc0) == 0x80)
		len++;
	text_add_escaped(&text, string + at, len);
	buf[0] = '\0';
	if (!text.failed && text.len < size)
		memcpy(buf, text.data, text.len + 1);
	text_free(&text);
	return buf;
}

static int
refuse(struct fault *fault, const struct entry_rule *rule)
{
	fault_field(fault, rule->field);
	return -1;
}

static int
check_bytes(
    const char *string, const struct entry_rule *rule, struct fault *fault)
{
	size_t len = strlen(string);
	ptrdiff_t at;
	char shown[32];

	if (len == 0 && !rule->may_be_empty) {
		fault_set(fault, rule->kind, "%s is empty", rule->noun);
		fault_hint(fault, "give it at least one character");
		return refuse(fault, rule);
	}
	if ((at = text_utf8_bad(string, len)) != -1) {
		fault_set(fault, FAULT_BAD_UTF8,
		    "%s is not valid UTF-8 at byte %td", rule->noun, at + 1);
		fault_hint(
		    fault, "convert the input: iconv -f LATIN1 -t UTF-8");
		return refuse(fault, rule);
	}
	if ((at = text_control(string, len)) == -1)
		return 0;
	fault_set(fault, rule->kind,
	    "%s has the control character %s at"
	    " position %ld",
	    rule->noun, offender(shown, sizeof(shown), string, (size_t)at),
	    position(string, (size_t)at));
	fault_hint(fault, "remove it: the receiver takes plain text only");
	return refuse(fault, rule);
}

/* Offer ${string} with every character that is not in the set as '_'. */
static void
hint_set(const char *string, const struct entry_rule *rule, struct fault *fault)
{
	char tame[128];
	size_t at, len = 0;

	for (at = 0; string[at] != '\0' && len < sizeof(tame) - 1; at++) {
		if (((unsigned char)string[at] & 0xc0) == 0x80)
			continue;
		tame[len] = string[at];
		if (!rule->set_holds((unsigned char)string[at]))
			tame[len] = rule->set_holds('_') ? '_' : '-';
		len++;
	}
	tame[len] = '\0';
	fault_hint(fault, "write \"%s\"", tame);
}

static int
check_set(
    const char *string, const struct entry_rule *rule, struct fault *fault)
{
	char shown[32];
	size_t at;

	if (rule->set == NULL)
		return 0;
	for (at = 0; string[at] != '\0'; at++)
		if (!rule->set_holds((unsigned char)string[at]))
			break;
	if (string[at] == '\0')
		return 0;
	fault_set(fault, rule->kind, "%s has \"%s\" at position %ld (%s only)",
	    rule->noun, offender(shown, sizeof(shown), string, at),
	    position(string, at), rule->set);
	hint_set(string, rule, fault);
	return refuse(fault, rule);
}

static int
check_length(
    const char *string, const struct entry_rule *rule, struct fault *fault)
{
	size_t len = strlen(string);

	if (rule->most <= 0 || len <= (size_t)rule->most)
		return 0;
	fault_set(fault, FAULT_TOO_LONG, "%s has %zu bytes (at most %lld)",
	    rule->noun, len, (long long)rule->most);
	if (rule->key != NULL)
		fault_hint(fault,
		    "shorten it, or raise [checks] %s if the receiver takes it",
		    rule->key);
	else
		fault_hint(fault, "shorten it");
	return refuse(fault, rule);
}

int
entry_rule_check(
    const char *string, const struct entry_rule *rule, struct fault *fault)
{
	if (string == NULL) {
		fault_set(
		    fault, FAULT_MISSING_MEMBER, "%s is missing", rule->noun);
		fault_hint(fault, "every row needs one: add it");
		return refuse(fault, rule);
	}
	return check_bytes(string, rule, fault) ||
		check_set(string, rule, fault) ||
		check_length(string, rule, fault)
	    ? -1
	    : 0;
}
