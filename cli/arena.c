#include "arena.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

/* Pages that no line ever needs are never touched, and so cost nothing. */
#define ARENA_SIZE ((size_t)8 * 1024 * 1024)
#define ALIGNMENT sizeof(max_align_t)

static union {
	max_align_t align;
	unsigned char bytes[ARENA_SIZE];
} arena;
static size_t used;
static bool exhausted;

static void *
arena_take(size_t size)
{
	size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	void *taken;

	if (rounded < size || rounded > ARENA_SIZE - used) {
		exhausted = true;
		return NULL;
	}
	taken = arena.bytes + used;
	used += rounded;
	return taken;
}

static void
arena_give(void *memory)
{
	(void)memory;
}

void
arena_install(void)
{
	cJSON_Hooks hooks = { .malloc_fn = arena_take, .free_fn = arena_give };

	cJSON_InitHooks(&hooks);
}

void
arena_reset(void)
{
	used = 0;
	exhausted = false;
}

bool
arena_exhausted(void)
{
	return exhausted;
}
