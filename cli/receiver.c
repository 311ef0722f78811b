#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <microhttpd.h>
#include <openssl/crypto.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "jsonline.h"
#include "output.h"
#include "receiver_exchange.h"
#include "receiver_http.h"
#include "receiver_options.h"

/* How long to leave connections waiting when descriptors have run out. */
#define EXHAUSTED_MS 50

/* What the loop watches. */
struct receiver {
	struct receiver_options *options;
	struct record record;
	struct totals totals;
	struct exchange_setup setup;
	struct http *http;
	int listener, signals;
	unsigned int port;
	bool exhausted;
};

/* ---- the loop ---- */

static void
take_connection(
    struct receiver *receiver, int fd, const struct listen_address *peer)
{
	if (mishaps_connection(
		&receiver->options->mishaps, clock_steady_ms()) != NULL) {
		receiver->totals.connections_refused++;
		listen_reset(fd);
		return;
	}
	http_connection(receiver->http, fd,
	    (const struct sockaddr *)&peer->socket, peer->len);
}

static void
accept_all(struct receiver *receiver)
{
	struct listen_address peer;
	enum listen_accepted accepted;
	int fd;

	while ((accepted = listen_accept(receiver->listener, &fd, &peer)) ==
	    LISTEN_CONNECTION)
		take_connection(receiver, fd, &peer);
	receiver->exhausted = accepted == LISTEN_EXHAUSTED;
}

/* The script may have something to do before that. */
static int
script_wait_ms(const struct receiver *receiver, int ms)
{
	int64_t next_ms = script_next_ms(&receiver->options->script);
	int64_t left_ms = next_ms - clock_steady_ms();

	if (next_ms == -1)
		return ms;
	if (left_ms < 0)
		left_ms = 0;
	return ms == -1 || left_ms < ms ? (int)left_ms : ms;
}

static int
wait_ms(const struct receiver *receiver)
{
	int ms = http_wait_ms(receiver->http);

	if (receiver->exhausted && (ms == -1 || ms > EXHAUSTED_MS))
		ms = EXHAUSTED_MS;
	return script_wait_ms(receiver, ms);
}

/* Take what signals came.  Whether one asks for the end. */
static bool
heed_signals(struct receiver *receiver)
{
	struct signalfd_siginfo signal;
	struct fault fault = { 0 };
	char shown[300];

	while (read(receiver->signals, &signal, sizeof(signal)) ==
	    (ssize_t)sizeof(signal)) {
		if (signal.ssi_signo != SIGHUP)
			return true;
		if (receiver_options_reload(
			receiver->options, clock_steady_ms(), &fault))
			log_event(LOG_ERROR, "reload_failed",
			    "file=%s line=%ld error=%s",
			    fault.file[0] != '\0' ? fault.file : "-",
			    fault.line,
			    log_text(shown, sizeof(shown), fault.message));
		else
			log_event(LOG_INFO, "reloaded", "script=%zu",
			    receiver->options->script.count);
	}
	return false;
}

/* Serve until a signal asks for the end. */
static int
serve(struct receiver *receiver, struct fault *fault)
{
	struct pollfd watched[] = {
		{ .fd = receiver->signals, .events = POLLIN },
		{ .fd = http_fd(receiver->http), .events = POLLIN },
		{ .fd = receiver->listener, .events = POLLIN },
	};

	for (;;) {
		watched[2].events = receiver->exhausted ? 0 : POLLIN;
		if (poll(watched, 3, wait_ms(receiver)) == -1 && errno != EINTR)
			return fault_errno(fault, errno, "cannot poll");
		if (watched[0].revents != 0 && heed_signals(receiver))
			return 0;
		script_turn(&receiver->options->script,
		    &receiver->options->mishaps, clock_steady_ms());
		accept_all(receiver);
		if (http_turn(receiver->http, fault))
			return -1;
	}
}

/* ---- start and stop ---- */

static int
catch_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Hanging requests each keep a descriptor. */
static void
allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int
tell_port(const struct receiver *receiver, struct fault *fault)
{
	const struct receiver_options *options = receiver->options;
	struct text text = { 0 };

	if (options->port_file != NULL &&
	    listen_write_port(options->port_file, receiver->port, fault))
		return -1;
	if (!options->print_port)
		return 0;
	text_addf(&text, "%u\n", receiver->port);
	output_data(text_string(&text), text.len);
	text_free(&text);
	return output_flush(fault);
}

