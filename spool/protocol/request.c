#include "request.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "batch.h"
#include "signer.h"

/* What differs from one attempt to the next. */
struct stamp {
	int64_t timestamp;
	uint32_t nonce;
	const char *signature;
};

/* The widest stamp there is: ten digits each, and a signature all of whose
 * characters need encoding in a query, so that no nonce makes a request
 * larger than it was packed for. */
static const struct stamp WIDEST = { 2147483647, 2147483647,
	"++++++++++++++++++++++++++++" };

/* Add ${bytes} percent-encoded (RFC 3986). */
static void
add_encoded(struct text *text, const char *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (batch_encoded(&bytes[i], 1) == 1)
			text_addc(text, bytes[i]);
		else
			text_addf(text, "%%%02X", (unsigned char)bytes[i]);
	}
}

static void
add_member(struct text *body, const char *name, const char *value)
{
	text_addf(body, ",\"%s\":", name);
	text_add_json(body, value, strlen(value));
}

static void
add_parameter(struct text *url, const char *name, const char *value)
{
	text_addf(url, "&%s=", name);
	add_encoded(url, value, strlen(value));
}

/* The items, with commas; ${batch} may be NULL for none. */
static void
add_items(struct text *text, const struct batch *batch, const char *comma,
    void (*add)(struct text *, const char *, size_t))
{
	size_t i;

	for (i = 0; batch != NULL && i < batch->count; i++) {
		if (i > 0)
			text_adds(text, comma);
		add(text, batch->items.data + batch->rows[i].start,
		    batch->rows[i].len);
	}
}

static void
add_plain(struct text *text, const char *bytes, size_t len)
{
	text_add(text, bytes, len);
}

static void
render_body(struct text *body, const struct envelope *envelope,
    const struct stamp *stamp, const struct batch *batch)
{
	text_adds(body, "{\"Action\":\"PutMonitorData\"");
	add_member(body, "SecretId", envelope->secret_id);
	add_member(body, "Region", envelope->region);
	text_addf(body, ",\"Timestamp\":%" PRId64 ",\"Nonce\":%" PRIu32,
	    stamp->timestamp, stamp->nonce);
	add_member(body, "Signature", stamp->signature);
	add_member(body, "Namespace", envelope->ns);
	text_adds(body, ",\"Data\":[");
	add_items(body, batch, ",", add_plain);
	text_adds(body, "]}");
}

/* Where the target begins within ${url}: at the path, or at the end. */
static size_t
target_start(const char *url)
{
	const char *host = strstr(url, "://");
	const char *path;

	host = host != NULL ? host + 3 : url;
	path = strchr(host, '/');
	return path != NULL ? (size_t)(path - url) : strlen(url);
}

static void
render_url(struct text *url, const struct envelope *envelope,
    const struct stamp *stamp, const struct batch *batch)
{
	text_adds(url, envelope->url);
	if (target_start(envelope->url) == strlen(envelope->url))
		text_addc(url, '/');
	text_adds(url, "?Action=PutMonitorData");
	add_parameter(url, "SecretId", envelope->secret_id);
	add_parameter(url, "Region", envelope->region);
	text_addf(url, "&Timestamp=%" PRId64 "&Nonce=%" PRIu32,
	    stamp->timestamp, stamp->nonce);
	add_parameter(url, "Signature", stamp->signature);
	add_parameter(url, "Namespace", envelope->ns);
	text_adds(url, "&Data=%5B");
	add_items(url, batch, "%2C", add_encoded);
	text_adds(url, "%5D");
}

/* Render into ${request}.  Return 0, or -1 when memory was short. */
static int
render(struct request *request, const struct envelope *envelope,
    const struct stamp *stamp, const struct batch *batch)
{
	request->get = envelope->get;
	request->rows = batch != NULL ? batch->count : 0;
	text_clear(&request->url);
	text_clear(&request->body);
	if (envelope->get) {
		render_url(&request->url, envelope, stamp, batch);
		request->bytes = request->url.len - target_start(envelope->url);
	} else {
		text_adds(&request->url, envelope->url);
		render_body(&request->body, envelope, stamp, batch);
		request->bytes = request->body.len;
	}
	return request->url.failed || request->body.failed ? -1 : 0;
}

size_t
request_envelope(const struct envelope *envelope)
{
	struct request request = { 0 };
	size_t bytes;

	bytes = render(&request, envelope, &WIDEST, NULL) ? 0 : request.bytes;
	request_clear(&request);
	return bytes;
}

int
request_build(struct request *request, const struct envelope *envelope,
    const struct batch *batch, int64_t timestamp, uint32_t nonce)
{
	char signature[SIGNER_SIZE];
	struct stamp stamp = { timestamp, nonce, signature };
	struct signer_input input = {
		.get = envelope->get,
		.sign_host = envelope->sign_host,
		.sign_path = envelope->sign_path,
		.secret_id = envelope->secret_id,
		.region = envelope->region,
		.timestamp = timestamp,
		.nonce = nonce,
	};

	if (signer_sign(&input, envelope->key, envelope->key_len, signature))
		return -1;
	return render(request, envelope, &stamp, batch);
}

void
request_clear(struct request *request)
{
	text_free(&request->url);
	text_free(&request->body);
}
