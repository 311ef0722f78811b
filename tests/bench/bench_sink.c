/* links: base */
/*
 * bench_sink PORT_FILE [DELAY_MS SERVERS]: answers 0 to everything until TERM,
 * then prints the rows it was sent.  An answer takes DELAY_MS; SERVERS
 * requests are worked on at a time.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>

#include "sink.h"

static atomic_llong total;
static struct timespec delay;
static int sink;

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

static void
serve(int client, char *text)
{
	if (sink_read(client, text) == 0) {
		close(client);
		return;
	}
	total += count_rows(text);
	if (delay.tv_sec > 0 || delay.tv_nsec > 0)
		nanosleep(&delay, NULL);
	sink_answer(client);
}

static void *
serve_all(void *unused)
{
	char *text = malloc(SINK_ROOM);
	int client;

	(void)unused;
	bench_need(text != NULL, "memory");
	for (;;)
		if ((client = accept(sink, NULL, NULL)) != -1)
			serve(client, text);
	return NULL;
}

int
main(int argc, char *argv[])
{
	int servers = 1, number;
	pthread_t thread;
	sigset_t term;

	bench_need(argc == 2 || argc == 4, "usage");
	if (argc == 4) {
		delay.tv_sec = atol(argv[2]) / 1000;
		delay.tv_nsec = atol(argv[2]) % 1000 * 1000000;
		servers = atoi(argv[3]);
	}
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &term, NULL);
	sink = sink_listen(argv[1]);
	while (servers-- > 0)
		bench_need(pthread_create(&thread, NULL, serve_all, NULL) == 0,
		    "a thread");
	sigwait(&term, &number);
	printf("%lld\n", (long long)total);
	return 0;
}
