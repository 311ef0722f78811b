"""The forwarder when the system fails it: a sync that reports an error."""
import shutil
import subprocess

import pytest

from house import environment, row, wait_until


def may_trace():
    """Whether strace may start a program here."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", "/dev/null", "true"],
                          stderr=subprocess.DEVNULL, check=False).returncode == 0


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
