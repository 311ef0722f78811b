#include "key.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "profile.h"
#include "vault.h"

#define MOST_KEY 4096
#define MOST_FILE ((size_t)64 * 1024)

struct credentials {
	struct credential *items;
	struct vault *vaults; /* of the keys, side by side with items */
	size_t count;
};

/* What a source is asked for, and where it puts what it has. */
struct search {
	const struct config_account *account;
	struct credential *credential;
	struct vault *vault; /* becomes the key */
	struct fault *fault;
	bool found;
};

/* Whether ${bytes} can be a key or an id as it stands. */
static const char *
complaint(const unsigned char *bytes, size_t len)
{
	size_t i;

	if (len == 0)
		return "is empty";
	if (len > MOST_KEY)
		return "is longer than 4096 bytes";
	for (i = 0; i < len; i++)
		if (vault_blank(bytes[i]))
			return "has white space or a control character in it";
	return NULL;
}

static void
strip_line_end(struct vault *vault)
{
	if (vault->len > 0 && vault->bytes[vault->len - 1] == '\n')
		vault->len--;
	if (vault->len > 0 && vault->bytes[vault->len - 1] == '\r')
		vault->len--;
}

/* The vault holds the key: look at it and say where it came from. */
static int take_key(struct search *search, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int
take_key(struct search *search, const char *format, ...)
{
	struct credential *credential = search->credential;
	const char *what;
	va_list args;

	va_start(args, format);
	vsnprintf(credential->source, sizeof(credential->source), format, args);
	va_end(args);
	strip_line_end(search->vault);
	what = complaint(search->vault->bytes, search->vault->len);
	if (what != NULL) {
		fault_set(search->fault, FAULT_BAD_CONFIG,
		    "the secret key from %.180s %s", credential->source, what);
		fault_hint(
		    search->fault, "the file holds the key alone, on one line");
		return -1;
	}
	search->found = true;
	return 0;
}

/* Put a key that lies in ${bytes} into the vault. */
static void
copy_key(struct vault *vault, const void *bytes, size_t len)
{
	/* One byte more than a key may have: enough to be refused. */
	vault->len = len <= MOST_KEY ? len : MOST_KEY + 1;
	memcpy(vault->bytes, bytes, vault->len);
}

static int
take_id(struct search *search, const void *id, size_t len, const char *source)
{
	struct credential *credential = search->credential;

	if (credential->secret_id[0] != '\0')
		return 0; /* the configuration's goes first */
	if (len >= sizeof(credential->secret_id) || complaint(id, len) != NULL)
		return fault_set(search->fault, FAULT_BAD_CONFIG,
		    "the secret id from %.180s is unusable", source);
	memcpy(credential->secret_id, id, len);
	credential->secret_id[len] = '\0';
	return 0;
}

/* Sources, in the order of interface.md: each returns 0, with "found" set if
 * it had the key, or -1 with the fault. */

static int
from_named_file(struct search *search)
{
	const char *path = search->account->secret_key_file;
	int read;

	if (path[0] == '\0')
		return 0;
	if ((read = vault_read(path, search->vault, search->fault)) == -1)
		return -1;
	if (read == 1)
		return take_key(search, "%s", path);
	fault_set(search->fault, FAULT_BAD_CONFIG,
	    "key file %.180s does not exist", path);
	fault_hint(search->fault,
	    "put the secret key there, mode 0400, or change"
	    " account.secret_key_file");
	return -1;
}

static bool
is_default(const struct search *search)
{
	return strcmp(search->account->name, "default") == 0;
}

static int
from_credentials_directory(struct search *search)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char path[CONFIG_PATH];
	int len, read;

	if (dir == NULL || dir[0] == '\0' ||
	    strchr(search->account->name, '/') != NULL)
		return 0;
	len = snprintf(path, sizeof(path), "%s/secret-key%s%s", dir,
	    is_default(search) ? "" : ".",
	    is_default(search) ? "" : search->account->name);
	if (len < 0 || (size_t)len >= sizeof(path))
		return 0;
	if ((read = vault_read(path, search->vault, search->fault)) != 1)
		return read;
	return take_key(search, "%s", path);
}

static int
from_environment(struct search *search)
{
	const char *key = getenv("TENCENTCLOUD_SECRET_KEY");
	const char *id = getenv("TENCENTCLOUD_SECRET_ID");

	if (!is_default(search) || key == NULL || key[0] == '\0')
		return 0;
	if (id == NULL || id[0] == '\0')
		id = search->account->secret_id;
	if (id[0] == '\0')
		return 0; /* half a pair */
	copy_key(search->vault, key, strlen(key));
	if (take_id(search, id, strlen(id), "TENCENTCLOUD_SECRET_ID"))
		return -1;
	return take_key(search, "the environment (TENCENTCLOUD_SECRET_KEY)");
}