static void
tell_start(const struct receiver *receiver)
{
	const struct rules *rules = &receiver->options->rules;
	char path[256];

	log_event(LOG_INFO, "listening", "port=%u path=%s seed=%lld",
	    receiver->port, log_text(path, sizeof(path), rules->path),
	    (long long)receiver->options->seed);
	if (rules->credentials.count == 0)
		log_event(LOG_INFO, "signatures_unchecked", "credentials=none");
	if (rules->known.first == NULL)
		log_event(LOG_INFO, "all_namespaces_known", "namespaces=none");
}

static int
start(struct receiver *receiver, struct fault *fault)
{
	struct receiver_options *options = receiver->options;
	struct http_tls tls = { NULL, NULL };

	if (options->tls_cert != NULL)
		tls = (struct http_tls){ text_string(&options->certificate),
			text_string(&options->private_key) };
	receiver->setup = (struct exchange_setup){ &options->rules,
		&options->mishaps, &receiver->record, &receiver->totals };

	allow_descriptors();
	if ((receiver->signals = catch_signals()) == -1)
		return fault_errno(fault, errno, "cannot catch signals");
	if (record_open(
		&receiver->record, options->record, options->requests, fault))
		return -1;
	receiver->listener = listen_open(
	    &options->listen, &receiver->port, fault);
	if (receiver->listener == -1 ||
	    (receiver->http = http_open(&receiver->setup, &tls, fault)) == NULL)
		return -1;
	mishaps_start(
	    &options->mishaps, (uint64_t)options->seed, clock_steady_ms());
	script_start(&options->script, clock_steady_ms());
	tell_start(receiver);
	return tell_port(receiver, fault);
}

static void
stop(struct receiver *receiver)
{
	http_close(receiver->http);
	if (receiver->listener != -1)
		close(receiver->listener);
	if (receiver->signals != -1)
		close(receiver->signals);
	record_close(&receiver->record);
}

static int
run(struct receiver_options *options, struct fault *fault)
{
	struct receiver receiver = { .options = options,
		.record = { .rows_fd = -1, .requests_fd = -1 },
		.listener = -1,
		.signals = -1 };
	int result;

	log_to(STDERR_FILENO, options->json ? LOG_NDJSON : LOG_PLAIN,
	    options->quiet ? LOG_WARN : LOG_INFO);
	result = start(&receiver, fault);
	if (result == 0)
		result = serve(&receiver, fault);
	stop(&receiver);
	if (result == 0)
		totals_print(&receiver.totals, STDERR_FILENO, options->json);
	return result;
}

/* ---- help and version ---- */

static void
add_version(struct text *text, bool json)
{
	if (!json) {
		text_addf(text, "monspool-receiver %s\n", MONSPOOL_VERSION);
		return;
	}
	jsonline_open(text, NULL, '{');
	jsonline_text(text, "monspool", MONSPOOL_VERSION);
	jsonline_text(text, "cjson", cJSON_Version());
	jsonline_text(text, "libmicrohttpd", MHD_get_version());
	jsonline_text(text, "openssl", OpenSSL_version(OPENSSL_VERSION_STRING));
	jsonline_close(text, '}');
	text_addc(text, '\n');
}

static int
tell(const struct receiver_options *options, struct fault *fault)
{
	struct text text = { 0 };

	if (options->help)
		receiver_options_help(&text);
	else
		add_version(&text, options->json);
	output_data(text_string(&text), text.len);
	text_free(&text);
	return output_flush(fault);
}

int
main(int argc, char **argv)
{
	struct output output = { .program = "monspool-receiver" };
	struct receiver_options options;
	struct fault fault = { 0 };
	int result;

	output_guard();
	result = receiver_options_read(&options, argc, argv, &fault);
	output.json = options.json;
	if (result == 0 && (options.help || options.version))
		result = tell(&options, &fault);
	else if (result == 0)
		result = run(&options, &fault);
	receiver_options_free(&options);
	return result == 0 ? 0 : output_fault(&output, &fault);
}
