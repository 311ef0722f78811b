"""The main path: put, forward, receive; and what must not break it."""
import collections
import json
import struct
import time

import pytest

import oracle
from house import SECRET_ID, SECRET_KEY, row, wait_until
from liar import reply

OK = '{"code":0,"message":"OK"}'


def values(records):
    return [record["value"] for record in records]


def in_order(records):
    """Whether each series' values ascend."""
    series = collections.defaultdict(list)
    for record in records:
        series[record["metricName"], str(record["dimensions"])].append(record["value"])
    return all(seen == sorted(seen) for seen in series.values())


# Doubles that a careless printer changes.
HARD_VALUES = [
    0.1, 0.30000000000000004, 1 / 3, 2 / 3, 5e-324, 2.2250738585072014e-308,
    1.7976931348623157e308, -1.7976931348623157e308, 1e21, 1e22, 1e23,
    9007199254740993.0, 123456789012345680.0, 4.35, -0.0, 0.0, 1e-7, 100.0,
]
HARD_DIMENSIONS = [
    {"ip": "10.0.0.1", "disk": "größe/一/🂡"}, {"quoted": 'a"b\\c/d'},
    {"empty": ""}, {"five": "5", "four": "4", "one": "1", "three": "3", "two": "2"}, {},
]


def test_what_was_put_arrives_bit_for_bit(spool, receiver, forwarder):
    rows = [{"namespace": "cvm", "metric": "cpu", "dimensions": dimensions, "value": value}
            for value in HARD_VALUES for dimensions in HARD_DIMENSIONS]
    answer = spool.put_rows(rows)
    assert (answer["queued"], answer["rejected"]) == (len(rows), 0)
    sink = receiver()
    forwarder(sink.url).drain(check=0)

    def shape(dimensions, value):
        return struct.pack("<d", float(value)), sorted(dimensions.items())
    sent = sorted(shape(one["dimensions"], one["value"]) for one in rows)
    # As floats throughout: Python takes "-0" for an integer, which has no sign.
    records = [json.loads(line, parse_int=float)
               for line in sink.record.read_text().splitlines()]
    got = sorted(shape(one["dimensions"], one["value"]) for one in records)
    assert got == sent
    assert spool.audit()["ok"]


def test_one_metric_from_the_command_line_arrives(spool, receiver, forwarder):
    spool.put("-n", "cvm", "-m", "diskusage", "-d", "diskname=disk1",
              "-d", "ip=172.31.58.160", "30.5")
    spool.put("-n", "cvm", "-m", "temperature", "--", "-5")
    sink = receiver()
    forwarder(sink.url).once(check=0)
    first, second = sorted(sink.records(), key=lambda one: one["metricName"])
    assert (first["namespace"], first["region"]) == ("cvm", "gz")
    assert first["dimensions"] == {"diskname": "disk1", "ip": "172.31.58.160"}
    assert (first["value"], second["value"]) == (30.5, -5)


def test_a_clean_run_has_no_duplicate_and_keeps_order(spool, receiver, forwarder):
    spool.put_rows(row(n, metric=f"m{n % 7}") for n in range(5000))
    sink = receiver()
    forwarder(sink.url).drain(check=0)
    assert sorted(values(sink.records())) == list(range(5000))
    assert in_order(sink.records())
    assert len(sink.requests()) == 50


def test_an_outage_is_waited_out(spool, receiver, forwarder, tmp_path):
    sink = receiver()
    ahead = forwarder(sink.url).start()
    spool.put_rows(row(n) for n in range(50))
    ahead.wait_empty()
    assert sink.stop() == 0
    spool.put_rows(row(n) for n in range(50, 150))
    wait_until(lambda: spool.status()["lanes"][0]["state"] == "waiting",
               what="the lane backs off")
    wait_until(lambda: spool.status()["forwarder"]["last_error"], what="it is said why")
    status = spool.status()
    assert (status["pending"], status["dead"]) == (100, 0)
    back = receiver(port=sink.port)
    ahead.wait_empty()
    assert ahead.stop() == 0
    assert sorted(values(sink.records() + back.records())) == list(range(150))
    assert spool.audit()["ok"]


def test_new_rows_wake_the_forwarder(spool, receiver, forwarder):
    """By the bell: the poll alone would take its minute."""
    sink = receiver()
    forwarder(sink.url, {"forwarder.idle_poll": "60s"}).start()
    for n in range(5):
        spool.put("-n", "cvm", "-m", "cpu", n)
        wait_until(lambda: len(sink.records()) == n + 1, 10, "the row arrives")


