#ifndef QUEUE_CELL_H
#define QUEUE_CELL_H

#include <stddef.h>
#include <string.h>

#include "db.h"

/** Copy a column's text into ${buf}, cut at a character where it does not
 * fit; "" for NULL. */
static inline void
cell_copy(char *buf, size_t size, struct sqlite3_stmt *stmt, int column)
{
	const char *text = db_column_text(stmt, column);
	size_t len = strlen(text);

	if (len >= size)
		for (len = size - 1; len > 0; len--)
			if (((unsigned char)text[len] & 0xc0) != 0x80)
				break;
	memcpy(buf, text, len);
	buf[len] = '\0';
}

/** ${text}, or NULL where it is empty: so is a text told that may be NULL. */
static inline const char *
cell_or_null(const char *text)
{
	return text[0] == '\0' ? NULL : text;
}

#endif
