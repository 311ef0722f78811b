/*
 * A shop that reports its sales.  Each sale and its metric are one
 * transaction in the shop's own database; how the shop itself does goes
 * straight into the queue.
 *
 *   example QUEUE SHOP.DB SALES
 *
 * Every tenth sale is called off, and with it its metric.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include <monspool.h>

static void
fail(const char *what, const char *why, const char *hint)
{
	fprintf(stderr, "example: %s: %s\n", what, why);
	if (hint[0] != '\0')
		fprintf(stderr, "hint: %s\n", hint);
	exit(1);
}

static void
sql(sqlite3 *shop, const char *statement)
{
	if (sqlite3_exec(shop, statement, NULL, NULL, NULL) != SQLITE_OK)
		fail(statement, sqlite3_errmsg(shop), "");
}

static sqlite3 *
open_shop(const char *path)
{
	sqlite3 *shop;
	msp_error error;

	if (sqlite3_open(path, &shop) != SQLITE_OK)
		fail(path, sqlite3_errmsg(shop), "");
	sqlite3_busy_timeout(shop, 10000);
	sql(shop, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
	sql(shop, "CREATE TABLE IF NOT EXISTS sale (id INTEGER PRIMARY KEY)");
	if (msp_install(shop, &error) != MSP_OK)
		fail("install", error.message, error.hint);
	return shop;
}

/* The sale and its metric: both, or none. */
static void
sell(sqlite3 *shop, int number)
{
	char sale[24];
	const msp_dim dims[] = { { "sale", sale } };
	msp_metric metric = MSP_METRIC_INIT;
	msp_error error;

	sql(shop, "BEGIN IMMEDIATE; INSERT INTO sale DEFAULT VALUES");
	snprintf(sale, sizeof(sale), "%lld",
	    (long long)sqlite3_last_insert_rowid(shop));
	metric.ns = "shop";
	metric.metric = "sale";
	metric.dims = dims;
	metric.ndims = 1;
	metric.value = number;
	if (msp_put_on(shop, &metric, NULL, &error) != MSP_OK)
		fail("put on", error.message, error.hint);
	sql(shop, number % 10 == 9 ? "ROLLBACK" : "COMMIT");
}

/* Metrics of the shop itself; one of them is not fit to be sent. */
static void
report(msp_queue *queue, int sales)
{
	static const char *const NAMES[] = { "sales", "not a name", "tills" };
	msp_metric metrics[3];
	msp_status each[3];
	msp_error error;
	int64_t id;
	size_t i;

	for (i = 0; i < 3; i++) {
		msp_metric metric = MSP_METRIC_INIT;

		metric.ns = "shop";
		metric.metric = NAMES[i];
		metric.value = sales;
		metrics[i] = metric;
	}
	if (msp_put(queue, &metrics[0], &id, &error) != MSP_OK)
		fail("put", error.message, error.hint);
	if (msp_put_batch(queue, metrics, 3, MSP_SKIP_BAD, each, &error) !=
	    MSP_OK)
		fail("put batch", error.message, error.hint);
	printf("%s, %s, %s: %s\n", msp_strerror(each[0]), msp_strerror(each[1]),
	    msp_strerror(each[2]), error.message);
}

static msp_queue *
open_queue(const char *path)
{
	msp_open_opts options = MSP_OPEN_OPTS_INIT;
	msp_queue *queue;
	msp_error error;

	options.path = path;
	if (msp_open(&options, &queue, &error) == MSP_E_NOTFOUND &&
	    msp_create(&options, &error) == MSP_OK)
		msp_open(&options, &queue, &error);
	if (queue == NULL)
		fail(path, error.message, error.hint);
	return queue;
}

int
main(int argc, char **argv)
{
	msp_stats stats = MSP_STATS_INIT;
	msp_queue *queue;
	sqlite3 *shop;
	msp_error error;
	int sale;

	if (argc != 4 || !msp_check_version()) {
		fprintf(stderr, "usage: example QUEUE SHOP.DB SALES\n");
		return 64;
	}
	queue = open_queue(argv[1]);
	shop = open_shop(argv[2]);
	for (sale = 0; sale < atoi(argv[3]); sale++) {
		sell(shop, sale);
		msp_wake(argv[1]);
	}
	report(queue, sale);
	if (msp_stats_get(queue, &stats, &error) != MSP_OK)
		fail("stats", error.message, error.hint);
	printf("libmonspool %s: %" PRId64 " accepted, %" PRId64 " pending\n",
	    msp_version_string(), stats.accepted, stats.pending);
	msp_close(queue);
	sqlite3_close(shop);
	return 0;
}
