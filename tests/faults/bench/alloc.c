#include "alloc.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <openssl/crypto.h>
#include <sqlite3.h>

#include "bench.h"

static struct alloc *hooked;
static struct sqlite3_mem_methods sqlite_methods;

/* Whether this allocation fails. */
static bool
fails(void)
{
	struct alloc *alloc = hooked;
	int64_t call;

	if (alloc == NULL)
		return false;
	call = ++alloc->calls;
	if (alloc->at == 0 || call < alloc->at ||
	    (call > alloc->at && !alloc->for_ever))
		return false;
	if (alloc->one_in > 1 && bench_below(&alloc->chance, alloc->one_in) > 0)
		return false;
	alloc->fired++;
	return true;
}

/* ---- ours, by the linker ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

char *
__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

/* ---- the libraries' ---- */

static void *
sqlite_malloc(int size)
{
	return fails() ? NULL : sqlite_methods.xMalloc(size);
}

static void *
sqlite_realloc(void *old, int size)
{
	return fails() ? NULL : sqlite_methods.xRealloc(old, size);
}

static void *
openssl_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return __wrap_malloc(size);
}

static void *
openssl_realloc(void *old, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return __wrap_realloc(old, size);
}

static void
openssl_free(void *old, const char *file, int line)
{
	(void)file;
	(void)line;
	free(old);
}

void
alloc_install(void)
{
	static struct cJSON_Hooks hooks = { __wrap_malloc, free };
	struct sqlite3_mem_methods methods;

	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_methods) !=
	    SQLITE_OK)
		bench_die("SQLite tells nothing of its memory");
	methods = sqlite_methods;
	methods.xMalloc = sqlite_malloc;
	methods.xRealloc = sqlite_realloc;
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) != SQLITE_OK ||
	    CRYPTO_set_mem_functions(
		openssl_malloc, openssl_realloc, openssl_free) != 1 ||
	    curl_global_init_mem(CURL_GLOBAL_DEFAULT, __wrap_malloc, free,
		__wrap_realloc, __wrap_strdup, __wrap_calloc) != CURLE_OK)
		bench_die("the allocations cannot be counted");
	cJSON_InitHooks(&hooks);
}

void
alloc_hook(struct alloc *alloc)
{
	hooked = alloc;
}
