#include "disposition_table.h"

#define CODE(number) .name = #number, .code = (number)
#define HOLD(who) .verdict = VERDICT_HOLD, .scope = (who), .lone = LONE_HOLD
#define RETRY .verdict = VERDICT_RETRY, .scope = SCOPE_ENDPOINT
/* A lone row may be the request's victim: it dies by contrast alone. */
#define DOUBT \
	.verdict = VERDICT_ISOLATE, .scope = SCOPE_ROW, .lone = LONE_CONTRAST
#define SHAPE \
	.verdict = VERDICT_ISOLATE, .scope = SCOPE_SERIES, .lone = LONE_DEAD
#define CLOCK .verdict = VERDICT_RESIGN, .scope = SCOPE_CLOCK
#define PACE(how) .verdict = (how), .scope = SCOPE_PACE

#define RELOAD "kill -HUP PID (the forwarder's: monspool status)"

const struct disposition DISPOSITION_CODES[] = {
	{ CODE(0), .text = "Successfully received",
	    .verdict = VERDICT_DELIVERED, .scope = SCOPE_NONE,
	    .stored = STORED_YES,
	    .causes = "the receiver took every row of the request",
	    .cure = "nothing; data that stays invisible: see that custom "
		    "monitoring is switched on and the metric quota is not "
		    "used up" },
	{ CODE(1000), .text = "HTTP method is not supported",
	    HOLD(SCOPE_ENDPOINT), .stored = STORED_NO,
	    .causes = "[receiver] method is not one this receiver takes\n"
		      "a proxy turned the request into another method",
	    .cure = "set [receiver] method to the other of POST and GET\n"
		    "see what [receiver] proxy does with requests\n" RELOAD },
	{ CODE(1001), .text = "CGI of this request is not supported",
	    HOLD(SCOPE_ENDPOINT), .stored = STORED_NO,
	    .causes = "the path in [receiver] url is wrong (API 2.0 has "
		      "/v2/index.php, an older service /report.cgi)\n"
		      "the host is another service",
	    .cure = "correct the path in [receiver] url; sign_path stays "
		    "/v2/index.php\n" RELOAD },
	{ CODE(1002), .text = "Service is not ready, try again later", RETRY,
	    .stored = STORED_NO,
	    .causes = "the receiver starts or is overloaded",
	    .cure = "nothing; it is tried again by itself" },
	{ CODE(1003), .text = "The receiver's internal logic failed", RETRY,
	    .stored = STORED_MAYBE,
	    .causes = "a defect or an overload within the receiver\n"
		      "it may have kept the rows all the same",
	    .cure = "nothing; it is tried again by itself\n"
		    "where doubles are worse than gaps: [receiver] "
		    "on_ambiguous = dead-letter" },
	{ CODE(1004), .text = "Request content does not exist", DOUBT,
	    .stored = STORED_NO, .retry_first = true,
	    .causes = "a proxy on the way dropped the body\n"
		      "[receiver] method is GET where the receiver reads only "
		      "a body",
	    .cure = "take the proxy out of [receiver] proxy, or set method to "
		    "the other of POST and GET\n" RELOAD "\n"
		    "monspool dead replay --code 1004" },
	{ CODE(1005), .text = "Request content is not in JSON format", DOUBT,
	    .stored = STORED_NO,
	    .causes = "a row holds bytes that the receiver's JSON reader "
		      "refuses\n"
		      "a proxy on the way cut or changed the body",
	    .cure = "monspool dead list --code 1005, and see what is odd in "
		    "the texts of the dimensions\n"
		    "monspool dead edit, then monspool dead replay" },
	{ CODE(1006), .text = "Too many requests of this SecretId",
	    PACE(VERDICT_THROTTLE_REQUESTS), .stored = STORED_NO,
	    .causes = "more requests a second than the receiver allows\n"
		      "another program reports with the same SecretId",
	    .cure = "nothing; the forwarder slows down by itself\n"
		    "to spare requests: lower [rate] requests_per_second, "
		    "raise [batch] linger and max_rows" },
	{ CODE(1007), .text = "The receiver's frequency limiter failed", RETRY,
	    .stored = STORED_NO, .causes = "a defect within the receiver",
	    .cure = "nothing; it is tried again by itself" },
	{ CODE(1008), .text = "Client is blocked by the receiver",
	    HOLD(SCOPE_ACCOUNT), .stored = STORED_NO, .slow_probe = true,
	    .causes = "requests were sent too fast for too long\n"
		      "the account was blocked by the provider",
	    .cure = "wait: the next probe comes after [retry] blocked_probe, "
		    "and hammering prolongs a block\n"
		    "lower [rate] requests_per_second\n"
		    "ask the provider if it lasts; then monspool hold probe "
		    "LANE" },
	{ CODE(1009), .text = "Missing parameter", DOUBT, .stored = STORED_NO,
	    .causes = "a row lacks metricName, dimensions or value\n"
		      "a proxy dropped part of the request",
	    .cure = "monspoold --print shows the request as it is sent\n"
		    "monspool dead list --code 1009, monspool dead edit, then "
		    "monspool dead replay" },
	{ CODE(1010), .text = "Incorrect parameter type", DOUBT,
	    .stored = STORED_NO,
	    .causes = "a dimension or a value is not of the type that the "
		      "receiver expects",
	    .cure = "monspoold --print shows the request as it is sent\n"
		    "set [checks] strict = yes, so that put refuses such "
		    "rows\n"
		    "monspool dead edit --code 1010, then monspool dead "
		    "replay" },
	{ CODE(1011), .text = "Invalid client ID (authentication failed)",
	    HOLD(SCOPE_ACCOUNT), .stored = STORED_NO,
	    .causes = "the key is wrong, was rotated, or belongs to another "
		      "secret_id\n"
		      "it is a sub-account's key: the receiver takes the main "
		      "account's only\n"
		      "[receiver] sign_host or sign_path is not what the "
		      "receiver signs with (the host carries no port)\n"
		      "region is not the one of this account or machine\n"
		      "somebody on the way changed the request",
	    .cure =
		"monspoold --check-config, then correct the key file or "
		"[account] secret_id and region\n"
		"put sign_host and sign_path back to their defaults\n" RELOAD
		", which probes with one row" },
	{ CODE(1012), .text = "Does not conform to the API's specifications",
	    HOLD(SCOPE_ENDPOINT), .stored = STORED_NO,
	    .causes = "the receiver speaks another version of the API\n"
		      "a proxy changed the request",
	    .cure =
		"check [receiver] url and proxy\n"
		"monspoold --print shows the request as it is sent\n" RELOAD },
	{ CODE(1013), .text = "Invalid parameter", DOUBT, .stored = STORED_NO,
	    .causes = "a metric name has characters that the receiver "
		      "refuses\n"
		      "the region is not one it knows: then every row is "
		      "refused and the lane is held",
	    .cure = "check [account] region and the regions given to put\n"
		    "monspool dead edit --code 1013 --set metric=NAME, then "
		    "monspool dead replay" },
	{ CODE(1014), .text = "Data is discarded, routing information missing",
	    .verdict = VERDICT_CHECK_ONE, .scope = SCOPE_NAMESPACE,
	    .lone = LONE_HOLD, .stored = STORED_NO, .retry_first = true,
	    .causes = "the namespace is new and not yet known everywhere\n"
		      "the namespace belongs to another region",
	    .cure = "wait some minutes: the lane is probed by itself\n"
		    "check [account] region; see that the namespace was "
		    "created in that region\n"
		    "then monspool hold release LANE" },
	{ CODE(1015), .text = "Length of data exceeds the upper limit",
	    .verdict = VERDICT_SPLIT, .scope = SCOPE_SIZE, .lone = LONE_DEAD,
	    .stored = STORED_NO,
	    .causes = "the request was longer than the receiver takes; half of "
		      "its size is tried next\n"
		      "a single row may be too long by itself",
	    .cure = "lower [batch] max_bytes to what the receiver takes\n"
		    "lower [checks] max_row_bytes, so that put refuses such "
		    "rows\n"
		    "monspool dead edit --code 1015 --truncate-dim KEY=100, "
		    "then monspool dead replay" },
	{ CODE(1016), .text = "Invalid namespace", .verdict = VERDICT_CHECK_ONE,
	    .scope = SCOPE_NAMESPACE, .lone = LONE_DEAD, .stored = STORED_NO,
	    .causes = "the namespace is misspelt\n"
		      "it was never created, or was created in another region\n"
		      "[account] region is wrong: then every namespace is "
		      "refused",
	    .cure = "monspool dead edit --code 1016 --set namespace=NAME, or "
		    "create the namespace in this region\n"
		    "then monspool dead replay --code 1016\n"
		    "to keep such rows pending next time: [codes] 1016 = "
		    "hold" },
	{ CODE(1017), .text = "Dimension verification failed", SHAPE,
	    .stored = STORED_NO,
	    .causes = "the dimension keys are not exactly those the metric was "
		      "created with: one missing, one more, one misspelt\n"
		      "the metric was never created in this namespace and "
		      "region",
	    .cure = "monspool dead edit --code 1017 --rename-dim OLD=NEW, "
		    "--drop-dim KEY or --set-dim KEY=VALUE\n"
		    "or create the metric with these keys\n"
		    "then monspool dead replay --code 1017" },
	{ CODE(1018), .text = "Too many metrics in the time period",
	    PACE(VERDICT_THROTTLE_ROWS), .stored = STORED_NO,
	    .causes = "more rows a minute than the receiver allows; smaller "
		      "requests do not help",
	    .cure = "nothing; the forwarder sends fewer rows by itself\n"
		    "report less often, or set [rate] rows_per_minute" },
	{ CODE(1019), .text = "No valid metric data was reported", DOUBT,
	    .stored = STORED_NO,
	    .causes = "every row of the request was unfit: unknown metrics or "
		      "dimensions",
	    .cure = "see that the metrics were created in this namespace and "
		    "region\n"
		    "monspool dead edit --code 1019, then monspool dead "
		    "replay" },
	{ CODE(1020), .text = "Length of dimension or metric name exceeded",
	    SHAPE, .stored = STORED_NO,
	    .causes = "a metric name, a dimension key or a dimension value is "
		      "too long",
	    .cure = "monspool dead edit --code 1020 --truncate-dim KEY=100 or "
		    "--set metric=NAME, then monspool dead replay\n"
		    "lower [checks] max_name and max_dimension_value, so that "
		    "put refuses such rows" },
	{ CODE(1021), .text = "Invalid timestamp", CLOCK, .stored = STORED_NO,
	    .causes = "this machine's clock is off, or set to local time for "
		      "UTC\n"
		      "the receiver's clock is off\n"
		      "the request waited long on its way",
	    .cure = "date -u, and set the clock right (timedatectl set-ntp "
		    "true)\n"
		    "see [receiver] clock_correction\n"
		    "then monspool hold release LANE" },
	{ CODE(4000), .text = "Gateway: invalid parameter", DOUBT,
	    .stored = STORED_NO,
	    .causes = "a gateway stands before the receiver and refuses a "
		      "parameter, of a row or of the request",
	    .cure = "check [account] region and [receiver] url\n"
		    "monspool dead list --code 4000" },
	{ CODE(4100), .text = "Gateway: authentication failed",
	    HOLD(SCOPE_ACCOUNT), .stored = STORED_NO,
	    .causes = "as for 1011: key, sub-account, sign_host or region",
	    .cure = "monspoold --check-config; correct the key file or "
		    "[account] secret_id\n" RELOAD },
	{ CODE(4200), .text = "Gateway: request expired", CLOCK,
	    .stored = STORED_NO,
	    .causes = "this machine's clock is more than two hours off",
	    .cure = "date -u, and set the clock right (timedatectl set-ntp "
		    "true)\n"
		    "then monspool hold release LANE" },
	{ CODE(4300), .text = "Gateway: access denied", HOLD(SCOPE_ACCOUNT),
	    .stored = STORED_NO, .slow_probe = true,
	    .causes = "the account may not use this interface, or was blocked",
	    .cure = "see the account's rights at the provider\n"
		    "then monspool hold probe LANE" },
	{ CODE(4400), .text = "Gateway: quota exceeded",
	    PACE(VERDICT_THROTTLE_REQUESTS), .stored = STORED_NO,
	    .causes = "more requests than the gateway allows",
	    .cure = "nothing; the forwarder slows down by itself\n"
		    "lower [rate] requests_per_second" },
	{ CODE(4500), .text = "Gateway: replay of a request", CLOCK,
	    .stored = STORED_NO,
	    .causes = "the same nonce was seen before, perhaps from another "
		      "program with this SecretId\n"
		      "this machine's clock is more than two hours off",
	    .cure = "nothing at first: it is signed anew with another nonce\n"
		    "if it lasts: set the clock right (timedatectl set-ntp "
		    "true)" },
	{ CODE(4600), .text = "Gateway: unsupported protocol",
	    HOLD(SCOPE_ENDPOINT), .stored = STORED_NO,
	    .causes = "http where https is asked for, or the other way round",
	    .cure =
		"correct the scheme and the host in [receiver] url\n" RELOAD },
	{ CODE(5000), .text = "Gateway: resource does not exist",
	    HOLD(SCOPE_ENDPOINT), .stored = STORED_NO,
	    .causes = "[receiver] url names another service",
	    .cure = "correct [receiver] url\n" RELOAD },
	{ CODE(5100), .text = "Gateway: operation failed", RETRY,
	    .stored = STORED_MAYBE,
	    .causes = "a defect or an overload behind the gateway",
	    .cure = "nothing; it is tried again by itself" },
	{ CODE(5400), .text = "Gateway: operation partly done",
	    HOLD(SCOPE_ENDPOINT), .stored = STORED_MAYBE,
	    .causes = "some of the rows were kept, and nobody says which; "
		      "sending again would double them",
	    .cure = "monspool hold release LANE sends the rows again\n"
		    "or monspool list --namespace NAME, and see at the "
		    "provider which ones arrived" },
	{ CODE(6000), .text = "Gateway: internal error", RETRY,
	    .stored = STORED_MAYBE,
	    .causes = "a defect or an overload within the gateway",
	    .cure = "nothing; it is tried again by itself" },
	{ CODE(6100), .text = "Gateway: version not supported",
	    HOLD(SCOPE_ENDPOINT), .stored = STORED_NO,
	    .causes = "the path or the host is one of another API version",
	    .cure = "correct [receiver] url\n" RELOAD },
	{ CODE(6200), .text = "Gateway: interface under maintenance", RETRY,
	    .stored = STORED_MAYBE,
	    .causes = "the interface is being worked on",
	    .cure = "nothing; it is tried again by itself" },
};
const size_t DISPOSITION_CODE_COUNT = sizeof(DISPOSITION_CODES) /
    sizeof(DISPOSITION_CODES[0]);
