/* links: forward; bench: spool world tls cutter cuttertls cuts */
/*
 * cut_tls: as cut_every_byte, by TLS 1.2 and 1.3: the connection is cut at
 * bytes of the wire, of the handshake, of a request and of its answer
 * (contract.md C13), whole handshakes and those that resume a session.  What
 * came without the end of its record is no answer.  The plain run cuts at some
 * bytes, torture at each.
 */
#include <inttypes.h>
#include <stdio.h>

#include "bench/bench.h"
#include "bench/cuts.h"
#include "bench/tls.h"

#define STEP 7
#define STALL_STEP 797

static void
cut_all(size_t step, size_t stall_step)
{
	int how, kind;

	for (how = 0; how < CUTTER_HOWS; how++) {
		size_t by = how == CUTTER_STALL ? stall_step : step;

		cuts_requests((enum cutter_how)how, by);
		for (kind = 0; kind < CUTS_ANSWERS; kind++)
			cuts_answers(
			    (enum cutter_how)how, (enum cuts_answer)kind, by);
	}
}

static void
play(int rows, bool newest, bool resumes)
{
	struct tls_server *server;
	char path[128];
	bool torture = bench_torture();

	cuts_path("ca.pem", path);
	server = tls_server_new(path, newest, resumes);
	cuts_start(rows, false, server, path);
	cut_all(torture ? 1 : STEP, torture ? STEP : STALL_STEP);
	cuts_stop();
	tls_server_free(server);
}

int
main(int argc, char **argv)
{
	struct cuts_count count;

	bench_start(argc, argv);
	cuts_set_up("cut_tls");
	play(1, false, false);
	play(1, false, true);
	play(20, true, false);
	play(1, true, true);
	cuts_count(&count);
	printf("cut_tls: C13 C3, %" PRId64 " cuts: %" PRId64
	       " requests seen, %" PRId64 " attempts; %" PRId64
	       " whole answers, as many batches delivered, 0 rows died;"
	       " %.0f s CPU\n",
	    count.cuts, count.seen, count.attempts, count.whole, bench_cpu());
	cuts_tear_down();
	return 0;
}
