#include "config_environment.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define PREFIX "MONSPOOL_"
#define QUEUE "MONSPOOL_QUEUE"
#define CODES "MONSPOOL_CODES_"
#define KEYS_MOST 96

extern char **environ;

void
config_environment_name(
    const char *section, const char *key, char name[CONFIG_NAME])
{
	size_t i;

	snprintf(name, CONFIG_NAME, PREFIX "%s_%s", section, key);
	for (i = 0; name[i] != '\0'; i++)
		name[i] = (char)toupper((unsigned char)name[i]);
}

int
config_environment_find(
    const char *section, const char *key, char name[CONFIG_NAME])
{
	const char *queue = getenv(QUEUE);

	config_environment_name(section, key, name);
	if (queue != NULL && queue[0] != '\0' &&
	    strcmp(name, QUEUE "_PATH") == 0)
		snprintf(name, CONFIG_NAME, "%s", QUEUE);
	return getenv(name) != NULL ? 0 : -1;
}

/* The key that the variable ${name} sets, or NULL. */
static const struct config_key *
key_of(const char *name)
{
	const struct config_key *key;
	char known[CONFIG_NAME];

	for (key = config_keys(); key->section != NULL; key++) {
		config_environment_name(key->section, key->key, known);
		if (strcmp(known, name) == 0)
			return key;
	}
	return NULL;
}

static void
set(struct config *config, struct configfile *found, const char *variable,
    const char *section, const char *key, const char *value)
{
	struct fault fault = { 0 };

	if (config_set(config, section, NULL, key, value, &fault))
		configfile_problem(found, &fault, variable, 0);
	else
		configfile_warn_inert(found, variable, 0, section, key, value);
}

/* MONSPOOL_CODES_HTTP_413. */
static void
set_code(struct config *config, struct configfile *found, const char *variable,
    const char *value)
{
	char key[CONFIG_NAME];
	size_t i;

	snprintf(key, sizeof(key), "%s", variable + strlen(CODES));
	for (i = 0; key[i] != '\0'; i++)
		key[i] = (char)tolower((unsigned char)key[i]);
	set(config, found, variable, "codes", key, value);
}

/* A slip in a variable's name shall not pass in silence. */
static void
warn_unknown(struct configfile *found, const char *variable)
{
	static const size_t LEN = sizeof(PREFIX) - 1;
	const struct config_key *key;
	char names[KEYS_MOST][CONFIG_NAME];
	const char *words[KEYS_MOST], *nearest;
	struct fault fault = { 0 };
	bool ours = false;
	size_t count = 0;

	for (key = config_keys(); key->section != NULL && count < KEYS_MOST;
	     key++, count++) {
		config_environment_name(key->section, key->key, names[count]);
		words[count] = names[count] + LEN;
		ours |= strncmp(words[count], variable + LEN,
			    strlen(key->section) + 1) == 0;
	}
	if (!ours)
		return;
	fault_set(&fault, FAULT_BAD_CONFIG, "the variable names no key");
	nearest = text_nearest(variable + LEN, words, count);
	if (nearest != NULL)
		fault_hint(&fault, "did you mean " PREFIX "%s?", nearest);
	else
		fault_hint(&fault, "monspool.conf(5) lists all keys");
	configfile_warning(found, &fault, variable, 0);
}

static void
read_variable(
    struct config *config, struct configfile *found, const char *variable)
{
	const char *equals = strchr(variable, '=');
	const struct config_key *key;
	char name[CONFIG_NAME];

	if (equals == NULL || equals - variable >= CONFIG_NAME)
		return;
	memcpy(name, variable, (size_t)(equals - variable));
	name[equals - variable] = '\0';
	if (strcmp(name, QUEUE) == 0)
		return;
	if (strncmp(name, CODES, strlen(CODES)) == 0)
		set_code(config, found, name, equals + 1);
	else if ((key = key_of(name)) != NULL)
		set(config, found, name, key->section, key->key, equals + 1);
	else
		warn_unknown(found, name);
}

void
config_environment_read(struct config *config, struct configfile *found)
{
	const char *queue = getenv(QUEUE);
	char **variable;

	for (variable = environ; variable != NULL && *variable != NULL;
	     variable++)
		if (strncmp(*variable, PREFIX, strlen(PREFIX)) == 0)
			read_variable(config, found, *variable);
	if (queue != NULL && queue[0] != '\0')
		set(config, found, QUEUE, "queue", "path", queue);
}
