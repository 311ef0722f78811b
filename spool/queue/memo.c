#include "memo.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Slots a text may have, from that of its hash on. */
#define PROBES 4
/* Texts together; beyond it all are forgotten. */
#define BYTES_MOST (4u << 20)

struct memo_text {
	uint64_t hash;
	size_t len;
	char *bytes; /* NULL: the slot is free */
};

struct memo {
	size_t bytes;
	struct memo_text slots[MEMO_SLOTS];
};

struct memo *
memo_new(void)
{
	return calloc(1, sizeof(struct memo));
}

void
memo_free(struct memo *memo)
{
	if (memo != NULL)
		memo_clear(memo);
	free(memo);
}

void
memo_clear(struct memo *memo)
{
	int slot;

	for (slot = 0; slot < MEMO_SLOTS && memo->bytes > 0; slot++)
		memo_forget(memo, slot);
}

static bool
holds(const struct memo_text *slot, const void *text, size_t len, uint64_t hash)
{
	return slot->bytes != NULL && slot->hash == hash && slot->len == len &&
	    memcmp(slot->bytes, text, len) == 0;
}

/* The slot that ${text} has or, if there is none, may take. */
static int
probe(const struct memo *memo, const void *text, size_t len, uint64_t hash)
{
	int first = (int)(hash % MEMO_SLOTS), taken = -1, slot, i;

	for (i = 0; i < PROBES; i++) {
		slot = (first + i) % MEMO_SLOTS;
		if (holds(&memo->slots[slot], text, len, hash))
			return slot;
		if (taken == -1 && memo->slots[slot].bytes == NULL)
			taken = slot;
	}
	return taken == -1 ? first : taken;
}

int
memo_slot(struct memo *memo, const void *text, size_t len, bool *known)
{
	uint64_t hash = text_hash(text, len, 0);
	int slot = probe(memo, text, len, hash);
	struct memo_text *taken = &memo->slots[slot];

	if ((*known = holds(taken, text, len, hash)))
		return slot;
	if (memo->bytes + len > BYTES_MOST)
		memo_clear(memo);
	memo_forget(memo, slot);
	if ((taken->bytes = malloc(len + 1)) == NULL)
		return -1;
	memcpy(taken->bytes, text, len);
	taken->hash = hash;
	taken->len = len;
	memo->bytes += len + 1;
	return slot;
}

void
memo_forget(struct memo *memo, int slot)
{
	struct memo_text *text = &memo->slots[slot];

	if (text->bytes == NULL)
		return;
	free(text->bytes);
	text->bytes = NULL;
	memo->bytes -= text->len + 1;
}
