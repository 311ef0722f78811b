#ifndef BASE_CONFIG_TABLE_H
#define BASE_CONFIG_TABLE_H

#include <stddef.h>

#include "config.h"

/* How a key's text is read and written. */
enum config_type {
	CONFIG_TEXT, /* any text that fits; room is in "most" */
	CONFIG_WHOLE,
	CONFIG_BYTES,
	CONFIG_SPAN,   /* a duration, milliseconds */
	CONFIG_RANGE,  /* two durations; the second stands behind the first */
	CONFIG_NUMBER, /* a number that may have a fraction */
	CONFIG_RATE,   /* "50/s" */
	CONFIG_BRAKE,  /* "1000/10m": a count, and a span behind it */
	CONFIG_YES_NO,
	CONFIG_WORD, /* one of "words"; stored as an int */
	CONFIG_EITHER, /* one of two "words"; stored as a bool, the second is true */
	CONFIG_REGION,
	CONFIG_URL,
	CONFIG_SECRET_ID,
	CONFIG_SIGN_PATH,
	CONFIG_LISTEN /* a loopback ADDR:PORT, or empty */
};

/* One key: how help tells it, and where and how its value is kept. */
struct config_entry {
	struct config_key shown;
	enum config_type type;
	size_t offset; /* in the section's struct, or in struct config */
	int64_t least, most;
	const char *const *words; /* CONFIG_WORD; ended by NULL */
	const char *inert;        /* only this value has no effect yet */
};

/** The table behind config_keys(), ended by a row whose section is NULL. */
extern const struct config_entry CONFIG_ENTRIES[];

#endif