static int
take_profile(struct search *search, const struct vault *file, const char *path)
{
	struct profile profile;

	profile_read(file, &profile);
	if (profile.key == NULL)
		return 0;
	copy_key(search->vault, profile.key, profile.key_len);
	if (take_id(search, profile.id, profile.id_len, path))
		return -1;
	return take_key(search, "%s", path);
}

static int
from_credentials_file(struct search *search, const char *path)
{
	struct vault file = { 0 };
	int result;

	if (vault_open(&file, MOST_FILE, search->fault))
		return -1;
	result = vault_read(path, &file, search->fault);
	if (result == 1)
		result = take_profile(search, &file, path);
	vault_close(&file);
	return result;
}

static int
from_home(struct search *search)
{
	const char *home = getenv("HOME");
	char path[CONFIG_PATH];
	int len;

	if (!is_default(search) || home == NULL || home[0] == '\0')
		return 0;
	len = snprintf(
	    path, sizeof(path), "%s/.tencentcloud/credentials", home);
	if (len < 0 || (size_t)len >= sizeof(path))
		return 0;
	return from_credentials_file(search, path);
}

static int
from_etc(struct search *search)
{
	if (!is_default(search))
		return 0;
	return from_credentials_file(search, "/etc/tencentcloud/credentials");
}

static int (*const SOURCES[])(struct search *) = {
	from_named_file,
	from_credentials_directory,
	from_environment,
	from_home,
	from_etc,
};

/* How the account's section is written. */
static const char *
section_of(const struct config_account *account, char *buf, size_t size)
{
	if (strcmp(account->name, "default") == 0)
		snprintf(buf, size, "[account]");
	else
		snprintf(buf, size, "[account \"%s\"]", account->name);
	return buf;
}

static int
missing(const struct config_account *account, const char *what,
    const char *hint, struct fault *fault)
{
	char section[CONFIG_NAME + 16];

	section_of(account, section, sizeof(section));
	fault_set(fault, FAULT_BAD_CONFIG, "account.%s is missing in %s", what,
	    section);
	fault_hint(fault, "%s", hint);
	fault_field(fault, what);
	return -1;
}

static int
check_complete(const struct search *search)
{
	const struct config_account *account = search->account;

	if (!search->found)
		return missing(account, "secret_key_file",
		    "secret_key_file = /etc/monspool/secret.key (mode 0400), or"
		    " see Secrets in monspoold(8)",
		    search->fault);
	if (search->credential->secret_id[0] == '\0')
		return missing(
		    account, "secret_id", "secret_id = AKID...", search->fault);
	if (account->region[0] == '\0')
		return missing(account, "region",
		    "region = ap-guangzhou (the region this machine is in)",
		    search->fault);
	return 0;
}

static int
load_one(const struct config_account *account, struct credential *credential,
    struct vault *vault, struct fault *fault)
{
	struct search search = { .account = account,
		.credential = credential,
		.vault = vault,
		.fault = fault };
	size_t i;

	memcpy(credential->account, account->name, sizeof(account->name));
	memcpy(credential->secret_id, account->secret_id,
	    sizeof(account->secret_id));
	memcpy(credential->region, account->region, sizeof(account->region));
	/* Room for a key too long, and its line end. */
	if (vault_open(vault, (size_t)2 * MOST_KEY, fault))
		return -1;
	for (i = 0; i < sizeof(SOURCES) / sizeof(SOURCES[0]); i++) {
		if (search.found)
			break;
		if (SOURCES[i](&search))
			return -1;
	}
	if (check_complete(&search))
		return -1;
	credential->key = vault->bytes;
	credential->key_len = vault->len;
	return 0;
}

struct credentials *
credentials_load(const struct config *config, struct fault *fault)
{
	struct credentials *credentials = calloc(1, sizeof(*credentials));
	size_t i;

	if (credentials == NULL)
		goto memory;
	credentials->count = config->account_count;
	credentials->items = calloc(
	    credentials->count, sizeof(*credentials->items));
	credentials->vaults = calloc(
	    credentials->count, sizeof(*credentials->vaults));
	if (credentials->items == NULL || credentials->vaults == NULL)
		goto memory;
	for (i = 0; i < credentials->count; i++)
		if (load_one(&config->accounts[i], &credentials->items[i],
			&credentials->vaults[i], fault))
			goto fail;
	return credentials;

memory:
	fault_set(fault, FAULT_INTERNAL, "out of memory");
fail:
	credentials_free(credentials);
	return NULL;
}

void
credentials_free(struct credentials *credentials)
{
	size_t i;

	if (credentials == NULL)
		return;
	for (i = 0; credentials->vaults != NULL && i < credentials->count; i++)
		vault_close(&credentials->vaults[i]);
	free(credentials->vaults);
	free(credentials->items);
	free(credentials);
}

const struct credential *
credentials_of(const struct credentials *credentials, const char *account)
{
	size_t i;

	for (i = 0; i < credentials->count; i++)
		if (strcmp(credentials->items[i].account, account) == 0)
			return &credentials->items[i];
	return NULL;
}
