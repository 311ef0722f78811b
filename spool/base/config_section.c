#include "config_section.h"

#include <stdint.h>
#include <string.h>

#include "fault.h"
#include "text.h"

#define SECTION(text, noun, many, name) \
	{ \
		text, offsetof(struct config, many), \
		    offsetof(struct config, noun##_count), \
		    sizeof(struct config_##noun), \
		    sizeof(((struct config *)0)->many) / \
		    sizeof(struct config_##noun), \
		    sizeof(((struct config_##noun *)0)->name) \
	}

static const struct config_section SECTIONS[] = {
	SECTION("account", account, accounts, name),
	SECTION("codes", code, codes, name),
	SECTION("outbox", outbox, outboxes, name),
	SECTION("namespace", namespace, namespaces, glob),
};

const struct config_section *
config_section(const char *section)
{
	size_t i;

	for (i = 0; i < sizeof(SECTIONS) / sizeof(SECTIONS[0]); i++)
		if (strcmp(SECTIONS[i].section, section) == 0)
			return &SECTIONS[i];
	return NULL;
}

const char *
config_section_name(
    const struct config_section *kind, const char *name, const char *key)
{
	if (strcmp(kind->section, "codes") == 0)
		return key;
	if (name != NULL && name[0] != '\0')
		return name;
	return strcmp(kind->section, "account") == 0 ? "default" : NULL;
}

char *
config_section_find(const struct config *config,
    const struct config_section *kind, const char *name)
{
	char *base = (char *)(uintptr_t)config, *at = base + kind->array;
	size_t count = *(size_t *)(void *)(base + kind->count);

	for (; count-- > 0; at += kind->size)
		if (strcmp(at, name) == 0)
			return at;
	return NULL;
}

static int
check_name(
    const struct config_section *kind, const char *name, struct fault *fault)
{
	char shown[60];
	size_t len = strlen(name);

	if (len < kind->name_room && text_utf8_bad(name, len) < 0 &&
	    text_control(name, len) < 0)
		return 0;
	text_shown(shown, sizeof(shown), name, len);
	fault_set(fault, FAULT_BAD_CONFIG, "[%s \"%s\"] cannot be called so",
	    kind->section, shown);
	fault_hint(fault, "a name takes %zu bytes, and no control characters",
	    kind->name_room - 1);
	return -1;
}

char *
config_section_add(struct config *config, const struct config_section *kind,
    const char *name, struct fault *fault)
{
	char *base = (char *)config, *at;
	size_t *count = (size_t *)(void *)(base + kind->count);

	if (check_name(kind, name, fault))
		return NULL;
	if (*count == kind->most) {
		fault_set(fault, FAULT_BAD_CONFIG,
		    "[%s] stands more often than the %zu times there is room "
		    "for",
		    kind->section, kind->most);
		fault_hint(fault, "remove some");
		return NULL;
	}
	at = base + kind->array + (*count)++ * kind->size;
	memset(at, 0, kind->size);
	memcpy(at, name, strlen(name) + 1);
	if (strcmp(kind->section, "namespace") == 0) {
		struct config_namespace *namespace = (void *)at;

		namespace->max_age_ms = namespace->late_after_ms = -1;
		namespace->late_fresh_share = -1;
		namespace->late_policy = -1;
	}
	return at;
}
