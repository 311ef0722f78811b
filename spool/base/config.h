#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault;

#define CONFIG_NAME 128
#define CONFIG_PATH 512
#define CONFIG_ACCOUNTS 16
#define CONFIG_CODES 64
#define CONFIG_NAMESPACES 32
#define CONFIG_OUTBOXES 16

enum config_full {
	CONFIG_FULL_REJECT,
	CONFIG_FULL_DROP_OLDEST
};
enum config_late {
	CONFIG_LATE_SEND,
	CONFIG_LATE_LATEST_ONLY,
	CONFIG_LATE_DEAD_LETTER
};

/* One struct a section of interface.md section 5; spans in milliseconds, sizes
 * in bytes, "off" is 0. */
struct config_queue {
	char path[CONFIG_PATH];
	int64_t max_size;
	enum config_full when_full;
	int64_t max_age_ms;
	int64_t reserve;
	int64_t wal_max;
	int64_t busy_timeout_ms;
	int64_t key_memory_ms;
	int64_t attempts_kept;
};
struct config_receiver {
	char url[CONFIG_PATH];
	char sign_host[CONFIG_NAME];
	char sign_path[CONFIG_NAME];
	bool get; /* method = GET */
	int64_t connect_timeout_ms;
	int64_t timeout_ms;
	char ca_file[CONFIG_PATH];
	char proxy[CONFIG_PATH];
	bool fresh_connections;
	bool ambiguous_dead_letter;
	int64_t clock_correction_ms;
};
struct config_account {
	char name[CONFIG_NAME]; /* "default" for [account] */
	char secret_id[CONFIG_NAME];
	char secret_key_file[CONFIG_PATH];
	char region[CONFIG_NAME];
};
struct config_batch {
	int64_t max_rows;
	int64_t
	    max_bytes; /* of a POST body; for GET see config_batch_bytes() */
	int64_t linger_ms;
	int64_t in_flight;
};
struct config_rate {
	double requests_per_second;
	double burst;
	double rows_per_minute;
};
struct config_retry {
	int64_t base_ms, max_ms;
	int64_t hold_probe_least_ms, hold_probe_most_ms;
	int64_t blocked_probe_least_ms, blocked_probe_most_ms;
	int64_t hold_after;
};
struct config_late_section {
	int64_t after_ms;
	enum config_late policy;
	double rate;
	int64_t fresh_share; /* percent */
};
struct config_dead {
	int64_t max_rows, max_age_ms;
	int64_t brake_rows, brake_ms;
	bool soft;
	int64_t max_replays;
	double replay_rate;
};
struct config_forwarder {
	char metrics_listen[CONFIG_NAME];
	int64_t stop_timeout_ms;
	int64_t idle_poll_ms;
	int log_level; /* enum log_level */
};
struct config_checks {
	int64_t max_dimensions, max_name, max_namespace, max_dimension_value;
	int64_t max_row_bytes;
	bool strict;
};
struct config_code {
	char name[16];    /* "1017", "http_413" */
	char verdict[24]; /* as written; the protocol knows what it means */
};
struct config_outbox {
	char name[CONFIG_NAME];
	char path[CONFIG_PATH];
};
struct config_namespace {
	char glob[CONFIG_NAME];
	int64_t max_age_ms;       /* -1: not set */
	int64_t late_after_ms;    /* -1: not set */
	int late_policy;          /* -1: not set */
	int64_t late_fresh_share; /* -1: not set */
};

struct config {
	struct config_queue queue;
	struct config_receiver receiver;
	struct config_account accounts[CONFIG_ACCOUNTS];
	size_t account_count; /* at least 1: accounts[0] is [account] */
	struct config_batch batch;
	struct config_rate rate;
	struct config_retry retry;
	struct config_late_section late;
	struct config_dead dead;
	struct config_forwarder forwarder;
	struct config_checks checks;
	struct config_code codes[CONFIG_CODES];
	size_t code_count;
	struct config_outbox outboxes[CONFIG_OUTBOXES];
	size_t outbox_count;
	struct config_namespace namespaces[CONFIG_NAMESPACES];
	size_t namespace_count;
};

/** Fill ${config} with the built-in defaults. */
void config_defaults(struct config *config);

/**
 * config_set(config, section, name, key, value, fault):
 * Set one key: ${section} "queue", ${name} the quoted name of a repeatable
 * section or NULL, ${key} "max_size", ${value} as written.  Return 0, or -1
 * with ${fault} (FAULT_BAD_CONFIG; the hint names the nearest known key, or what
 * the value may be).
 */
int config_set(struct config *config, const char *section, const char *name,
    const char *key, const char *value, struct fault *fault);

/**
 * config_get(config, section, name, key, buf, size):
 * Write the value of one key as config_set() reads it.  Return 0, or -1 if
 * there is no such key.
 */
int config_get(const struct config *config, const char *section,
    const char *name, const char *key, char *buf, size_t size);

/** The same, but sizes in bytes and spans in milliseconds ("1500ms"), so that
 * SQL reads them by CAST. */
int config_get_plain(const struct config *config, const char *section,
    const char *name, const char *key, char *buf, size_t size);

/** Whether "[section]", or [section "name"] with a ${name} that is not "", is a
 * section there is: 0, or -1 with ${fault}. */
int config_check_section(
    const char *section, const char *name, struct fault *fault);

/** One key, as help and the sample file tell it. */
struct config_key {
	const char *section, *key, *fallback, *help;
	bool for_writers;   /* copied into the queue file */
	bool no_effect_yet; /* read and checked; a set value earns a warning */
};
/** The table of keys, ended by a row whose section is NULL. */
const struct config_key *config_keys(void);

/** Whether ${value} of this key is read and checked, but has no effect yet. */
bool config_is_inert(const char *section, const char *key, const char *value);

/** Whether the whole makes sense together (reserve exceeds wal_max by 2 MiB
 * and so on): 0, or -1 with ${fault}. */
int config_check(const struct config *config, struct fault *fault);

/** Largest request the settings allow, in bytes: of the body for POST, of the
 * encoded target for GET (never above 8 KiB). */
int64_t config_batch_bytes(const struct config *config);

/** What is set for namespace ${ns}: the first glob that matches it, or NULL. */
const struct config_namespace *config_namespace(
    const struct config *config, const char *ns);
/** The account called ${name}, or NULL. */
const struct config_account *config_account(
    const struct config *config, const char *name);

#endif
