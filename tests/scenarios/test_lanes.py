"""Lanes fail, wait and are held alone: a healthy one does not feel the others."""
import datetime
import threading
import time

import pytest

from house import row, wait_until

ROUNDS, ROWS, EVERY = 3, 100, 0.02
LEAST = 0.020  # below this the scheduler is measured, not the forwarder


def received_at(record):
    return datetime.datetime.fromisoformat(
        record["received_at"].replace("Z", "+00:00")).timestamp()


def p99(spool, place, first):
    """Of a round: rows put one by one, from before the put to the receiver's record."""
    put = {}
    for i in range(first, first + ROWS):
        began = time.time()
        put[i] = began
        spool.put("-n", "good", "-m", "cpu", str(i))
        wait_until(lambda: time.time() >= began + EVERY)
    wait_until(lambda: sum(record["namespace"] == "good" and record["value"] >= first
                           for record in place.records()) == ROWS)
    waits = sorted(received_at(record) - put[record["value"]]
                   for record in place.records()
                   if record["namespace"] == "good" and record["value"] >= first)
    return waits[int(len(waits) * 0.99) - 1]


class Writer(threading.Thread):
    """Goes on putting rows into other lanes."""

    def __init__(self, spool, namespaces):
        super().__init__(daemon=True)
        self.spool, self.namespaces = spool, namespaces
        self.over = threading.Event()

    def run(self):
        number = 0
        while not self.over.wait(0.1):
            number += 1
            self.spool.put_rows([row(number, namespace=namespace, ip=f"10.0.0.{i}")
                                 for namespace in self.namespaces for i in range(5)])


@pytest.mark.parametrize("settings", [
    {"batch.linger": "0", "receiver.timeout": "300ms"},
    {"batch.linger": "0", "receiver.timeout": "300ms", "batch.in_flight": "4",
     "rate.requests_per_second": "100", "rate.burst": "100"},
], ids=["unlimited", "paced"])
def test_a_healthy_lane_does_not_feel_the_others(spool, receiver, forwarder, settings):
    """One namespace hangs, one is refused, one is held: the healthy one's p99
    stays under twice what it is beside others that are healthy, too."""
    place = receiver(namespace=["good", "hangs", "held", "fine1", "fine2", "fine3"],
                     fault="hang,namespace=hangs")
    one = forwarder(place.url, settings).start()
    spool.lines("hold", "set", "held/-/default", "--reason", "not now")
    first = 0
    figures = {("fine1", "fine2", "fine3"): [], ("hangs", "refused", "held"): []}
    for _ in range(ROUNDS):
        for namespaces, waits in figures.items():
            others = Writer(spool, namespaces)
            others.start()
            wait_until(lambda: {lane["namespace"] for lane in spool.status()["lanes"]}
                       >= set(namespaces))
            waits.append(p99(spool, place, first))
            first += ROWS
            others.over.set()
            others.join()
    alone, beside = figures.values()
    status = spool.status()
    states = {lane["namespace"]: lane["state"] for lane in status["lanes"]}
    assert states["held"] == "held" and status["dead"] > 0
    assert any(request["namespace"] == "hangs" for request in place.requests())
    assert one.stop() == 0
    print(f"p99 among healthy ones {min(alone) * 1000:.0f} ms, among sick ones {min(beside) * 1000:.0f} ms")
    assert min(beside) < 2 * max(min(alone), LEAST), (alone, beside)
    assert len({record["value"] for record in place.records()
                if record["namespace"] == "good"}) == first


def test_a_held_backlog_costs_a_fresh_lane_nothing(spool, receiver, forwarder):
    """A million rows of a lane that is held are not looked at."""
    place = receiver()
    spool.lines("hold", "set", "old/-/default", "--reason", "not now")
    for _ in range(5):
        spool.put("-f", "ndjson", input="".join(
            f'{{"namespace":"old","metric":"cpu","dimensions":{{}},"value":{i}}}\n'
            for i in range(200000)))
    one = forwarder(place.url, {"batch.linger": "0"}).start()
    waits = []
    for i in range(20):
        began = time.monotonic()
        spool.put("-n", "new", "-m", "cpu", str(i))
        wait_until(lambda: len(place.records()) == i + 1)
        waits.append(time.monotonic() - began)
    assert sorted(waits)[10] < 0.25
    assert one.stop() == 0 and spool.status()["held"] == 1000000


def test_a_backlog_that_drains_slowly_lets_fresh_lanes_in_between(
        spool, receiver, forwarder):
    """The account's pace is shared in turn: what is new in another lane does not
    wait for a backlog's end.  (Within a lane the order stays: contract C4.)"""
    place = receiver()
    spool.put_rows([row(i, namespace="old") for i in range(5000)])
    one = forwarder(place.url, {
        "batch.linger": "0", "batch.max_rows": "10",
        "rate.requests_per_second": "20", "rate.burst": "1"}).start()
    wait_until(lambda: len(place.records()) > 20)
    for i in range(8):
        began = time.monotonic()
        spool.put("-n", "new", "-m", "cpu", str(i))
        wait_until(lambda: any(record["namespace"] == "new" and record["value"] == i
                               for record in place.records()), timeout=3)
        assert time.monotonic() - began < 3
    assert spool.status()["pending"] > 0  # the backlog is still there
    assert one.stop() == 0
