/* links: forward; bench: spool world tls cutter cuttertls cuts */
/*
 * cut_every_byte: the connection is cut at each byte of a request and of its
 * answer, by FIN and by RST (contract.md C13); at some it falls silent
 * instead.  Rows must be delivered by whole answers alone, which come in three
 * kinds (their length told, in chunks, or ended by the close); and the table
 * attempt must name every request of which the server saw a byte, and no other
 * (C3, C6), so that none was resent unseen.
 */
#include <inttypes.h>
#include <stdio.h>

#include "bench/bench.h"
#include "bench/cuts.h"

#define STALL_EVERY 97 /* bytes */

static void
cut_all(void)
{
	int how, kind;

	for (how = 0; how < CUTTER_HOWS; how++) {
		size_t step = how == CUTTER_STALL ? STALL_EVERY : 1;

		cuts_requests((enum cutter_how)how, step);
		for (kind = 0; kind < CUTS_ANSWERS; kind++)
			cuts_answers(
			    (enum cutter_how)how, (enum cuts_answer)kind, step);
	}
}

static void
play(int rows, bool get)
{
	cuts_start(rows, get, NULL, NULL);
	cut_all();
	cuts_stop();
}

int
main(int argc, char **argv)
{
	static const int ROWS[] = { 1, 3, 20, 100, 400 };
	struct cuts_count count;
	int64_t sizes, i;

	bench_start(argc, argv);
	sizes = bench_count(3, sizeof(ROWS) / sizeof(ROWS[0]));
	cuts_set_up("cut_every_byte");
	for (i = 0; i < sizes; i++)
		play(ROWS[i], false);
	play(1, true);
	cuts_count(&count);
	printf("cut_every_byte: C13 C3, %" PRId64 " cuts: %" PRId64
	       " requests seen, as many attempts; %" PRId64
	       " whole answers, as many batches delivered, 0 rows died;"
	       " %.0f s CPU\n",
	    count.cuts, count.seen, count.whole, bench_cpu());
	cuts_tear_down();
	return 0;
}
