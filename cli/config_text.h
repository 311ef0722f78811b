#ifndef CLI_CONFIG_TEXT_H
#define CLI_CONFIG_TEXT_H

struct config_entry;
struct text;

/** The sample file: every key commented, with its meaning and its default. */
void config_text_sample(struct text *text);

/** What a value of the key looks like: "a duration, as 30s", "yes|no". */
void config_text_type(struct text *text, const struct config_entry *entry);

/** How its section is written: "[queue]", "[namespace \"GLOB\"]". */
void config_text_section(struct text *text, const struct config_entry *entry);

#endif