LIES = {
    "empty": reply(""),
    "nothing at all": b"",
    "cut short": reply(OK[:-4], length=len(OK)),
    "cut short, and no length": reply(OK[:-4], length=-1),
    "no JSON": reply("OK"),
    "a page": reply("<html><body>code: 0</body></html>"),
    "an array": reply("[" + OK + "]"),
    "a bare 0": reply("0"),
    "code null": reply('{"code":null,"message":"OK"}'),
    "code true": reply('{"code":true}'),
    "code false": reply('{"code":false}'),
    "code 0.5": reply('{"code":0.5}'),
    "code 0.0": reply('{"code":0.0}'),
    "code -0": reply('{"code":-0}'),
    "code 1e-400": reply('{"code":1e-400}'),
    "code an empty text": reply('{"code":""}'),
    "code an object": reply('{"code":{"code":0}}'),
    "code missing": reply('{"message":"OK"}'),
    "code twice": reply('{"code":0,"code":0}'),
    "Code": reply('{"Code":0}'),
    "code within": reply('{"Response":{"code":0}}'),
    "bytes after": reply(OK + "\nInternal Server Error"),
    "a NUL after": reply(OK.encode() + b"\0{}"),
    "code 0 with 500": reply(OK, status="500 Internal Server Error"),
    "code 0 with 404": reply(OK, status="404 Not Found"),
    "code 0 with 201": reply(OK, status="201 Created"),
    "a redirect": reply(OK, status="302 Found", extra="Location: /elsewhere\r\n"),
    "HTTP/0.9": OK.encode(),
    "gzip": reply(OK, extra="Content-Encoding: gzip\r\n")[:-len(OK)] + b"\x1f\x8b\x08",
    "endless": reply("{" + " " * 200_000 + OK[1:]),
    "endless headers": reply(OK, extra="".join(
        f"X-{n}: {'y' * 1000}\r\n" for n in range(200))),
    "an unknown code": reply('{"code":7777,"message":"?"}'),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lying_receiver_is_not_believed(lie, spool, liar, forwarder):
    spool.put_rows(row(n) for n in range(3))
    server = liar(LIES[lie])
    done = forwarder(server.url).once()
    status = spool.status()
    assert len(server.bodies) >= 1
    assert (status["delivered"], status["dead"], status["pending"]) == (0, 0, 3)
    assert done.returncode in (69, 75), done.stderr
    assert spool.audit()["ok"]


def test_the_truth_is_believed(spool, liar, forwarder):
    """The control of the lies: the same server, with the right answer."""
    spool.put_rows(row(n) for n in range(3))
    server = liar(reply(OK + "\r\n"))
    forwarder(server.url).once(check=0)
    assert len(server.bodies) == 1
    assert spool.status()["delivered"] == 3


def test_a_wrong_key_holds_everything_and_kills_nothing(spool, receiver, forwarder):
    spool.put_rows(row(n) for n in range(300))
    sink = receiver()
    ahead = forwarder(sink.url, {"retry.hold_probe": "200ms..1s"})
    ahead.set_key("wrong" * 6)
    ahead.start()
    wait_until(lambda: sink.requests(), what="the first request")
    begun = time.monotonic()
    wait_until(lambda: time.monotonic() - begun > 3, what="three seconds are over")
    requests = sink.requests()
    status = spool.status()
    assert (status["dead"], status["held"], status["pending"]) == (0, 300, 300)
    assert (status["lanes"][0]["state"], status["lanes"][0]["code"]) == ("held", 1011)
    assert {request["code"] for request in requests} == {1011}
    assert 2 <= len(requests) <= 20
    assert [request["rows"] for request in requests[1:]] == [1] * (len(requests) - 1)
    ahead.set_key(SECRET_KEY)
    ahead.reload()
    ahead.wait_empty()
    assert ahead.stop() == 0
    assert sorted(values(sink.records())) == list(range(300))
    assert in_order(sink.records())
    assert spool.status()["held"] == 0 and spool.audit()["ok"]


GOOD = [f"good{n}" for n in range(18)]
SERIES = GOOD[:9] + ["bad0"] + GOOD[9:] + ["bad1"]


def test_two_bad_series_of_twenty_die_alone(spool, receiver, forwarder):
    sink = receiver(namespace="cvm:" + ",".join(GOOD))
    ahead = forwarder(sink.url)
    for round_, most in (0, 60), (1, 40):
        before = len(sink.requests())
        spool.put_rows(row(n, metric=SERIES[n % 20]) for n in
                       range(round_ * 1000, round_ * 1000 + 1000))
        ahead.drain(check=0)
        status = spool.status()
        assert (status["delivered"], status["dead"], status["pending"]) == \
            (900 * (round_ + 1), 100 * (round_ + 1), 0)
        requests = len(sink.requests()) - before
        assert requests <= most, f"round {round_ + 1}: {requests} requests"
    dead = spool.dead()
    assert {one["metric"] for one in dead} == {"bad0", "bad1"}
    assert {(one["code"], one["message"]) for one in dead} == \
        {(1017, "Dimension verification failed")}
    # Most die with their series, without a request of their own.
    assert {one["metric"] for one in dead if one["attempts"] > 0} == {"bad0", "bad1"}
    received = values(sink.records())
    assert sorted(received + [one["value"] for one in dead]) == list(range(2000))
    assert in_order(sink.records())
    assert spool.audit()["ok"]


def test_a_misspelt_namespace_dies_and_the_other_lives(spool, receiver, forwarder):
    sink = receiver(namespace=["cvm", "pc"])
    spool.put_rows(row(n, namespace="cvmm" if n % 2 else "cvm") for n in range(100))
    forwarder(sink.url).drain(check=0)
    dead = spool.dead()
    assert {(one["namespace"], one["code"]) for one in dead} == {("cvmm", 1016)}
    assert sorted(one["value"] for one in dead) == list(range(1, 100, 2))
    assert sorted(values(sink.records())) == list(range(0, 100, 2))
    shown = spool.json("dead", "show", dead[0]["id"])
    assert shown["evidence"]["http_status"] == 200
    assert any(attempt["code"] == 1016 and attempt["alone"]
               for attempt in shown["attempt_list"])
    assert spool.audit()["ok"]


def test_a_second_forwarder_leaves(spool, receiver, forwarder):
    sink = receiver()
    first = forwarder(sink.url).start()
    second = forwarder(sink.url)
    for mode in [], ["--once"], ["--drain"]:
        done = second.run(*mode, check=75)
        assert str(first.process.pid) in done.stderr
    assert first.process.running()
    first.kill()
    second.once(check=0)


def test_a_term_finishes_what_is_in_flight(spool, receiver, forwarder):
    sink = receiver(fault="delay=300ms")
    ahead = forwarder(sink.url, {"batch.max_rows": "10"}).start()
    spool.put_rows(row(n) for n in range(1000))
    wait_until(lambda: len(sink.records()) >= 20, what="some batches")
    assert ahead.stop() == 0
    status = spool.status()
    assert status["delivered"] == len(sink.records())
    assert status["pending"] == 1000 - status["delivered"] > 0
    assert not status["forwarder"]["running"]
    assert spool.audit()["ok"]


def test_once_says_what_is_left(spool, receiver, forwarder):
    sink = receiver()
    ahead = forwarder(sink.url)
    ahead.once(check=0)
    assert sink.stop() == 0
    spool.put_rows(row(n) for n in range(10))
    ahead.once(check=69)
    ahead.drain("300ms", check=69)
    again = receiver(port=sink.port)
    ahead.set_key("wrong")
    ahead.once(check=75)
    ahead.drain(check=75)
    assert spool.status()["dead"] == 0
    assert spool.status()["held"] == 10
    assert again.records() == []


def test_drain_waits_a_back_off_out(spool, receiver, forwarder):
    spool.put_rows(row(n) for n in range(10))
    sink = receiver(fault="code=1003,count=3")
    forwarder(sink.url).drain(check=0)
    assert sorted(values(sink.records())) == list(range(10))
    assert [request["code"] for request in sink.requests()] == [1003] * 3 + [0]


def test_the_configuration_is_checked(spool, receiver, forwarder):
    ahead = forwarder("http://127.0.0.1:9/v2/index.php")
    ahead.run("--check-config", check=0)
    for setting, value, word in [
            ("retry.bass", "1s", "base"), ("batch.max_rows", "many", "max_rows"),
            ("retry.max", "5 parsecs", "max"), ("codes.0", "retry", "0")]:
        faulty = forwarder("http://127.0.0.1:9/v2/index.php", {setting: value})
        done = faulty.run("--check-config", check=78)
        assert "monspool.conf:" in done.stderr and word in done.stderr
    without = forwarder("http://127.0.0.1:9/v2/index.php", {"account.region": None})
    without.run("--check-config", check=78)
    ahead.key.chmod(0o644)
    ahead.run("--check-config", check=77)
    ahead.run("--once", check=77)


def test_a_missing_queue_is_not_made(spool, forwarder):
    ahead = forwarder("http://127.0.0.1:9/v2/index.php",
                      {"queue.path": spool.path.parent / "other.db"})
    done = ahead.once(check=66)
    assert "init" in done.stderr
    assert not (spool.path.parent / "other.db").exists()


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_every_attempt_is_signed_anew_as_the_oracle_signs(
        method, spool, receiver, forwarder):
    spool.put_rows(row(n) for n in range(200))
    sink = receiver(fault="code=1002,every=3")
    forwarder(sink.url, {"receiver.method": method, "batch.max_rows": 20}).drain(check=0)
    requests = sink.requests()
    assert len(requests) > 4
    for one in requests:
        assert one["method"] == method and one["signature_ok"]
        assert one["signature"] == oracle.sign(
            method, SECRET_ID, SECRET_KEY, one["region"], one["timestamp"], one["nonce"])
        assert abs(one["timestamp"] - time.time()) < 60
    nonces = [one["nonce"] for one in requests]
    assert all(1 <= nonce < 2**31 for nonce in nonces)
    assert len(set(nonces)) == len(nonces)
    assert sorted(values(sink.records())) == list(range(200))
