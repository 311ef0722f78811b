/* links: protocol */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/text.h"
#include "protocol/signer.h"

#define DATA SHARED_TEST_DATA "/signature-vectors.json"

static int
open_vectors(void **state)
{
	struct text text = { 0 };
	char piece[4096];
	size_t got;
	FILE *file;

	if ((file = fopen(DATA, "r")) == NULL)
		return -1;
	while ((got = fread(piece, 1, sizeof(piece), file)) > 0)
		text_add(&text, piece, got);
	fclose(file);
	*state = cJSON_Parse(text_string(&text));
	text_free(&text);
	return *state == NULL ? -1 : 0;
}

static int
close_vectors(void **state)
{
	cJSON_Delete(*state);
	return 0;
}

static const cJSON *
list(void **state, const char *name, int count)
{
	const cJSON *array = cJSON_GetObjectItemCaseSensitive(*state, name);

	assert_int_equal(cJSON_GetArraySize(array), count);
	return array;
}

static const char *
string(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	assert_true(cJSON_IsString(item));
	return item->valuestring;
}

static double
number(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	assert_true(cJSON_IsNumber(item));
	return item->valuedouble;
}

/* The input of a vector, or of the vector a negative case tells of. */
static struct signer_input
input_of(const cJSON *vector)
{
	return (struct signer_input){
		.get = strcmp(string(vector, "method"), "GET") == 0,
		.sign_host = "receiver.monitor.tencentyun.com",
		.sign_path = "/v2/index.php",
		.secret_id = string(vector, "secret_id"),
		.region = string(vector, "region"),
		.timestamp = (int64_t)number(vector, "timestamp"),
		.nonce = (uint32_t)number(vector, "nonce"),
	};
}

static void
sign(const cJSON *vector, char signature[SIGNER_SIZE])
{
	struct signer_input input = input_of(vector);
	const char *key = string(vector, "secret_key");

	assert_int_equal(signer_sign(&input, key, strlen(key), signature), 0);
}

static void
signs_the_vectors_exactly(void **state)
{
	const cJSON *vector;
	char signature[SIGNER_SIZE];

	cJSON_ArrayForEach(vector, list(state, "vectors", 6))
	{
		sign(vector, signature);
		assert_string_equal(signature, string(vector, "signature"));
		assert_string_equal(
		    string(vector, "host"), input_of(vector).sign_host);
		assert_string_equal(
		    string(vector, "path"), input_of(vector).sign_path);
	}
}

static void
writes_the_text_to_sign_of_the_vectors(void **state)
{
	const cJSON *vector;
	struct text text = { 0 };
	struct signer_input input;

	cJSON_ArrayForEach(vector, list(state, "vectors", 6))
	{
		input = input_of(vector);
		text_clear(&text);
		signer_text(&text, &input);
		assert_string_equal(
		    text_string(&text), string(vector, "string_to_sign"));
	}
	text_free(&text);
}

static void
answers_the_published_texts_of_the_general_method(void **state)
{
	const cJSON *vector;
	const char *text, *key;
	char out[45];

	cJSON_ArrayForEach(vector, list(state, "published", 6))
	{
		text = string(vector, "string_to_sign");
		key = string(vector, "secret_key");
		assert_int_equal(
		    signer_mac(text, strlen(text), key, strlen(key),
			strcmp(string(vector, "algorithm"), "HmacSHA256") == 0,
			out),
		    0);
		assert_string_equal(out, string(vector, "signature"));
	}
}

/* Each case must really be the mistake it is said to be. */
static void
check_mistake(const cJSON *negative)
{
	const char *text = string(negative, "string_to_sign");
	const char *key = string(negative, "secret_key");
	const char *wrong = string(negative, "wrong_signature");
	const char *right = string(negative, "right_signature");
	char out[45];

	assert_int_equal(
	    signer_mac(text, strlen(text), key, strlen(key),
		strcmp(string(negative, "algorithm"), "HmacSHA256") == 0, out),
	    0);
	/* Mistakes of the text or key give the wrong answer, mistakes of the
	 * rendering start from the right one. */
	assert_true(strcmp(out, wrong) == 0 || strcmp(out, right) == 0);
	assert_string_not_equal(wrong, right);
}

/* The vector that ${negative} tells of: "V1" is the start of its name. */
static const cJSON *
vector_of(void **state, const cJSON *negative)
{
	const char *name = string(negative, "vector");
	const cJSON *vector;

	cJSON_ArrayForEach(vector, list(state, "vectors", 6))
	{
		if (strncmp(string(vector, "name"), name, strlen(name)) == 0)
			return vector;
	}
	return NULL;
}

static void
never_makes_a_wrong_signature(void **state)
{
	const cJSON *negative, *vector;
	char signature[SIGNER_SIZE];
	int judged = 0;

	cJSON_ArrayForEach(negative, list(state, "negative", 18))
	{
		check_mistake(negative);
		if ((vector = vector_of(state, negative)) == NULL)
			continue; /* N18, of the general method */
		sign(vector, signature);
		assert_string_equal(
		    signature, string(negative, "right_signature"));
		assert_string_not_equal(
		    signature, string(negative, "wrong_signature"));
		judged++;
	}
	assert_int_equal(judged, 17);
}

static void
never_makes_the_answer_of_another_key(void **state)
{
	const cJSON *negative = cJSON_GetArrayItem(
	    list(state, "negative", 18), 17);
	const char *text = string(negative, "string_to_sign");
	const char *key = string(negative, "secret_key");
	char out[45];

	assert_string_equal(string(negative, "vector"), "P1");
	assert_int_equal(
	    signer_mac(text, strlen(text), key, strlen(key), false, out), 0);
	assert_string_equal(out, string(negative, "right_signature"));
	assert_string_not_equal(out, string(negative, "wrong_signature"));
}

static void
takes_keys_of_any_bytes_and_length(void **state)
{
	static const char KEY[] = { 'a', '\0', 'b' };
	unsigned char longest[1000];
	char first[45], second[45];

	(void)state;
	memset(longest, 0xff, sizeof(longest));
	assert_int_equal(signer_mac("x", 1, KEY, 3, false, first), 0);
	assert_int_equal(signer_mac("x", 1, KEY, 1, false, second), 0);
	assert_string_not_equal(first, second);
	assert_int_equal(
	    signer_mac("x", 1, longest, sizeof(longest), false, first), 0);
	assert_int_equal(strlen(first), SIGNER_SIZE - 1);
	assert_int_equal(signer_mac("x", 1, KEY, 3, true, second), 0);
	assert_int_equal(strlen(second), 44);
}

static void
refuses_a_key_beyond_all_measure(void **state)
{
	char out[45];

	(void)state;
	assert_int_equal(
	    signer_mac("x", 1, "k", (size_t)INT_MAX + 1, false, out), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signs_the_vectors_exactly),
		cmocka_unit_test(writes_the_text_to_sign_of_the_vectors),
		cmocka_unit_test(
		    answers_the_published_texts_of_the_general_method),
		cmocka_unit_test(never_makes_a_wrong_signature),
		cmocka_unit_test(never_makes_the_answer_of_another_key),
		cmocka_unit_test(takes_keys_of_any_bytes_and_length),
		cmocka_unit_test(refuses_a_key_beyond_all_measure),
	};

	return cmocka_run_group_tests(tests, open_vectors, close_vectors);
}
