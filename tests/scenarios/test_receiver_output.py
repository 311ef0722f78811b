"""monspool-receiver: what it writes."""
import contextlib
import http.client
import json
import signal
import time

import pytest

import oracle
from receiver_fixture import (  # noqa: F401
    DEADLINE, KEY, SECRET_ID, Receiver, codes, serve)


VALUES = ["30", "-0", "0.30000000000000004", "1.7976931348623157e+308",
          "5e-324", "1E5", "1.50", "123456789012345678901"]


@pytest.mark.parametrize("form", ["POST", "GET"])
def test_records_values_as_they_came(serve, form):
    receiver = serve()
    items = ", ".join('{"dimensions" : {"a":"]},\\"", "b" : "v"},\n '
                      '"metricName":"m", "value": %s }' % v for v in VALUES)
    parameters = receiver.body(form, Data="HERE")
    if form == "POST":
        text = json.dumps(parameters).replace('"HERE"', f"[ {items}\n]")
        assert receiver.post(text) == 0
    else:
        assert receiver.get(oracle.query(parameters | {
            "Data": f" [{items}]"})) == 0
    lines = receiver.record.read_text().splitlines()
    assert [line.split('"value":')[1].split(",")[0] for line in lines] == \
        VALUES
    for line in receiver.rows():
        assert line["dimensions"] == {"a": ']},"', "b": "v"}


def test_a_record_line_has_all_members(serve):
    receiver = serve()
    assert receiver.post(data=[oracle.row("m\u00e9", 1.5, a="\t\"")]) == 0
    line = receiver.rows()[0]
    assert list(line) == ["received_at", "namespace", "region", "secret_id",
                          "metricName", "dimensions", "value", "request"]
    at = line.pop("received_at")
    assert time.strptime(at[:19], "%Y-%m-%dT%H:%M:%S") and at[-1] == "Z"
    assert line == {"namespace": "cvm", "region": "gz",
                    "secret_id": SECRET_ID, "metricName": "m\u00e9",
                    "dimensions": {"a": "\t\""}, "value": 1.5, "request": 1}


def test_a_request_line_has_all_members(serve):
    receiver = serve(signed=True)
    body = receiver.body(data=[oracle.row()] * 3)
    text = json.dumps(body)
    assert receiver.post(text) == 0
    line = receiver.seen()[0]
    assert list(line) == [
        "request", "received_at", "method", "namespace", "region",
        "secret_id", "timestamp", "nonce", "signature", "signature_ok",
        "rows", "bytes", "http_status", "code", "fault"]
    del line["received_at"]
    assert line == {
        "request": 1, "method": "POST", "namespace": "cvm", "region": "gz",
        "secret_id": SECRET_ID, "timestamp": body["Timestamp"],
        "nonce": body["Nonce"], "signature": body["Signature"],
        "signature_ok": True, "rows": 3, "bytes": len(text),
        "http_status": 200, "code": 0, "fault": None}


def test_what_is_not_known_is_null(serve):
    receiver = serve()
    assert receiver.post("x") == 1005
    line = receiver.seen()[0]
    for name in ("namespace", "region", "secret_id", "timestamp", "nonce",
                 "signature", "signature_ok", "fault"):
        assert line[name] is None, name
    assert (line["rows"], line["bytes"], line["code"]) == (0, 1, 1005)


def test_a_fault_is_named_in_the_requests(serve):
    receiver = serve("--fault", "code=1003,every=2")
    codes(receiver, 2)
    assert [r["fault"] for r in receiver.seen()] == [None, "code=1003"]


def test_files_are_appended_to_and_requests_numbered_from_1(tmp_path):
    for _ in range(2):
        receiver = Receiver(tmp_path)
        codes(receiver, 2)
        receiver.stop()
    assert [r["request"] for r in receiver.seen()] == [1, 2, 1, 2]
    assert [r["request"] for r in receiver.rows()] == [1, 2, 1, 2]


def test_lines_are_there_before_the_answer(serve):
    receiver = serve()
    for count in range(1, 50):
        assert receiver.post() == 0
        assert len(receiver.rows()) == len(receiver.seen()) == count


def test_requests_on_one_connection_are_numbered_on(serve):
    receiver = serve()
    client = http.client.HTTPConnection(receiver.host, receiver.port,
                                        timeout=DEADLINE)
    with contextlib.closing(client):
        for _ in range(3):
            client.request("POST", oracle.PATH, json.dumps(receiver.body()))
            assert client.getresponse().read().startswith(b'{"code":0')
    assert [r["request"] for r in receiver.rows()] == [1, 2, 3]


def test_a_request_is_a_line_on_stderr(serve):
    receiver = serve()
    receiver.post(namespace="pc\x1b")
    text = receiver.stop()
    assert "request=1" in text and "\x1b" not in text


def test_quiet_says_only_the_totals(serve):
    receiver = serve("-q")
    assert codes(receiver, 3) == [0] * 3
    text = receiver.stop()
    assert "request=" not in text and "listening" not in text
    assert "rows accepted" in text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_totals(serve, number):
    receiver = serve("-q", "--json", "--namespace", "cvm", "--fault",
                     "code=1003,after=4,count=1", "--fault",
                     "reset,after=5,count=1", "--fault", "code=4500,after=6")
    assert codes(receiver, 3, data=[oracle.row()] * 5) == [0] * 3
    assert receiver.post(namespace="other") == 1016
    assert receiver.post() == 1003
    with pytest.raises(ConnectionError):
        receiver.post()
    assert receiver.post() == 4500
    totals = json.loads(receiver.stop(number))
    assert receiver.process.returncode == 0
    assert totals == {
        "requests": 7, "accepted_rows": 15, "refused_rows": 4,
        "connections_refused": 0, "faults": 3, "no_code": 1,
        "other_codes": 1, "codes": {"0": 3, "1003": 1, "1016": 1}}


def test_json_says_everything_in_json(serve):
    receiver = serve("-j")
    receiver.post()
    lines = [json.loads(line) for line in receiver.stop().splitlines()]
    assert [line.get("event") for line in lines] == [
        "listening", "signatures_unchecked", "all_namespaces_known",
        "request", None]


def test_says_that_signatures_are_unchecked(serve):
    assert "signatures_unchecked" in serve().stop()
    assert "signatures_unchecked" not in serve(signed=True).stop()


def test_never_says_the_key(serve):
    receiver = serve(signed=True)
    receiver.post()
    receiver.post(Signature="x")
    assert KEY not in receiver.stop()
    assert KEY not in receiver.requests.read_text()
