"""monspool-receiver: every fault, and when it strikes."""
import contextlib
import http.client
import json
import time

import pytest

import oracle
from receiver_fixture import (  # noqa: F401
    at_end, await_that, codes, descriptors, serve)


# ---- faults ----

def test_a_code_is_answered_and_nothing_accepted(serve):
    receiver = serve("--fault", "code=1002")
    _, _, body = receiver.exchange("POST", oracle.PATH,
                                   json.dumps(receiver.body()))
    assert json.loads(body) == {
        "code": 1002, "message": "Service is not ready. Try again later"}
    assert receiver.rows() == []


DOCUMENTED = {
    1000: "HTTP method is not supported. You cannot send request using POST "
          "or GET method",
    1001: "Failed CGI request. CGI of this request is not supported",
    1002: "Service is not ready. Try again later",
    1003: "CVM internal logic failed",
    1004: "Request content does not exist",
    1005: "Request content is not in JSON format",
    1006: "Too many SecretId requests received within the time period. CVM "
          "protection mechanism sets a limit on frequency",
    1007: "Exception in frequency limitation feature of CVM",
    1008: "Client is blocked by CVM",
    1009: "Missing parameter",
    1010: "Incorrect parameter type",
    1011: "Invalid client ID (authentication failed)",
    1012: "The API called does not conform to the API specifications",
    1013: "Invalid parameter",
    1014: "Data is discarded because routing information is missing",
    1015: "Length of data exceeds the upper limit",
    1016: "Invalid Namespace",
    1017: "Dimension verification failed",
    1018: "The number of metrics sent within the time period exceeds the "
          "upper limit",
    1019: "Valid metric data is not reported",
    1020: "Length of dimension or metric name exceeds the limit",
    1021: "Invalid time stamp",
}


def test_all_documented_texts(serve):
    faults = [f"--fault=code={code},count=1" for code in DOCUMENTED]
    receiver = serve(*faults)
    told = {}
    for _ in DOCUMENTED:
        answer = json.loads(receiver.exchange(
            "POST", oracle.PATH, json.dumps(receiver.body()))[2])
        told[answer["code"]] = answer["message"]
    assert told == DOCUMENTED
    assert receiver.post() == 0


def test_a_made_up_code_can_be_answered(serve):
    assert serve("--fault", "code=4500").post() == 4500


def test_code_0_can_lie(serve):
    receiver = serve("--fault", "code=0")
    assert receiver.post() == 0
    assert receiver.rows() == []


def test_http_status_with_html_and_retry_after(serve):
    receiver = serve("--fault", "http=502,retry-after=7,count=1",
                     "--fault", "http=302")
    status, headers, body = receiver.exchange("POST", oracle.PATH, "{}")
    assert (status, headers["Retry-After"]) == (502, "7")
    assert headers["Content-Type"] == "text/html" and b"<html>" in body
    status, headers, _ = receiver.exchange("POST", oracle.PATH, "{}")
    assert status == 302 and headers["Location"]
    assert headers["Retry-After"] is None
    assert [(r["http_status"], r["code"]) for r in receiver.seen()] == [
        (502, None), (302, None)]


def test_refuse_resets_the_connection_when_it_is_made(serve):
    receiver = serve("--fault", "refuse,count=2")
    for _ in range(2):
        with pytest.raises(ConnectionResetError), receiver.connect() as client:
            client.recv(1)
    assert receiver.post() == 0
    assert len(receiver.seen()) == 1
    assert "connections refused" in receiver.stop()


def test_an_outage_ends_and_comes_again(serve):
    receiver = serve("--fault", "outage=200ms/400ms")

    def state():
        try:
            return receiver.post()
        except ConnectionError:
            return "out"

    for wanted in ("out", 0, "out", 0):
        await_that(lambda w=wanted: state() == w, f"state {wanted}")


def test_an_outage_without_a_period_comes_once_after_n(serve):
    receiver = serve("--fault", "outage=300ms,after=3")
    assert codes(receiver, 3) == [0, 0, 0]
    with pytest.raises(ConnectionError):
        receiver.post()

    def works():
        with contextlib.suppress(ConnectionError):
            return receiver.post() == 0

    await_that(works, "the end of the outage")
    assert codes(receiver, 20) == [0] * 20


def test_reset_reads_the_request_first(serve):
    receiver = serve("--fault", "reset")
    with receiver.raw() as client:
        assert at_end(client) == (b"", "reset")
    seen = receiver.seen()[0]
    assert (seen["rows"], seen["http_status"], seen["fault"]) == (
        1, None, "reset")
    assert receiver.rows() == []


def test_reset_accepts_the_rows_when_told(serve):
    receiver = serve("--fault", "reset,accept=yes")
    with receiver.raw() as client:
        assert at_end(client) == (b"", "reset")
    assert len(receiver.rows()) == 1


def test_accept_yes_does_not_help_bad_rows(serve):
    receiver = serve("--fault", "code=1003,accept=yes", "--namespace", "cvm")
    assert receiver.post() == 1003
    assert receiver.post(namespace="other") == 1003
    assert [r["request"] for r in receiver.rows()] == [1]


def test_hang_never_answers_and_holds_up_nobody(serve):
    receiver = serve("--fault", "hang,count=2")
    with receiver.raw() as first, receiver.raw() as second:
        await_that(lambda: len(receiver.seen()) == 2, "both read")
        assert codes(receiver, 3) == [0, 0, 0]
        for client in (first, second):
            client.setblocking(False)
            with pytest.raises(BlockingIOError):
                client.recv(1)
    assert len(receiver.rows()) == 3


