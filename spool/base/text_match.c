#include "text.h"

#include <string.h>

static const char *
next_character(const char *string)
{
	string++;
	while (((unsigned char)*string & 0xc0) == 0x80)
		string++;
	return string;
}

bool
text_glob(const char *glob, const char *string)
{
	const char *star = NULL, *resume = NULL;

	while (*string != '\0') {
		if (*glob == '*') {
			star = glob++;
			resume = string;
		} else if (*glob == '?') {
			glob++;
			string = next_character(string);
		} else if (*glob == *string) {
			glob++;
			string++;
		} else if (star != NULL) {
			glob = star + 1;
			string = resume = next_character(resume);
		} else
			return false;
	}
	while (*glob == '*')
		glob++;
	return *glob == '\0';
}

/* Copy the next word of a list joined by commas; NULL at its end. */
static const char *
next_glob(const char *list, struct text *word)
{
	size_t len = strcspn(list, ",");

	text_clear(word);
	text_add(word, list, len);
	return list[len] == ',' ? list + len + 1 : NULL;
}

bool
text_globs(const char *globs, const char *string)
{
	struct text word = { 0 };
	bool matches = false;

	while (globs != NULL && !matches) {
		globs = next_glob(globs, &word);
		if (strcmp(text_string(&word), "-") == 0)
			matches = string[0] == '\0';
		else
			matches = text_glob(text_string(&word), string);
	}
	text_free(&word);
	return matches;
}

#define WORD_MOST 64

static size_t
least_of(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edits (insert, delete, replace, swap of neighbours) between two words. */
static size_t
distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][WORD_MOST + 1], i, j;
	size_t *older = rows[0], *old = rows[1], *now = rows[2], *spare;

	for (j = 0; j <= b_len; j++)
		old[j] = j;
	for (i = 1; i <= a_len; i++) {
		now[0] = i;
		for (j = 1; j <= b_len; j++) {
			now[j] = old[j - 1] + (a[i - 1] != b[j - 1]);
			now[j] = least_of(now[j], old[j] + 1);
			now[j] = least_of(now[j], now[j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				now[j] = least_of(now[j], older[j - 2] + 1);
		}
		spare = older;
		older = old;
		old = now;
		now = spare;
	}
	return old[b_len];
}

const char *
text_nearest(const char *word, const char *const *words, size_t count)
{
	size_t len = strlen(word), other, edits, best, i;
	const char *nearest = NULL;

	if (len == 0 || len > WORD_MOST)
		return NULL;
	best = len == 1 ? 0 : 1 + len / 4; /* or any letter would do */
	for (i = 0; i < count; i++) {
		if (words[i] == NULL)
			continue;
		other = strlen(words[i]);
		if (other > WORD_MOST)
			continue;
		edits = distance(word, len, words[i], other);
		if (edits > best || (nearest != NULL && edits == best))
			continue;
		best = edits;
		nearest = words[i];
	}
	return nearest;
}
