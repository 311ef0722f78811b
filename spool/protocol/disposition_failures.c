#include "disposition_table.h"

#define NAME(string) .name = (string), .code = -1
#define HOLD .verdict = VERDICT_HOLD, .scope = SCOPE_ENDPOINT, .lone = LONE_HOLD
#define RETRY .verdict = VERDICT_RETRY, .scope = SCOPE_ENDPOINT
#define SPLIT \
	.verdict = VERDICT_SPLIT, .scope = SCOPE_SIZE, .lone = LONE_CONTRAST

#define RELOAD "kill -HUP PID (the forwarder's: monspool status)"
#define BY_ITSELF "nothing; it is tried again by itself"

const struct disposition DISPOSITION_FAILURES[] = {
	{ NAME("unknown-code"), .text = "A code that the API does not list",
	    RETRY, .hold_after = true, .stored = STORED_MAYBE,
	    .causes = "the receiver is newer than the API's document\n"
		      "something else than the receiver answers",
	    .cure = "monspool show ID, and read the receiver's message\n"
		    "check [receiver] url\n"
		    "monspool hold release LANE once the cause is gone" },
	{ NAME("malformed"),
	    .text = "HTTP 200 with a body that is no answer of the API", RETRY,
	    .hold_after = true, .stored = STORED_MAYBE,
	    .causes = "a login portal, a proxy or another service answers in "
		      "the receiver's place\n"
		      "the reply was cut on its way\n"
		      "an API 3.0 endpoint: its answers have no code at the "
		      "top",
	    .cure = "monspool show ID has the first bytes of the body\n"
		    "check [receiver] url and proxy\n" RELOAD },
	{ NAME("http-other"), .text = "A status that ends nothing or is no one",
	    RETRY, .hold_after = true, .stored = STORED_MAYBE,
	    .causes = "something else than the receiver answers: 1xx, a 2xx "
		      "other than 200, or no HTTP at all",
	    .cure = "check [receiver] url and proxy\n" RELOAD },
	{ NAME("http-3xx"), .text = "Redirect", HOLD, .stored = STORED_NO,
	    .causes = "the service moved; a redirect is never followed, since "
		      "it would hand the SecretId to somebody else\n"
		      "a login portal wants a visitor",
	    .cure = "put the place that Location names into [receiver] url, "
		    "if it is to be trusted\n" RELOAD },
	{ NAME("http-4xx"), .text = "The request was refused before the API",
	    HOLD, .stored = STORED_NO,
	    .causes = "a wrong path, host, method or scheme in [receiver]\n"
		      "a proxy, a firewall or a portal on the way",
	    .cure = "check [receiver] url, method and proxy\n" RELOAD },
	{ NAME("http-401"), .text = "Unauthorized", HOLD, .stored = STORED_NO,
	    .causes = "something on the way wants a login; the API itself "
		      "refuses a key with 1011, not with a status",
	    .cure = "check [receiver] url and proxy\n" RELOAD },
	{ NAME("http-403"), .text = "Forbidden", HOLD, .stored = STORED_NO,
	    .causes = "a firewall or a proxy forbids the request; the API "
		      "itself refuses a key with 1011, not with a status\n"
		      "the receiver takes requests from inside a CVM only",
	    .cure = "send from a machine that may\n"
		    "check [receiver] url and proxy\n" RELOAD },
	{ NAME("http-404"), .text = "Not found", HOLD, .stored = STORED_NO,
	    .causes = "the path in [receiver] url is wrong (API 2.0 has "
		      "/v2/index.php)\n"
		      "the host is another service",
	    .cure = "correct [receiver] url\n" RELOAD },
	{ NAME("http-405"), .text = "Method not allowed", HOLD,
	    .stored = STORED_NO,
	    .causes = "a proxy or the receiver takes only one of POST and GET",
	    .cure = "set [receiver] method to the other one\n" RELOAD },
	{ NAME("http-407"), .text = "Proxy authentication required", HOLD,
	    .stored = STORED_NO,
	    .causes = "the proxy in [receiver] proxy wants a login",
	    .cure = "give the proxy an exception for the receiver, or take it "
		    "out of [receiver] proxy\n" RELOAD },
	{ NAME("http-408"), .text = "Request timeout", RETRY,
	    .stored = STORED_MAYBE,
	    .causes = "the network or a front end is slow", .cure = BY_ITSELF },
	{ NAME("http-413"), .text = "Content too large", SPLIT,
	    .stored = STORED_NO,
	    .causes = "a front end takes smaller requests than the receiver; "
		      "half of the size is tried next",
	    .cure = "lower [batch] max_bytes to what goes through\n"
		    "raise the limit of the proxy, if it is yours" },
	{ NAME("http-414"), .text = "URI too long", SPLIT, .stored = STORED_NO,
	    .causes = "[receiver] method is GET, and a front end takes shorter "
		      "addresses; half of the size is tried next",
	    .cure = "set [receiver] method = POST\n"
		    "or lower [batch] max_bytes\n" RELOAD },
	{ NAME("http-425"), .text = "Too early", RETRY, .stored = STORED_MAYBE,
	    .causes = "a front end does not want the request yet",
	    .cure = BY_ITSELF },
	{ NAME("http-429"), .text = "Too many requests",
	    .verdict = VERDICT_THROTTLE_REQUESTS, .scope = SCOPE_PACE,
	    .stored = STORED_NO, .causes = "a front end limits requests",
	    .cure = "nothing; the forwarder slows down by itself and obeys "
		    "Retry-After up to an hour\n"
		    "lower [rate] requests_per_second" },
	{ NAME("http-5xx"), .text = "The receiver or its front end failed",
	    RETRY, .stored = STORED_MAYBE,
	    .causes = "the receiver is down, restarts or is overloaded; a "
		      "proxy cannot reach it",
	    .cure = BY_ITSELF },
	{ NAME("http-501"), .text = "Not implemented", HOLD,
	    .stored = STORED_NO,
	    .causes = "the method or the service is unknown there",
	    .cure = "check [receiver] url and method\n" RELOAD },
	{ NAME("http-505"), .text = "HTTP version not supported", HOLD,
	    .stored = STORED_NO, .causes = "the server does not speak HTTP/1.1",
	    .cure = "check [receiver] url and proxy\n" RELOAD },
	{ NAME("http-511"), .text = "Network authentication required", HOLD,
	    .stored = STORED_NO,
	    .causes = "a login portal stands before the network",
	    .cure = "log this machine in to the network\n" RELOAD },
	{ NAME("transfer-dns"), .text = "The receiver's name is unknown", RETRY,
	    .stored = STORED_NO,
	    .causes = "the receiver's name resolves only inside a CVM\n"
		      "the name server does not answer",
	    .cure = "run the forwarder inside a CVM, or set [receiver] url to "
		    "a relay\n"
		    "getent hosts receiver.monitor.tencentyun.com" },
	{ NAME("transfer-refused"), .text = "No connection to the receiver",
	    RETRY, .stored = STORED_NO,
	    .causes = "nothing listens there: wrong host or port, or the "
		      "receiver is down\n"
		      "the network cannot reach it",
	    .cure = "nothing, if it is an outage: it is tried again by "
		    "itself\n"
		    "check host and port in [receiver] url" },
	{ NAME("transfer-connect-timeout"),
	    .text = "No connection in time, nothing was sent", RETRY,
	    .stored = STORED_NO,
	    .causes = "a firewall swallows the packets\n"
		      "the network, the name server or a TLS handshake is "
		      "slow",
	    .cure = "let the port of [receiver] url through the firewall\n"
		    "raise [receiver] connect_timeout" },
	{ NAME("transfer-certificate"),
	    .text = "The receiver's certificate is not to be trusted", HOLD,
	    .stored = STORED_NO,
	    .causes = "its certificate expired or is not signed by a known "
		      "authority\n"
		      "[receiver] ca_file is missing, unreadable or the wrong "
		      "one\n"
		      "somebody sits between",
	    .cure = "set [receiver] ca_file to the authority of the proxy\n"
		    "renew the proxy's certificate\n" RELOAD },
	{ NAME("transfer-handshake"), .text = "The TLS handshake failed", RETRY,
	    .stored = STORED_NO,
	    .causes = "https was asked of a port that speaks http\n"
		      "the handshake broke, or no common TLS version was "
		      "found",
	    .cure = "check scheme and port in [receiver] url" },
	{ NAME("transfer-broken"),
	    .text = "The connection broke before a reply", RETRY,
	    .stored = STORED_MAYBE,
	    .causes = "the receiver or something on the way closed the "
		      "connection; it may have kept the rows",
	    .cure = BY_ITSELF },
	{ NAME("transfer-timeout"), .text = "No whole reply in time", RETRY,
	    .stored = STORED_MAYBE,
	    .causes = "the receiver is slow or hangs; it may have kept the "
		      "rows",
	    .cure = "nothing at first; it is tried again by itself\n"
		    "raise [receiver] timeout, if it happens often" },
	{ NAME("transfer-cut"), .text = "The reply was cut short", RETRY,
	    .stored = STORED_MAYBE,
	    .causes = "the connection broke within the reply; the receiver "
		      "may have kept the rows",
	    .cure = BY_ITSELF },
	{ NAME("transfer-too-large"),
	    .text = "The reply was too large, or never began", RETRY,
	    .hold_after = true, .stored = STORED_MAYBE,
	    .causes = "something else than the receiver answers: its replies "
		      "have a few dozen bytes, more than 64 KiB are not read",
	    .cure = "check [receiver] url and proxy\n" RELOAD },
	{ NAME("transfer-setting"), .text = "The request cannot even be made",
	    HOLD, .stored = STORED_NO,
	    .causes = "[receiver] url or proxy is no address that can be "
		      "used",
	    .cure = "monspool config check\n"
		    "correct [receiver] url and proxy\n" RELOAD },
	{ NAME("transfer-failed"), .text = "The transfer failed", RETRY,
	    .hold_after = true, .stored = STORED_MAYBE,
	    .causes = "a failure without a rule of its own; the log has its "
		      "number",
	    .cure = "check [receiver] url and proxy\n"
		    "monspool hold release LANE once the cause is gone" },
};
const size_t DISPOSITION_FAILURE_COUNT = sizeof(DISPOSITION_FAILURES) /
    sizeof(DISPOSITION_FAILURES[0]);
