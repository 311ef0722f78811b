/* links: base */
/*
 * bench_sink PORT_FILE: answers 0 to everything until TERM, then prints the
 * rows it was sent.
 */
#include <signal.h>
#include <stdint.h>

#include "sink.h"

static volatile sig_atomic_t ended;

static void
on_term(int number)
{
	(void)number;
	ended = 1;
}

static int64_t
count_rows(const char *text)
{
	static const char MARK[] = "\"metricName\"";
	int64_t rows = 0;

	while ((text = strstr(text, MARK)) != NULL) {
		rows++;
		text += sizeof(MARK) - 1;
	}
	return rows;
}

int
main(int argc, char *argv[])
{
	struct sigaction action = { .sa_handler = on_term };
	char *text = malloc(SINK_ROOM);
	int64_t rows = 0;
	int sink, client;

	bench_need(argc == 2 && text != NULL, "usage");
	sigaction(SIGTERM, &action, NULL); /* no SA_RESTART: accept() ends */
	sink = sink_listen(argv[1]);
	while (!ended) {
		if ((client = accept(sink, NULL, NULL)) == -1)
			continue;
		if (sink_read(client, text) == 0) {
			close(client);
			continue;
		}
		sink_answer(client);
		rows += count_rows(text);
	}
	printf("%lld\n", (long long)rows);
	free(text);
	return 0;
}
