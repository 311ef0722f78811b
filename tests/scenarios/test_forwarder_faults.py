"""The forwarder when the system fails it: a sync that reports an error."""
import signal
import sqlite3
import subprocess
from contextlib import closing
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
    drain = under_strace(ahead, "fdatasync:error=EIO:when=4..7")
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
    drain = under_strace(ahead, "fdatasync:error=EIO:when=4..9")
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
    drain = under_strace(ahead, "fdatasync:error=EIO:when=4..9")
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
        wait_until(lambda: spool.run("put", "--check", "-n", "cvm", "-m", "longer", "1")
                   .returncode == 65, what="the settings are stored")
    assert spool.audit()["ok"]
    subprocess.run(["kill", "-TERM", child_of(drain)], check=True)
    assert drain.wait() == 0


# ---- a file that is damaged where only the forwarder looks ----

def damage(spool, name):
    """Rub out the first page of a table or an index, below SQLite."""
    with closing(sqlite3.connect(spool.path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [[page]] = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", [name])
    with open(spool.path, "r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xee" * 4096)


DAMAGED = ["attempt", "metric", "lane"]


@pytest.mark.parametrize("how", ["--once", "--drain"])
@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_queue_ends_a_run_with_74(name, how, spool, receiver, forwarder):
    sink = receiver()
    spool.put_rows(row(n) for n in range(10))
    damage(spool, name)
    done = forwarder(sink.url).run(how, timeout=30)
    assert done.returncode == 74, done.stderr
    said = [line for line in done.stderr.splitlines()
            if " settle_failed " in line or " queue_unreadable " in line]
    assert len(said) <= 1 and done.stderr.count(" queue_reopened ") <= 1, done.stderr
    assert "the file is damaged" in done.stderr


def test_damage_is_said_once_and_tried_ever_more_seldom(spool, receiver, forwarder):
    sink = receiver()
    spool.put_rows(row(n) for n in range(10))
    damage(spool, "attempt")
    ahead = forwarder(sink.url).start("-v")
    wait_until(lambda: ahead.words().count(" queue_reopened ") > 5, what="several tries")
    words = ahead.words()
    again = [line for line in words.splitlines() if " queue_reopened " in line]
    assert sum(" warn " in line.lower() for line in again) == 1, words
    assert words.count(" settle_failed ") == 1, words
    assert len(sink.requests()) == 1  # what was answered is not sent again
    assert ahead.stop() == 0
