#include "tls.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "bench.h"

#define A_DAY 86400L

struct tls_server {
	SSL_CTX *context;
	X509 *certificate;
	EVP_PKEY *key;
};

struct tls {
	SSL *ssl;
	BIO *in, *out; /* the ssl's */
};

/* ---- the certificate ---- */

static void
add_extension(X509 *certificate, int kind, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(
	    NULL, NULL, kind, value);

	if (extension == NULL || X509_add_ext(certificate, extension, -1) != 1)
		bench_die("cannot extend a certificate");
	X509_EXTENSION_free(extension);
}

/* One that vouches for itself. */
static X509 *
make_certificate(EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	X509_NAME *name;

	if (certificate == NULL || key == NULL)
		bench_die("cannot make a certificate");
	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -A_DAY);
	X509_gmtime_adj(X509_getm_notAfter(certificate), A_DAY);
	name = X509_get_subject_name(certificate);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"the cutter", -1, -1, 0);
	X509_set_issuer_name(certificate, name);
	X509_set_pubkey(certificate, key);
	add_extension(certificate, NID_subject_alt_name, "IP:127.0.0.1");
	add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
	if (X509_sign(certificate, key, EVP_sha256()) == 0)
		bench_die("cannot sign a certificate");
	return certificate;
}

static void
publish(X509 *certificate, const char *path)
{
	FILE *file = fopen(path, "w");

	if (file == NULL || PEM_write_X509(file, certificate) != 1)
		bench_die("cannot write %s", path);
	fclose(file);
}

struct tls_server *
tls_server_new(const char *path, bool newest, bool resumes)
{
	int version = newest ? TLS1_3_VERSION : TLS1_2_VERSION;
	struct tls_server *server = calloc(1, sizeof(*server));

	if (server == NULL)
		bench_die("out of memory");
	server->key = EVP_EC_gen("P-256");
	server->certificate = make_certificate(server->key);
	publish(server->certificate, path);
	server->context = SSL_CTX_new(TLS_server_method());
	if (server->context == NULL ||
	    SSL_CTX_use_certificate(server->context, server->certificate) !=
		1 ||
	    SSL_CTX_use_PrivateKey(server->context, server->key) != 1 ||
	    SSL_CTX_set_min_proto_version(server->context, version) != 1 ||
	    SSL_CTX_set_max_proto_version(server->context, version) != 1)
		bench_die("cannot set TLS up");
	SSL_CTX_set_session_cache_mode(server->context,
	    resumes ? SSL_SESS_CACHE_SERVER : SSL_SESS_CACHE_OFF);
	if (!resumes)
		SSL_CTX_set_options(server->context, SSL_OP_NO_TICKET);
	return server;
}

void
tls_server_free(struct tls_server *server)
{
	if (server == NULL)
		return;
	SSL_CTX_free(server->context);
	X509_free(server->certificate);
	EVP_PKEY_free(server->key);
	free(server);
}

/* ---- connections ---- */

struct tls *
tls_new(struct tls_server *server)
{
	struct tls *tls = calloc(1, sizeof(*tls));

	if (tls == NULL || (tls->ssl = SSL_new(server->context)) == NULL)
		bench_die("out of memory");
	tls->in = BIO_new(BIO_s_mem());
	tls->out = BIO_new(BIO_s_mem());
	if (tls->in == NULL || tls->out == NULL)
		bench_die("out of memory");
	BIO_set_mem_eof_return(tls->in, -1); /* more may come */
	SSL_set_bio(tls->ssl, tls->in, tls->out);
	SSL_set_accept_state(tls->ssl);
	return tls;
}

void
tls_free(struct tls *tls)
{
	if (tls == NULL)
		return;
	SSL_free(tls->ssl);
	free(tls);
}

void
tls_came(struct tls *tls, const char *bytes, size_t len)
{
	if (BIO_write(tls->in, bytes, (int)len) != (int)len)
		bench_die("out of memory");
	if (!SSL_is_init_finished(tls->ssl))
		SSL_do_handshake(tls->ssl);
}

size_t
tls_read(struct tls *tls, char *text, size_t room)
{
	int got;

	if (!SSL_is_init_finished(tls->ssl) || room == 0)
		return 0;
	got = SSL_read(tls->ssl, text, (int)room);
	return got > 0 ? (size_t)got : 0;
}

bool
tls_is_open(const struct tls *tls)
{
	return SSL_is_init_finished(tls->ssl);
}

void
tls_say(struct tls *tls, const char *text, size_t len)
{
	if (SSL_write(tls->ssl, text, (int)len) != (int)len)
		bench_die("cannot answer by TLS");
}

void
tls_end(struct tls *tls)
{
	SSL_shutdown(tls->ssl);
}

size_t
tls_waiting(const struct tls *tls)
{
	return BIO_ctrl_pending(tls->out);
}

size_t
tls_take(struct tls *tls, char *bytes, size_t room)
{
	int got = room == 0 ? 0 : BIO_read(tls->out, bytes, (int)room);

	return got > 0 ? (size_t)got : 0;
}
