#include "receiver_sign.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/fault.h"
#include "base/text.h"

/* Base64 of an SHA-1 digest, and EVP_EncodeBlock()'s NUL. */
#define SIGNATURE_LEN 28
#define KEYS_FILE_MOST (64 * 1024)

/* ---- the key file ---- */

static int
check_owner(int fd, const char *path, struct fault *fault)
{
	struct stat status;

	if (fstat(fd, &status) == -1)
		return fault_errno(fault, errno, "cannot read %s", path);
	if ((status.st_uid == 0 || status.st_uid == geteuid()) &&
	    (status.st_mode & 077) == 0)
		return 0;
	fault_set(fault, FAULT_UNSAFE_KEY_FILE,
	    "the key file %s may be read by others", path);
	fault_hint(fault, "chmod 0400 %s", path);
	return -1;
}

/* A key that comes twice is looked for once: the first counts. */
static struct sign_key *
add_key(struct credentials *credentials)
{
	struct sign_key *keys;
	size_t size = (credentials->count + 1) * sizeof(*keys);

	/* realloc() would leave the keys behind in memory that is free. */
	if ((keys = calloc(1, size)) == NULL)
		return NULL;
	if (credentials->count > 0)
		memcpy(keys, credentials->keys,
		    credentials->count * sizeof(*keys));
	OPENSSL_cleanse(credentials->keys, credentials->count * sizeof(*keys));
	free(credentials->keys);
	credentials->keys = keys;
	return &keys[credentials->count++];
}

static bool
is_word(const char *text, size_t len)
{
	return len > 0 && len < SIGN_KEY_SIZE &&
	    strcspn(text, " \t\r\n\v\f") >= len;
}

static int
store_key(struct credentials *credentials, const char *id, size_t id_len,
    const char *key, size_t key_len)
{
	struct sign_key *added = add_key(credentials);

	if (added == NULL)
		return -1;
	memcpy(added->id, id, id_len);
	memcpy(added->key, key, key_len);
	added->key_len = key_len;
	return 0;
}

/* The whole file, with a NUL behind it, into ${text}; no longer than ${size}.
 * Its length, or -1. */
static ssize_t
read_file(const char *path, char *text, size_t size, struct fault *fault)
{
	ssize_t len = -1;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1) {
		fault_errno(fault, errno, "cannot open the key file %s", path);
		fault_hint(fault, "check its path");
		return -1;
	}
	if (check_owner(fd, path, fault) == 0) {
		len = read(fd, text, size - 1);
		if (len == -1)
			fault_errno(
			    fault, errno, "cannot read the key file %s", path);
		else
			text[len] = '\0';
	}
	close(fd);
	return len;
}

int
sign_read_key(struct credentials *credentials, const char *id, const char *path,
    struct fault *fault)
{
	char text[SIGN_KEY_SIZE + 2];
	ssize_t read_len = read_file(path, text, sizeof(text), fault);
	size_t len = read_len > 0 ? (size_t)read_len : 0;
	int failed = -1;

	if (read_len == -1)
		return -1;
	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len > 0 && text[len - 1] == '\r')
		len--;
	if (!is_word(text, len)) {
		fault_set(fault, FAULT_BAD_CONFIG, "the key file %s %s", path,
		    len == 0 ? "is empty" : "holds more than one word");
		fault_hint(fault, "put the secret key alone on the first line");
	} else if (strlen(id) >= SIGN_KEY_SIZE)
		fault_set(fault, FAULT_USAGE, "the SecretId is too long");
	else if (store_key(credentials, id, strlen(id), text, len))
		fault_set(fault, FAULT_INTERNAL, "out of memory");
	else
		failed = 0;
	OPENSSL_cleanse(text, sizeof(text));
	return failed;
}

/* "ID KEY"; nothing for an empty line or a comment. */
static int
read_pair(struct credentials *credentials, const char *line, size_t len,
    struct fault *fault)
{
	size_t blanks, id_len = strcspn(line, " \t\r\n");
	const char *key;

