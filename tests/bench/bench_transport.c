/* links: protocol base */
/*
 * bench_transport PORT REQUESTS ROWS CONNECTIONS: the baseline of a drain into
 * a slow receiver: REQUESTS times the same body of ROWS rows, CONNECTIONS of
 * them out at any time, and no queue.  Prints the seconds.
 */
#include "post.h"

struct transport {
	CURLM *multi;
	struct curl_slist *headers;
	struct request request;
	long left;
};

static void
start(struct transport *transport, CURL *easy)
{
	if (transport->left == 0) {
		curl_easy_cleanup(easy);
		return;
	}
	transport->left--;
	bench_prepare_post(easy, transport->headers, &transport->request);
	bench_need(curl_multi_add_handle(transport->multi, easy) == CURLM_OK,
	    "curl_multi_add_handle");
}

static void
harvest(struct transport *transport)
{
	struct CURLMsg *message;
	CURL *easy;
	int left;

	while (
	    (message = curl_multi_info_read(transport->multi, &left)) != NULL) {
		bench_need(message->data.result == CURLE_OK, "a request");
		easy = message->easy_handle;
		curl_multi_remove_handle(transport->multi, easy);
		start(transport, easy);
	}
}

int
main(int argc, char *argv[])
{
	static struct transport transport;
	int connections, running;
	char url[100];
	double begun;

	bench_need(argc == 5, "usage");
	connections = atoi(argv[4]);
	transport.left = atol(argv[2]);
	bench_url(url, sizeof(url), argv[1]);
	bench_build(&transport.request, url, (size_t)atol(argv[3]), 0);
	transport.multi = curl_multi_init();
	transport.headers = bench_headers();
	begun = bench_ms();
	while (connections-- > 0)
		start(&transport, curl_easy_init());
	do {
		curl_multi_perform(transport.multi, &running);
		harvest(&transport);
		curl_multi_poll(transport.multi, NULL, 0, 1000, NULL);
		curl_multi_perform(transport.multi, &running);
	} while (running > 0 || transport.left > 0);
	printf("%.4f\n", (bench_ms() - begun) / 1e3);
	return 0;
}
