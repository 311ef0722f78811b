#define _POSIX_C_SOURCE 200809L
#include "cutterinside.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "tls.h"

/* Send what is to be sent, up to the cut: false if it is there. */
static bool
send_waiting(struct connection *connection)
{
	const struct cutter_plan *plan = &connection->plan;
	char bytes[4096];
	size_t room = sizeof(bytes), len;

	do {
		if (plan->in_answer && room > plan->at - connection->raw_out)
			room = plan->at - connection->raw_out;
		len = tls_take(connection->tls, bytes, room);
		if (len > 0)
			cutter_send(connection, bytes, len);
		connection->raw_out += len;
	} while (len > 0);
	return tls_waiting(connection->tls) == 0;
}

/* In two records, and then the notice of its end, without which libcurl takes
 * an answer that is ended by the close: its JSON must be whole, too. */
static void
answer_by_tls(struct connection *connection)
{
	const char *text = connection->plan.answer;
	size_t half = strlen(text) / 2, whole_at;
	struct tls *tls = connection->tls;

	tls_say(tls, text, half);
	tls_say(tls, text + half, strlen(text) - half);
	whole_at = connection->raw_out + tls_waiting(tls);
	tls_end(tls);
	send_waiting(connection);
	cutter_finish(connection, connection->raw_out >= whole_at);
}

/* As take() does; ${at_cut} tells whether the bytes up to the cut are there. */
static bool
take_by_tls(struct connection *connection, bool *at_cut)
{
	const struct cutter_plan *plan = &connection->plan;
	char bytes[4096];
	size_t room = sizeof(bytes), len;
	ssize_t got;

	if (!plan->in_answer && room > plan->at - connection->raw_in)
		room = plan->at - connection->raw_in;
	if ((got = recv(connection->io.fd, bytes, room, 0)) <= 0) {
		if (got == 0 || (errno != EAGAIN && errno != EINTR))
			cutter_end(connection);
		return false;
	}
	connection->raw_in += (size_t)got;
	*at_cut = !plan->in_answer && connection->raw_in == plan->at;
	tls_came(connection->tls, bytes, (size_t)got);
	while ((len = tls_read(connection->tls,
		    connection->bytes + connection->got,
		    REQUEST_MOST - 1 - connection->got)) > 0)
		connection->got += len;
	connection->bytes[connection->got] = '\0';
	if (connection->got > 0)
		cutter_saw(connection);
	return true;
}

void
cutter_read_tls(struct connection *connection)
{
	struct cutter *cutter = connection->cutter;
	bool at_cut;
	size_t len;

	if (!take_by_tls(connection, &at_cut))
		return;
	if (at_cut || !send_waiting(connection)) {
		cutter_cut(connection, connection->plan.how);
		return;
	}
	if (!connection->met && connection->raw_out > 0)
		cutter->count.met++;
	connection->met = connection->raw_out > 0;
	len = cutter_request(connection);
	if (len > 0 && connection->got >= len) {
		cutter->count.beyond |= !connection->plan.in_answer;
		answer_by_tls(connection);
	}
}
