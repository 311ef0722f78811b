#include "settings.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "key.h"

static void
override_queue(struct config *config, const char *queue)
{
	snprintf(config->queue.path, sizeof(config->queue.path), "%s", queue);
}

struct settings *
settings_read(const char *file, const char *queue, struct fault *fault)
{
	struct settings *settings = calloc(1, sizeof(*settings));
	char path[CONFIG_PATH];

	if (settings == NULL) {
		fault_set(fault, FAULT_INTERNAL, "out of memory");
		return NULL;
	}
	if (configfile_find(file, path, sizeof(path), fault)) {
		free(settings);
		return NULL;
	}
	if (configfile_read(path, &settings->config, &settings->found)) {
		*fault = settings->found.problems[0];
		return settings;
	}
	if (queue != NULL)
		override_queue(&settings->config, queue);
	settings->credentials = credentials_load(&settings->config, fault);
	return settings;
}

void
settings_slow(struct settings *settings, double per_second)
{
	struct config_rate *rate = &settings->config.rate;

	if (per_second <= 0 ||
	    (rate->requests_per_second > 0 &&
		rate->requests_per_second <= per_second))
		return;
	rate->requests_per_second = per_second;
	if (rate->burst > per_second)
		rate->burst = per_second > 1 ? per_second : 1;
}

void
settings_free(struct settings *settings)
{
	if (settings == NULL)
		return;
	credentials_free(settings->credentials);
	free(settings);
}
