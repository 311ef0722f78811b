#include "versions.h"

#include <stddef.h>
#include <stdio.h>
#include <cJSON.h>
#include <curl/curl.h>
#include <ev.h>
#include <openssl/crypto.h>

/* Only the queue shelf includes SQLite's header; this asks nothing of a queue. */
extern const char *sqlite3_libversion(void);

static const char *
libev_version(void)
{
	static char text[24];

	snprintf(text, sizeof(text), "%d.%d", ev_version_major(),
	    ev_version_minor());
	return text;
}

const struct version *
versions_list(void)
{
	static struct version list[6];

	list[0] = (struct version){ "sqlite", sqlite3_libversion() };
	list[1] = (struct version){ "cjson", cJSON_Version() };
	list[2] = (struct version){ "libcurl",
		curl_version_info(CURLVERSION_NOW)->version };
	list[3] = (struct version){ "openssl",
		OpenSSL_version(OPENSSL_VERSION_STRING) };
	list[4] = (struct version){ "libev", libev_version() };
	list[5] = (struct version){ NULL, NULL };
	return list;
}
