#include "forwarder_state.h"

#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/fault.h"
#include "housekeeping.h"
#include "http.h"
#include "outboxes.h"
#include "queue/db.h"
#include "queue/setting.h"
#include "settings.h"

void
reload_set_log(const struct forwarder *forwarder)
{
	int level = forwarder->settings->config.forwarder.log_level +
	    forwarder->options->verbose;

	if (level < LOG_ERROR)
		level = LOG_ERROR;
	if (level > LOG_DEBUG)
		level = LOG_DEBUG;
	log_to(
	    STDERR_FILENO, forwarder->options->log_form, (enum log_level)level);
}

/* One line of the log for something about a configuration file. */
static void
log_fault(enum log_level level, const char *event, const struct fault *fault)
{
	char message[300], file[200];

	log_event(level, event, "file=%s line=%ld message=%s",
	    log_text(file, sizeof(file), fault->file), fault->line,
	    log_reason(message, sizeof(message), fault));
}

void
reload_log_warnings(const struct settings *settings)
{
	size_t i;

	for (i = 0; i < settings->found.warning_count; i++)
		log_fault(
		    LOG_WARN, "config_warning", &settings->found.warnings[i]);
}

/* Read everything anew, or log what is wrong with it. */
static struct settings *
read_anew(const struct forwarder *forwarder)
{
	const struct forwarder_options *options = forwarder->options;
	struct fault fault = { 0 };
	struct settings *settings;
	size_t i;

	settings = settings_read(options->config_file, options->queue, &fault);
	if (settings != NULL && settings->credentials != NULL) {
		settings_slow(settings, options->rate);
		return settings;
	}
	if (settings == NULL || settings->found.problem_count == 0)
		log_fault(LOG_ERROR, "reload_failed", &fault);
	else
		for (i = 0; i < settings->found.problem_count; i++)
			log_fault(LOG_ERROR, "reload_failed",
			    &settings->found.problems[i]);
	settings_free(settings);
	return NULL;
}

/* Writers go by the copy in the queue.  Its bound is theirs alone: a full
 * queue must still be drained. */
void
reload_publish(struct forwarder *forwarder)
{
	const struct config *config = &forwarder->settings->config;
	char text[300];

	bool said = forwarder->unpublished;

	db_set_busy_timeout(forwarder->db, config->queue.busy_timeout_ms);
	forwarder->unpublished = setting_store(forwarder->db, config) != 0;
	if (forwarder->unpublished && !said)
		log_event(LOG_WARN, "settings_not_stored", "error=%s",
		    log_reason(text, sizeof(text), db_fault(forwarder->db)));
}

int
reload_outboxes(struct forwarder *forwarder)
{
	const struct config *config = &forwarder->settings->config;
	struct outboxes *outboxes = outboxes_new(config);

	if (outboxes == NULL)
		return -1;
	outboxes_free(forwarder->outboxes);
	forwarder->outboxes = outboxes;
	while (outboxes_fetch(outboxes))
		if (forwarder->options->mode == CORE_RUN)
			break; /* the loop goes on with it */
	outboxes_watch(outboxes, forwarder->loop, forwarder->bell,
	    config->forwarder.idle_poll_ms);
	return 0;
}

/* Put ${settings} in force; the core no longer uses the old ones. */
static void
replace_settings(struct forwarder *forwarder, struct settings *settings)
{
	struct settings *old = forwarder->settings;

	if (strcmp(settings->config.queue.path, old->config.queue.path) != 0)
		log_event(LOG_WARN, "reload_partial",
		    "message=\"another queue.path needs a restart\"");
	memcpy(settings->config.queue.path, old->config.queue.path,
	    sizeof(old->config.queue.path));
	forwarder->settings = settings;
	settings_free(old);
	http_configure(forwarder->http, &settings->config.receiver);
	housekeeping_configure(forwarder->housekeeping, &settings->config);
	reload_set_log(forwarder);
	turn_set_poll(forwarder);
	reload_publish(forwarder);
	if (reload_outboxes(forwarder))
		log_event(LOG_WARN, "reload_partial",
		    "message=\"the outboxes are those of before\"");
}

void
reload(struct forwarder *forwarder)
{
	struct fault fault = { 0 };
	struct settings *settings;
	char text[300];

	if ((settings = read_anew(forwarder)) == NULL)
		return;
	if (core_reload(forwarder->core, &settings->config,
		settings->credentials, &fault)) {
		log_fault(LOG_ERROR, "reload_failed", &fault);
		settings_free(settings);
		return;
	}
	replace_settings(forwarder, settings);
	reload_log_warnings(settings);
	log_event(LOG_INFO, "reloaded", "endpoint=%s",
	    log_text(text, sizeof(text), settings->config.receiver.url));
}

void
reload_retry(struct forwarder *forwarder)
{
	struct settings *settings = forwarder->settings;
	struct fault fault = { 0 };

	if (core_reload(forwarder->core, &settings->config,
		settings->credentials, &fault))
		log_fault(LOG_ERROR, "retry_failed", &fault);
	else {
		core_hurry(forwarder->core);
		log_event(LOG_INFO, "retrying", "lanes=all");
	}
}
