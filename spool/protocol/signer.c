#include "signer.h"

#include <inttypes.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/text.h"

void
signer_text(struct text *text, const struct signer_input *input)
{
	text_adds(text, input->get ? "GET" : "POST");
	text_adds(text, input->sign_host);
	text_adds(text, input->sign_path);
	text_addf(text,
	    "?Action=PutMonitorData&Nonce=%" PRIu32 "&Region=", input->nonce);
	text_adds(text, input->region);
	text_adds(text, "&SecretId=");
	text_adds(text, input->secret_id);
	text_addf(text, "&Timestamp=%" PRId64, input->timestamp);
}

int
signer_sign(const struct signer_input *input, const void *key, size_t key_len,
    char signature[SIGNER_SIZE])
{
	struct text text = { 0 };
	int result = -1;

	signer_text(&text, input);
	if (!text.failed)
		result = signer_mac(
		    text.data, text.len, key, key_len, false, signature);
	text_free(&text);
	return result;
}

int
signer_mac(const char *string, size_t len, const void *key, size_t key_len,
    bool sha256, char *out)
{
	const EVP_MD *hash = sha256 ? EVP_sha256() : EVP_sha1();
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_len;

	if (key_len > INT_MAX)
		return -1;
	if (HMAC(hash, key, (int)key_len, (const unsigned char *)string, len,
		digest, &digest_len) == NULL)
		return -1;
	EVP_EncodeBlock((unsigned char *)out, digest, (int)digest_len);
	return 0;
}
