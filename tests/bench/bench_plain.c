/* links: protocol base */
/*
 * bench_plain PORT METRICS: what the API's document shows: one signed request
 * a metric, one after the other, nothing stored.  Prints the seconds.
 */
#include "post.h"

int
main(int argc, char *argv[])
{
	struct curl_slist *headers = bench_headers();
	struct request request = { 0 };
	size_t metrics;
	double begun;
	char url[100];
	CURL *easy;

	bench_need(argc == 3, "usage");
	metrics = (size_t)atol(argv[2]);
	bench_url(url, sizeof(url), argv[1]);
	begun = bench_ms();
	easy = curl_easy_init();
	for (size_t i = 0; i < metrics; i++) {
		bench_build(&request, url, 1, i);
		bench_prepare_post(easy, headers, &request);
		bench_need(curl_easy_perform(easy) == CURLE_OK, "a request");
	}
	printf("%.4f\n", (bench_ms() - begun) / 1e3);
	curl_easy_cleanup(easy);
	curl_slist_free_all(headers);
	request_clear(&request);
	return 0;
}
