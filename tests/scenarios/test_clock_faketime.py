"""The clock is set while the real programs run (contract.md C11): libfaketime
moves the time of day, and leaves the monotonic clock true."""
import glob
import os

import pytest

from house import row, wait_until

LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"
JUMPS = ["+30d", "-30d"]


class Clock:
    """The time of day of every program started from now on."""

    def __init__(self, file, library, monkeypatch):
        self.file = file
        self.set("+0")
        for name, value in {
                "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(file),
                "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "NO_FAKE_STAT": "1",
                "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")
                + ":verify_asan_link_order=0"}.items():
            monkeypatch.setenv(name, value)

    def set(self, jump):
        new = self.file.with_suffix(".new")
        new.write_text(jump + "\n")
        new.rename(self.file)


@pytest.fixture
def clock(tmp_path, monkeypatch):
    """clock(): from now on programs have a clock that can be set."""
    library = glob.glob(LIBRARY)
    if not library:
        pytest.skip("SKIP clock_faketime: libfaketime is missing; C11 is proved by simulate")
    return lambda: Clock(tmp_path / "clock", library[0], monkeypatch)


def values(sink):
    return [record["value"] for record in sink.records()]



def put(spool, numbers, **more):
    spool.put_rows({**row(n), **more} for n in numbers)


def check_delivered(spool, sink, count):
    """Each once and in order, for all are of one series."""
    wait_until(lambda: spool.status()["pending"] == 0, what="all is delivered")
    assert values(sink) == list(range(count))
    audit = spool.audit()
    assert audit["ok"] and audit["delivered"] == audit["accepted"] == count


@pytest.mark.parametrize("jump", JUMPS)
def test_jumps_amid_deliveries_are_harmless(jump, clock, spool, receiver, forwarder):
    time = clock()
    sink = receiver(skew="0", fault="delay=5ms")
    ahead = forwarder(sink.url, {"batch.max_rows": 10, "late.after": "5m"}).start()
    put(spool, range(400))
    for number, where in enumerate([jump, "+0", jump, "-3y", "+0"]):
        seen = len(sink.records())
        wait_until(lambda: len(sink.records()) > min(seen + 20, 399 + 5 * number),
                   what="rows arrive although the clock jumped")
        time.set(where)
        put(spool, range(400 + 5 * number, 405 + 5 * number))
    check_delivered(spool, sink, 425)
    assert {request["code"] for request in sink.requests()} == {0}
    signed = [request["timestamp"] for request in sink.requests()]
    assert max(signed) - min(signed) > 2 * 365 * 86400  # it was set, and each signs anew
    assert ahead.stop() == 0


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("restarted", [False, True])
def test_a_wait_ends_in_time(restarted, jump, clock, spool, receiver, forwarder):
    """What is stored is when a lane wakes; the clock is then set."""
    time = clock()
    sink = receiver(skew="0")
    port = sink.port
    sink.stop()
    ahead = forwarder(sink.url, {"retry.base": "2s", "retry.max": "2s"}).start()
    put(spool, range(3))
    wait_until(lambda: spool.status()["lanes"][0]["state"] == "waiting")
    time.set(jump)
    if restarted:
        ahead.kill()
        ahead.start()
    sink = receiver(port=port, skew="0", folder=sink.folder)
    put(spool, range(3, 5))
    check_delivered(spool, sink, 5)
    assert ahead.stop() == 0


def test_rows_expire_when_the_clock_passes_their_age_alone(
        clock, spool, receiver, forwarder):
    time = clock()
    sink = receiver(skew="0")
    ahead = forwarder(sink.url)
    put(spool, range(3), max_age="1h")
    time.set("-30d")
    put(spool, range(3, 6), max_age="1h")
    ahead.once(check=0)
    check_delivered(spool, sink, 6)
    put(spool, range(6, 9), max_age="1h")
    time.set("+0")
    ahead.once(check=0)
    status = spool.status()
    assert (status["expired"], status["pending"], status["dead"]) == (3, 0, 0)
    assert values(sink) == list(range(6)) and spool.audit()["ok"]


@pytest.mark.parametrize("jump", ["+3h", "-3h"])
def test_a_clock_that_is_off_is_corrected_once(jump, clock, spool, receiver, forwarder):
    sink = receiver()  # its own clock is right
    time = clock()
    ahead = forwarder(sink.url, {"batch.max_rows": 1}).start()
    put(spool, [0])
    wait_until(lambda: values(sink) == [0])
    time.set(jump)
    put(spool, range(1, 8))
    check_delivered(spool, sink, 8)
    codes = [request["code"] for request in sink.requests()]
    assert codes == [0, 1021, *[0] * 7]
    time.set("+0")
    put(spool, [8])
    check_delivered(spool, sink, 9)
    assert ahead.stop() == 0


@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_too_far_off_holds_until_it_is_right(
        jump, clock, spool, receiver, forwarder):
    sink = receiver()
    time = clock()
    ahead = forwarder(sink.url).start()
    time.set(jump)
    put(spool, range(5))
    wait_until(lambda: spool.status()["held"] == 5, what="the lane is held")
    [lane] = spool.status()["lanes"]
    assert lane["code"] == 1021 and values(sink) == []
    time.set("+0")
    check_delivered(spool, sink, 5)
    assert ahead.stop() == 0
