#include "receiver_sign.h"

#include <errno.h>
#include <fcntl.h>
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

static int
check_key(struct credentials *credentials, size_t len, const char *path,
    struct fault *fault)
{
	if (len > 0 && credentials->key[len - 1] == '\n')
		len--;
	if (len > 0 && credentials->key[len - 1] == '\r')
		len--;
	credentials->key[len] = '\0';
	credentials->key_len = len;
	if (len > 0 && strcspn(credentials->key, " \t\r\n\v\f") == len)
		return 0;
	fault_set(fault, FAULT_BAD_CONFIG, "the key file %s %s", path,
	    len == 0 ? "is empty" : "holds more than one word");
	fault_hint(fault, "put the secret key alone on the first line");
	return -1;
}

int
sign_read_key(
    struct credentials *credentials, const char *path, struct fault *fault)
{
	ssize_t len;
	int fd, result = -1;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1) {
		fault_errno(fault, errno, "cannot open the key file %s", path);
		fault_hint(fault, "check --secret-key-file");
		return -1;
	}
	if (check_owner(fd, path, fault))
		goto close;
	len = read(fd, credentials->key, sizeof(credentials->key) - 1);
	if (len == -1)
		fault_errno(fault, errno, "cannot read the key file %s", path);
	else
		result = check_key(credentials, (size_t)len, path, fault);
close:
	close(fd);
	if (result)
		sign_forget_key(credentials);
	return result;
}

void
sign_forget_key(struct credentials *credentials)
{
	OPENSSL_cleanse(credentials->key, sizeof(credentials->key));
	credentials->key_len = 0;
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
sign_text(const struct credentials *credentials, const struct text *text,
    unsigned char signature[SIGNATURE_LEN + 1])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len;

	if (text->failed ||
	    HMAC(EVP_sha1(), credentials->key, (int)credentials->key_len,
		(const unsigned char *)text->data, text->len, digest,
		&len) == NULL)
		return false;
	return EVP_EncodeBlock(signature, digest, (int)len) == SIGNATURE_LEN;
}

enum request_signature
sign_check(const struct credentials *credentials, const struct request *request)
{
	const struct request_value *sent = &request->values[REQUEST_SIGNATURE];
	unsigned char signature[SIGNATURE_LEN + 1];
	struct text text = { 0 };
	bool equal;

	if (credentials->secret_id == NULL || !is_checkable(request))
		return REQUEST_UNCHECKED;
	add_signed_text(&text, credentials, request);
	equal = sign_text(credentials, &text, signature) &&
	    sent->len == SIGNATURE_LEN &&
	    CRYPTO_memcmp(sent->text, signature, SIGNATURE_LEN) == 0 &&
	    request_is(request, REQUEST_SECRET_ID, credentials->secret_id);
	text_free(&text);
	return equal ? REQUEST_SIGNED : REQUEST_FORGED;
}
