"""The forwarder when the system fails it: a sync that reports an error."""
import signal
import subprocess
from datetime import datetime

import pytest

from house import environment, may_trace, row, wait_until


traced = pytest.mark.skipif(not may_trace(), reason="strace may not trace here")


def under_strace(ahead, inject, *args):
    """The forwarder with faults injected, in the background."""
    return ahead.start_process(
        ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={inject.split(':')[0]}",
         "-e", f"inject={inject}", *ahead.command(*args)], ahead.folder / "log",
        env={"ASAN_OPTIONS": "detect_leaks=0"})  # which cannot be done while traced


@traced
@pytest.mark.parametrize("nth", range(1, 9))
def test_a_failed_sync_opens_the_queue_anew_and_loses_nothing(
        nth, spool, receiver, forwarder):
    sink = receiver()
    spool.put_rows(row(n) for n in range(300))
    ahead = forwarder(sink.url)
    drain = under_strace(ahead, f"fdatasync:error=EIO:when={nth}", "--drain=60s")
    code = drain.wait(90)
    if code == 74:  # so early that it did not start
        assert " start " not in drain.words()
        ahead.drain(check=0)
    else:
        assert code == 0, drain.words()
    assert spool.status()["pending"] == 0
    # What was answered before the failed commit is settled after it.
    assert sorted(one["value"] for one in sink.records()) == list(range(300))
    audit = spool.audit()
    assert audit["ok"], audit


@traced
def test_a_queue_that_fails_for_long_is_waited_for(spool, receiver, forwarder):
    sink = receiver()
    ahead = forwarder(sink.url)
    drain = under_strace(ahead, "fdatasync:error=EIO:when=2..6")
    wait_until(lambda: "start" in drain.words(), what="the forwarder runs")
    spool.put_rows(row(n) for n in range(300))
    wait_until(lambda: spool.status()["pending"] == 0, what="the queue is empty")
    assert sorted(one["value"] for one in sink.records()) == list(range(300))
    assert spool.audit()["ok"]
    child = subprocess.run(
        ["pgrep", "-P", str(drain.pid)], text=True, check=True,
        stdout=subprocess.PIPE, env=environment()).stdout.split()
    assert len(child) == 1
    subprocess.run(["kill", "-TERM", child[0]], check=True)
    assert drain.wait() == 0


def child_of(traced_run):
    """The forwarder that strace runs."""
    return subprocess.run(
        ["pgrep", "-P", str(traced_run.pid)], text=True, check=True,
        stdout=subprocess.PIPE, env=environment()).stdout.strip()


def said_at(run, event):
    """When the log has the event first, in seconds."""
    line = next(line for line in run.words().splitlines() if f" {event} " in line)
    return datetime.fromisoformat(line.split()[0].rstrip("Z")).timestamp()


@traced
def test_a_queue_that_goes_on_failing_is_tried_ever_more_seldom(
        spool, receiver, forwarder):
    sink = receiver()
    ahead = forwarder(sink.url)
    drain = under_strace(ahead, "fdatasync:error=EIO:when=2..8")
    wait_until(lambda: " start " in drain.words(), what="the forwarder runs")
    spool.put_rows(row(n) for n in range(10))
    wait_until(lambda: spool.status()["pending"] == 0, what="the queue is empty")
    wait_until(lambda: " settle_works_again " in drain.words(), what="it is said")
    # 50 ms, 100, 200, 400, ...
    assert said_at(drain, "settle_works_again") - said_at(drain, "settle_failed") > 1.5
    assert drain.words().count(" settle_failed ") == 1
    subprocess.run(["kill", "-TERM", child_of(drain)], check=True)
    assert drain.wait() == 0


@traced
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR2])
def test_a_signal_finds_the_queue_gone(number, spool, receiver, forwarder):
    sink = receiver(fault="delay=2s")
    ahead = forwarder(sink.url)
    drain = under_strace(ahead, "fdatasync:error=EIO:when=2..8")
    wait_until(lambda: " start " in drain.words(), what="the forwarder runs")
    away = spool.path.with_name("away.db")
    spool.put_rows(row(n) for n in range(10))  # settled when it is answered
    spool.path.rename(away)
    wait_until(lambda: " queue_lost " in drain.words(), what="the queue is lost")
    ahead.configure({"checks.max_name": "5"})
    subprocess.run(["kill", f"-{int(number)}", child_of(drain)], check=True)
    event = " reloaded " if number == signal.SIGHUP else " retrying "
    wait_until(lambda: event in drain.words(), what="the signal is heard")
    away.rename(spool.path)
    wait_until(lambda: spool.status()["pending"] == 0, what="the queue is empty")
    if number == signal.SIGHUP:  # settings reach writers when it is back
        put = spool.run("put", "-n", "cvm", "-m", "longer", "1")
        assert put.returncode == 65
    assert spool.audit()["ok"]
    subprocess.run(["kill", "-TERM", child_of(drain)], check=True)
    assert drain.wait() == 0