def test_hanging_clients_that_give_up_are_let_go(serve):
    receiver = serve("--fault", "hang")
    before = descriptors(receiver)
    clients = [receiver.raw() for _ in range(20)]
    await_that(lambda: descriptors(receiver) >= before + 20, "20 taken")
    for client in clients:
        client.close()
    await_that(lambda: descriptors(receiver) == before, "20 let go")


def test_hang_does_not_keep_it_from_ending(serve):
    receiver = serve("--fault", "hang")
    with receiver.raw() as client:
        await_that(receiver.seen, "the request read")
        receiver.stop()
        assert receiver.process.returncode == 0
        assert at_end(client)[0] == b""


def test_delay_answers_late_and_holds_up_nobody(serve):
    receiver = serve("--fault", "delay=400ms,count=1")
    began = time.monotonic()
    with receiver.raw() as client:
        await_that(receiver.rows, "accepted before the answer")
        assert receiver.post() == 0
        assert time.monotonic() - began < 0.4
        assert client.recv(12) == b"HTTP/1.1 200"
        assert time.monotonic() - began >= 0.39


def test_a_delay_varies_within_its_range(serve):
    receiver = serve("--fault", "delay=1ms..80ms")
    took = []
    for _ in range(12):
        began = time.monotonic()
        assert receiver.post() == 0
        took.append(time.monotonic() - began)
    assert max(took) - min(took) > 0.005


def test_slow_trickles(serve):
    receiver = serve("--fault", "slow=100B/s")
    began = time.monotonic()
    with receiver.raw() as client:
        pieces, text = 0, b""
        while b'"OK"}' not in text:
            text += client.recv(65536)
            pieces += 1
    assert time.monotonic() - began >= 0.2
    assert pieces >= 5
    assert text.endswith(b'\r\n\r\n{"code":0,"message":"OK"}')
    assert len(receiver.rows()) == 1


def test_truncate_announces_more_than_it_sends(serve):
    receiver = serve("--fault", "truncate")
    with receiver.raw() as client:
        got, end = at_end(client)
    head, body = got.split(b"\r\n\r\n")
    assert b"content-length: 25" in head.lower()
    assert end == "closed" and body == b'{"code":0,"m'
    with pytest.raises(http.client.IncompleteRead):
        receiver.post()
    assert len(receiver.rows()) == 2


def test_garbage_is_not_json(serve):
    receiver = serve("--fault", "garbage")
    status, _, body = receiver.exchange("POST", oracle.PATH,
                                        json.dumps(receiver.body()))
    assert status == 200
    with pytest.raises(ValueError):
        json.loads(body.decode("latin-1"))
    assert len(receiver.rows()) == 1
    assert receiver.seen()[0]["code"] is None


def test_close_before_reply_accepts_and_closes(serve):
    receiver = serve("--fault", "close-before-reply")
    with receiver.raw() as client:
        assert at_end(client) == (b"", "closed")
    assert len(receiver.rows()) == 1
    assert receiver.seen()[0]["http_status"] is None


@pytest.mark.parametrize("kind", ["delay=1ms", "slow=9K/s", "garbage",
                                  "truncate", "close-before-reply"])
def test_faults_do_not_accept_what_the_checks_refuse(serve, kind):
    receiver = serve("--fault", kind, "--namespace", "cvm")
    body = json.dumps(receiver.body(namespace="other"))
    with contextlib.suppress(http.client.HTTPException, ConnectionError):
        receiver.exchange("POST", oracle.PATH, body)
    assert receiver.rows() == []
    assert len(receiver.seen()) == 1


# ---- conditions ----

def test_every_after_and_count(serve):
    receiver = serve("--fault", "code=1002,after=2,every=3,count=2")
    assert codes(receiver, 12) == [0, 0, 0, 0, 1002, 0, 0, 1002, 0, 0, 0, 0]


def test_the_first_fault_that_strikes_happens(serve):
    receiver = serve("--fault", "code=1002,every=2", "--fault",
                     "code=1003,every=3")
    assert codes(receiver, 6) == [0, 1002, 1003, 1002, 0, 1002]


def test_filters_by_namespace_metric_and_rows(serve):
    receiver = serve("--fault", "code=1016,namespace=pc*",
                     "--fault", "code=1017,metric=disk?",
                     "--fault", "code=1015,min-rows=3")
    assert receiver.post() == 0
    assert receiver.post(namespace="pc_1") == 1016
    assert receiver.post(data=[oracle.row("cpu"), oracle.row("disk1")]) == 1017
    assert receiver.post(data=[oracle.row("disk12")]) == 0
    assert receiver.post(data=[oracle.row()] * 2) == 0
    assert receiver.post(data=[oracle.row()] * 3) == 1015
    assert receiver.get(data=[oracle.row()] * 4) == 1015


def test_a_fault_counts_only_what_meets_its_filters(serve):
    receiver = serve("--fault", "code=1002,namespace=pc,after=1,count=1")
    assert receiver.post() == 0
    assert receiver.post(namespace="pc") == 0
    assert receiver.post() == 0
    assert receiver.post(namespace="pc") == 1002
    assert receiver.post(namespace="pc") == 0


def test_the_seed_decides_the_faults(serve):
    def story(seed):
        receiver = serve("--fault", "code=1002,p=0.3", "--fault",
                         "code=1003,p=0.3", "--seed", str(seed))
        return codes(receiver, 60)

    first = story(7)
    assert first == story(7)
    assert first != story(8)
    assert {0, 1002, 1003} == set(first)


def test_p_is_a_probability(serve):
    receiver = serve("--fault", "code=1002,p=0.2")
    struck = codes(receiver, 400).count(1002)
    assert 40 < struck < 130
    assert 1002 not in codes(serve("--fault", "code=1002,p=0"), 20)
    assert codes(serve("--fault", "code=1002,p=1"), 20) == [1002] * 20