	if (len == 0 || line[0] == '#' || line[0] == '\r')
		return 0;
	blanks = strspn(line + id_len, " \t");
	key = line + id_len + blanks;
	len -= id_len + blanks;
	if (len > 0 && key[len - 1] == '\r')
		len--;
	if (blanks == 0 || !is_word(line, id_len) || !is_word(key, len)) {
		fault_set(fault, FAULT_BAD_CONFIG,
		    "a line that is not a SecretId and its key");
		fault_hint(fault, "write ID KEY, one pair a line");
		return -1;
	}
	if (store_key(credentials, line, id_len, key, len) == 0)
		return 0;
	return fault_set(fault, FAULT_INTERNAL, "out of memory");
}

int
sign_read_keys(
    struct credentials *credentials, const char *path, struct fault *fault)
{
	static char text[KEYS_FILE_MOST];
	ssize_t len = read_file(path, text, sizeof(text), fault);
	const char *line = text;
	size_t line_len;
	long number = 1;
	int failed = len == -1 ? -1 : 0;

	if (len == (ssize_t)sizeof(text) - 1)
		failed = fault_set(
		    fault, FAULT_BAD_CONFIG, "the file %s is too long", path);
	for (; failed == 0 && line < text + len; number++) {
		line_len = strcspn(line, "\n");
		failed = read_pair(credentials, line, line_len, fault);
		line += line_len + 1;
	}
	if (failed && fault->kind == FAULT_BAD_CONFIG && len != -1) {
		snprintf(fault->file, sizeof(fault->file), "%.100s", path);
		fault->line = number - 1;
	}
	OPENSSL_cleanse(text, sizeof(text));
	return failed;
}

void
sign_forget_keys(struct credentials *credentials)
{
	OPENSSL_cleanse(
	    credentials->keys, credentials->count * sizeof(*credentials->keys));
	free(credentials->keys);
	credentials->keys = NULL;
	credentials->count = 0;
}

/* ---- the signature ---- */

/* The signed parameters stand first among the keys, in the byte order of
 * their names. */
#define SIGNED_KEYS (REQUEST_TIMESTAMP + 1)

static bool
is_checkable(const struct request *request)
{
	int key;

	for (key = 0; key <= REQUEST_SIGNATURE; key++)
		if (request->values[key].type !=
		    request_key_type((enum request_key)key))
			return false;
	return request->form != REQUEST_NEITHER;
}

static void
add_signed_text(struct text *text, const struct credentials *credentials,
    const struct request *request)
{
	int key;

	text_adds(text, request->form == REQUEST_GET ? "GET" : "POST");
	text_adds(text, credentials->sign_host);
	text_adds(text, credentials->sign_path);
	for (key = 0; key < SIGNED_KEYS; key++) {
		text_addc(text, key == 0 ? '?' : '&');
		text_adds(text, request_key_name((enum request_key)key));
		text_addc(text, '=');
		text_add(
		    text, request->values[key].text, request->values[key].len);
	}
}

static bool
sign_text(const struct sign_key *key, const struct text *text,
    unsigned char signature[SIGNATURE_LEN + 1])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len;

	if (text->failed ||
	    HMAC(EVP_sha1(), key->key, (int)key->key_len,
		(const unsigned char *)text->data, text->len, digest,
		&len) == NULL)
		return false;
	return EVP_EncodeBlock(signature, digest, (int)len) == SIGNATURE_LEN;
}

static const struct sign_key *
find_key(const struct credentials *credentials, const struct request *request)
{
	size_t i;

	for (i = 0; i < credentials->count; i++)
		if (request_is(
			request, REQUEST_SECRET_ID, credentials->keys[i].id))
			return &credentials->keys[i];
	return NULL;
}

enum request_signature
sign_check(const struct credentials *credentials, const struct request *request)
{
	const struct request_value *sent = &request->values[REQUEST_SIGNATURE];
	const struct sign_key *key;
	unsigned char signature[SIGNATURE_LEN + 1];
	struct text text = { 0 };
	bool equal;

	if (credentials->count == 0 || !is_checkable(request))
		return REQUEST_UNCHECKED;
	if ((key = find_key(credentials, request)) == NULL)
		return REQUEST_FORGED;
	add_signed_text(&text, credentials, request);
	equal = sign_text(key, &text, signature) &&
	    sent->len == SIGNATURE_LEN &&
	    CRYPTO_memcmp(sent->text, signature, SIGNATURE_LEN) == 0;
	text_free(&text);
	return equal ? REQUEST_SIGNED : REQUEST_FORGED;
}
