#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "base/text.h"
#include "core_state.h"
#include "forwarder.h"
#include "forwarder_state.h"
#include "lane.h"
#include "queue/db.h"
#include "queue/queue.h"
#include "settings.h"

#define MASK "***"

/* The world of a preview: a transport that shows what it is given. */
struct showing {
	forwarder_show *show;
	void *cookie;
};

/* Mask what stands between the first ${before} and the ${end} after it; both
 * come before anything that writers chose. */
static void
mask(struct text *text, const char *before, char end)
{
	struct text masked = { 0 };
	const char *string = text_string(text), *from, *to;

	if ((from = strstr(string, before)) == NULL)
		return;
	from += strlen(before);
	if ((to = strchr(from, end)) == NULL)
		to = from + strlen(from);
	text_add(&masked, string, (size_t)(from - string));
	text_adds(&masked, MASK);
	text_adds(&masked, to);
	text_free(text);
	*text = masked;
}

static void
show_request(const struct showing *showing, const struct lane *lane,
    const struct request *request)
{
	struct text url = { 0 }, body = { 0 };
	struct forwarder_preview preview = { .ns = lane->row.ns,
		.region = lane->row.region,
		.account = lane->row.account,
		.method = request->get ? "GET" : "POST",
		.rows = request->rows,
		.bytes = request->bytes };

	text_add(&url, request->url.data, request->url.len);
	text_add(&body, request->body.data, request->body.len);
	mask(&url, "SecretId=", '&');
	mask(&url, "Signature=", '&');
	mask(&body, "\"SecretId\":\"", '"');
	mask(&body, "\"Signature\":\"", '"');
	preview.url = text_string(&url);
	preview.body = text_string(&body);
	showing->show(showing->cookie, &preview);
	text_free(&url);
	text_free(&body);
}

struct flight {
	char never_lands;
};

static struct flight *
post(void *cookie, const struct request *request, reply_fn *done, void *owner)
{
	static struct flight flight;
	const struct trip *trip = owner;

	(void)done;
	show_request(cookie, trip->lane, request);
	return &flight;
}

static void
cancel(void *cookie, struct flight *flight)
{
	(void)cookie;
	(void)flight;
}

static int
preview(const struct forwarder_options *options, struct db *db,
    const struct settings *settings, struct showing *showing,
    struct fault *fault)
{
	struct forwarder clocks = { .http = NULL };
	struct world world;
	struct core *core;

	turn_make_world(&clocks);
	world = clocks.world; /* its clocks ask for no cookie */
	world.cookie = showing;
	world.post = post;
	world.cancel = cancel;
	core = core_new(&world, db, &settings->config, settings->credentials,
	    CORE_PREVIEW, fault);
	if (core == NULL)
		return -1;
	core_bound(core, &options->bounds);
	core_preview(core);
	core_free(core);
	return 0;
}

int
forwarder_print(const struct forwarder_options *options, forwarder_show *show,
    void *cookie, struct fault *fault)
{
	struct showing showing = { .show = show, .cookie = cookie };
	struct settings *settings;
	struct config copy;
	struct db *db = NULL;
	int failed = -1;

	log_to(-1, LOG_PLAIN, LOG_ERROR);
	settings = settings_read(options->config_file, options->queue, fault);
	if (settings == NULL || settings->credentials == NULL)
		goto free;
	settings_slow(settings, options->rate);
	db = queue_open(
	    settings->config.queue.path, DB_READER, -1, &copy, fault);
	if (db != NULL)
		failed = preview(options, db, settings, &showing, fault);
free:
	db_close(db);
	settings_free(settings);
	return failed;
}
