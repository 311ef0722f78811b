#include "profile.h"

#include <stdbool.h>
#include <string.h>

#include "vault.h"

/* A piece of the file. */
struct piece {
	const char *start;
	size_t len;
};

static struct piece
trimmed(const char *start, size_t len)
{
	struct piece piece = { start, len };

	while (piece.len > 0 && vault_blank((unsigned char)*piece.start)) {
		piece.start++;
		piece.len--;
	}
	while (piece.len > 0 &&
	    vault_blank((unsigned char)piece.start[piece.len - 1]))
		piece.len--;
	return piece;
}

static bool
is(struct piece piece, const char *word)
{
	return piece.len == strlen(word) &&
	    memcmp(piece.start, word, piece.len) == 0;
}

/* Read "secret_id = ..." and "secret_key = ..." off one line. */
static void
read_pair(struct piece line, struct profile *profile)
{
	const char *equals = memchr(line.start, '=', line.len);
	struct piece name, value;
	size_t before;

	if (equals == NULL)
		return;
	before = (size_t)(equals - line.start);
	name = trimmed(line.start, before);
	value = trimmed(equals + 1, line.len - before - 1);
	if (is(name, "secret_id")) {
		profile->id = value.start;
		profile->id_len = value.len;
	} else if (is(name, "secret_key")) {
		profile->key = value.start;
		profile->key_len = value.len;
	}
}

void
profile_read(const struct vault *file, struct profile *profile)
{
	const char *at = (const char *)file->bytes, *end = at + file->len;
	const char *stop;
	struct piece line;
	bool ours = false;

	*profile = (struct profile){ .id = "" };
	for (; at < end; at = stop + 1) {
		stop = memchr(at, '\n', (size_t)(end - at));
		if (stop == NULL)
			stop = end;
		line = trimmed(at, (size_t)(stop - at));
		if (line.len == 0 || strchr("#;", line.start[0]) != NULL)
			continue;
		if (line.start[0] == '[')
			ours = is(line, "[default]");
		else if (ours)
			read_pair(line, profile);
	}
}
