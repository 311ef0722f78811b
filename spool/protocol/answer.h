#ifndef PROTOCOL_ANSWER_H
#define PROTOCOL_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#define ANSWER_MESSAGE 257

/** A reply's body, read strictly (protocol.md section 7). */
struct answer {
	bool well_formed; /* one JSON object to its last byte, one code in it */
	int code;         /* 0 to 999999 when well formed, else -1 */
	char message[ANSWER_MESSAGE]; /* escaped; "" when there was none */
	char fault[64];               /* why it is not well formed, else "" */
};

/** Read ${len} bytes of a body, whatever they are, into ${answer}. */
void answer_read(struct answer *answer, const char *body, size_t len);

#endif
