#include "receiver_code.h"

/* putmonitordata-v2.md section 7, word for word; the text of 0 is the one the
 * samples of sections 4 and 6 show. */
static const struct {
	int code;
	const char *text;
} CODES[CODE_COUNT] = {
	{ 0, "OK" },
	{ 1000,
	    "HTTP method is not supported. You cannot send request using POST "
	    "or GET method" },
	{ 1001, "Failed CGI request. CGI of this request is not supported" },
	{ 1002, "Service is not ready. Try again later" },
	{ 1003, "CVM internal logic failed" },
	{ 1004, "Request content does not exist" },
	{ 1005, "Request content is not in JSON format" },
	{ 1006,
	    "Too many SecretId requests received within the time period. CVM "
	    "protection mechanism sets a limit on frequency" },
	{ 1007, "Exception in frequency limitation feature of CVM" },
	{ 1008, "Client is blocked by CVM" },
	{ 1009, "Missing parameter" },
	{ 1010, "Incorrect parameter type" },
	{ 1011, "Invalid client ID (authentication failed)" },
	{ 1012, "The API called does not conform to the API specifications" },
	{ 1013, "Invalid parameter" },
	{ 1014, "Data is discarded because routing information is missing" },
	{ 1015, "Length of data exceeds the upper limit" },
	{ 1016, "Invalid Namespace" },
	{ 1017, "Dimension verification failed" },
	{ 1018,
	    "The number of metrics sent within the time period exceeds the "
	    "upper limit" },
	{ 1019, "Valid metric data is not reported" },
	{ 1020, "Length of dimension or metric name exceeds the limit" },
	{ 1021, "Invalid time stamp" },
};

size_t
code_place(int code)
{
	size_t i;

	for (i = 0; i < CODE_COUNT; i++)
		if (CODES[i].code == code)
			break;
	return i;
}

int
code_at(size_t place)
{
	return CODES[place].code;
}

const char *
code_text(int code)
{
	size_t place = code_place(code);

	return place < CODE_COUNT ? CODES[place].text : "Undocumented code";
}
