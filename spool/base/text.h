#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * A growing byte string, always NUL-terminated once anything was added.
 * Zero it ("struct text t = { 0 }") before use; text_free() when done.
 * A failed allocation is remembered in "failed"; later additions do nothing,
 * so a chain of calls is checked once, at the end.
 */
struct text {
	char *data; /* NULL until something was added */
	size_t len, size;
	bool failed;
};

void text_free(struct text *text);
/** Forget the content, keep the memory and clear "failed". */
void text_clear(struct text *text);
void text_add(struct text *text, const void *bytes, size_t len);
void text_adds(struct text *text, const char *string);
void text_addc(struct text *text, char c);
void text_addf(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void text_addv(struct text *text, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
/** Make room for ${more} further bytes.  Return 0, or -1. */
int text_reserve(struct text *text, size_t more);
/** The string, "" when nothing was added; owned by ${text}. */
const char *text_string(const struct text *text);

/**
 * text_add_json(text, string, len):
 * Add ${string} as a JSON string, quotes included.  UTF-8 goes through as it
 * is; quote, backslash and control characters are escaped.
 */
void text_add_json(struct text *text, const char *string, size_t len);

/**
 * text_add_escaped(text, bytes, len):
 * Add untrusted ${bytes} for people: printable UTF-8 as it is; C0, DEL, C1,
 * bidi and other format controls (U+200E/F, U+202A-E, U+2066-9, U+FEFF), and
 * broken UTF-8 as \xNN, byte by byte; a backslash as \\.  Never more than one
 * line.  The one escaper for all text from rows, files and the receiver.
 */
void text_add_escaped(struct text *text, const char *bytes, size_t len);

/** Room for one character as text_escape() writes it. */
#define TEXT_ESCAPED_SIZE 17

/**
 * text_escape(bytes, len, escaped):
 * Write the first character of ${bytes} (of which there is at least one) as
 * text_add_escaped() does.  Return how many bytes it takes in ${bytes}.
 */
size_t text_escape(
    const char *bytes, size_t len, char escaped[TEXT_ESCAPED_SIZE]);

/**
 * text_shown(buf, size, bytes, len):
 * As text_add_escaped(), into ${buf} of at least 4 bytes.  What does not fit is
 * cut off between two characters and "..." tells so.  Return ${buf}.
 */
const char *text_shown(char *buf, size_t size, const char *bytes, size_t len);

/**
 * text_utf8_bad(bytes, len):
 * Return the offset of the first byte that is not valid UTF-8 (overlong
 * forms, surrogates and values over U+10FFFF are not), or -1.
 */
ptrdiff_t text_utf8_bad(const char *bytes, size_t len);

/** Return the offset of the first control character (C0, DEL, C1 as UTF-8,
 * bidi controls) in valid UTF-8 ${bytes}, or -1. */
ptrdiff_t text_control(const char *bytes, size_t len);

/** Whether ${string} matches ${glob}, in which '*' is any run and '?' any one
 * character (UTF-8). */
bool text_glob(const char *glob, const char *string);

/** Whether ${string} matches any of ${globs}, joined by commas; "-" is the empty
 * string. */
bool text_globs(const char *globs, const char *string);

/** The word of ${words} (${count} of them; NULLs are skipped) nearest to ${word} by edits, or
 * NULL if none is near enough to be a slip. */
const char *text_nearest(
    const char *word, const char *const *words, size_t count);

/** A 64-bit hash of ${bytes}, going on from ${seed}; stable for ever, since
 * it is stored. */
uint64_t text_hash(const void *bytes, size_t len, uint64_t seed);

/** CRC-32 (IEEE, reflected) of ${bytes}. */
uint32_t text_crc32(const void *bytes, size_t len);

#endif
