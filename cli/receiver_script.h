#ifndef RECEIVER_SCRIPT_H
#define RECEIVER_SCRIPT_H

#include <stddef.h>
#include <stdint.h>

struct fault;
struct mishaps;

/** Faults that come and go by the clock.  Zero it before use. */
struct script {
	struct script_step *steps; /* in the order of their times */
	size_t count, next;
	int64_t began_ms; /* steady */
};

/**
 * script_read(script, path, fault):
 * Read ${path} in place of what there was: "+12s FAULT" adds a fault at that
 * time, "+20s clear" ends all there are, one a line; '#' begins a comment.
 * Return 0, or -1 with ${fault} (FAULT_BAD_CONFIG with its line, or the file's);
 * then ${script} is as it was.
 */
int script_read(struct script *script, const char *path, struct fault *fault);
void script_free(struct script *script);

/** Begin with its first step. */
void script_start(struct script *script, int64_t now_ms);
/** Take the steps whose time has come. */
void script_turn(
    struct script *script, struct mishaps *mishaps, int64_t now_ms);
/** When the next one's comes, steady; -1: there is none. */
int64_t script_next_ms(const struct script *script);

#endif
