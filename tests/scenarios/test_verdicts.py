"""Every code and status of protocol.md, as the real receiver's answer to all:
what becomes of the rows and of their lane, and that it passes."""
import pytest

from house import row, wait_until

ROWS = 6
RETRY, HOLD, DIE = "waiting", "held", "dead"

CODES = {
    1000: HOLD, 1001: HOLD, 1002: RETRY, 1003: RETRY, 1004: HOLD, 1005: HOLD,
    1006: RETRY, 1007: RETRY, 1008: HOLD, 1009: HOLD, 1010: HOLD, 1011: HOLD,
    1012: HOLD, 1013: HOLD, 1014: HOLD, 1015: DIE, 1016: DIE, 1017: DIE,
    1018: RETRY, 1019: HOLD, 1020: DIE, 1021: HOLD,
    4000: HOLD, 4100: HOLD, 4200: HOLD, 4300: HOLD, 4400: RETRY, 4500: HOLD,
    4600: HOLD, 5000: HOLD, 5100: RETRY, 5400: HOLD, 6000: RETRY, 6100: HOLD,
    6200: RETRY,
    5200: HOLD, 7777: HOLD,  # unknown: retried eight times, then held
}
STATUSES = {
    301: HOLD, 400: HOLD, 403: HOLD, 404: HOLD, 407: HOLD, 413: HOLD, 414: HOLD,
    501: HOLD, 408: RETRY, 429: RETRY, 500: RETRY, 502: RETRY, 503: RETRY,
}
CASES = [(f"code={code}", end) for code, end in CODES.items()] + \
        [(f"http={status}", end) for status, end in STATUSES.items()]


def has_come(spool, end):
    status = spool.status()
    if end == DIE:
        return status["dead"] == ROWS
    return status["lanes"][0]["state"] == end


@pytest.mark.parametrize("fault, end", CASES, ids=[case[0] for case in CASES])
def test_all_are_answered(fault, end, spool, receiver, forwarder):
    spool.put_rows([row(number, disk=str(number % 3)) for number in range(ROWS)])
    bad = receiver(fault=fault)
    ahead = forwarder(bad.url, {"retry.base": "5ms", "retry.max": "20ms"}).start()
    wait_until(lambda: has_come(spool, end), what=f"{fault} ends as {end}")
    dead = spool.status()["dead"]
    assert dead == (ROWS if end == DIE else 0)
    assert not bad.records()
    bad.stop()
    good = receiver(port=bad.port, folder=bad.folder)
    ahead.reload()
    wait_until(lambda: spool.status()["delivered"] == ROWS - dead,
               what="the innocent are delivered")
    assert len(good.records()) == ROWS - dead
    assert spool.audit()["ok"]
    ahead.stop()


def test_the_pace_that_a_receiver_allows_is_found(spool, receiver, forwarder):
    spool.put_rows([row(number) for number in range(2000)])
    sink = receiver(rate="10/s")
    forwarder(sink.url, {"batch.max_rows": "20"}).drain("60s", check=0)
    requests = sink.requests()
    throttled = sum(request["code"] == 1006 for request in requests)
    assert len(sink.records()) == 2000
    assert throttled <= 40
    assert spool.status()["dead"] == 0


def test_an_unknown_limit_of_size_is_learned(spool, receiver, forwarder):
    spool.put_rows([row(number) for number in range(1000)])
    sink = receiver(max_body="2000")
    forwarder(sink.url).drain(check=0)
    refused = sum(request["code"] == 1015 for request in sink.requests())
    assert len(sink.records()) == 1000
    assert refused <= 12
    assert spool.status()["dead"] == 0
