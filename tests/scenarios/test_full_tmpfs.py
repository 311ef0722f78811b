"""A disk of 16 MiB, full to the last block, under the real programs (C7, H7).

An ordinary user gets the right to mount one in a user namespace: there this
file is run again, and test_bounds.py with it.
"""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from disks import PROVED, free_bytes, occupy, small_disk
from house import Forwarder, Spool, environment, row, wait_until

MIB = 1 << 20
BALLAST = 4 * MIB  # a quarter of the disk, of the 8M configured
CYCLES = 3

rooted = pytest.mark.skipif(
    os.getuid() != 0, reason=f"run in a user namespace, below, where it can be; {PROVED}")


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk", 16) as folder:
        yield folder


@pytest.fixture(name="small")
def _small(disk):
    folder = disk / "spool"
    folder.mkdir(mode=0o700)
    return Spool(folder)


def forwarder_of(small, folder, url, start, **settings):
    """With the reserve that is the default."""
    return Forwarder(folder, small, url, {"queue.reserve": None, "batch.max_rows": "5000",
                                          "batch.max_bytes": "1M", **settings}, start)


def put(small, rows):
    return small.run("--json", "put", "-f", "ndjson", "-", input="".join(
        json.dumps(row(i)) + "\n" for i in range(rows)))


def put_until_full(small):
    """Put until not one row more is taken; how many were."""
    taken, chunk = 0, 20000
    while chunk >= 1:
        done = put(small, chunk)
        if done.returncode == 0:
            taken += chunk
            continue
        error = json.loads(done.stderr.splitlines()[-1])["error"]
        assert (done.returncode, error["name"]) == (74, "disk_full"), error
        assert "free on the disk" in error["message"] or "no space is left" in error["why"]
        chunk //= 20
    return taken


def has_ballast(small):
    ballast = small.path.with_name("queue.db.ballast")
    return ballast.exists() and ballast.stat().st_size == BALLAST


@rooted
def test_a_full_disk_drains_and_takes_rows_again(disk, small, tmp_path, receiver, start):
    accepted = 0
    for cycle in range(CYCLES):
        away = receiver(fault="refuse")
        one = forwarder_of(small, tmp_path / f"forwarder-full-{cycle}", away.url, start)
        one.start()
        wait_until(lambda: has_ballast(small), what="there is a ballast")
        accepted += put_until_full(small)
        assert accepted > (cycle + 1) * 100000
        occupy(disk)
        assert free_bytes(disk) == 0
        assert put(small, 1).returncode == 74
        assert small.audit()["ok"] and small.status()["accepted"] == accepted
        port = away.port
        away.stop()
        takes = receiver(port=port)
        one.wait_empty()
        # A log that is long enough to be written over needs no ballast.
        if "ballast_released" in one.words():
            # What it set free is the forwarder's: writers get what is beyond.
            if put(small, 10).returncode == 0:
                accepted += 10
                wait_until(lambda: has_ballast(small), what="its room was left")
        (disk / "filler").unlink()
        wait_until(lambda: has_ballast(small), what="the ballast is made again")
        one.wait_empty()
        assert small.status()["delivered"] == accepted
        wait_until(lambda: put(small, 1).returncode == 0, what="pages are given back")
        accepted += 1
        one.wait_empty()
        assert one.stop() == 0
        takes.stop()
        audit = small.audit()
        assert audit["ok"] and audit["accepted"] == accepted == audit["delivered"]


@rooted
def test_a_forwarder_that_finds_the_disk_full_drains_it(
        disk, small, tmp_path, receiver, start):
    takes = receiver()
    one = forwarder_of(small, tmp_path / "forwarder-late", takes.url, start)
    one.start()
    wait_until(lambda: has_ballast(small), what="there is a ballast")
    assert one.stop() == 0
    accepted = put_until_full(small)
    occupy(disk)
    done = one.drain(check=0)
    assert " ballast_released " in done.stderr
    status = small.status()
    assert (status["pending"], status["delivered"]) == (0, accepted)
    assert small.audit()["ok"]


@rooted
def test_a_small_disk_needs_no_settings(small, tmp_path, receiver, start):
    """Neither before a forwarder ever ran, nor after."""
    assert put(small, 1000).returncode == 0
    one = forwarder_of(small, tmp_path / "forwarder-plain", receiver().url, start)
    one.drain(check=0)
    assert put(small, 1000).returncode == 0
    assert small.audit()["ok"]


@pytest.mark.skipif(os.getuid() == 0, reason="root needs no user namespace")
def test_small_disks_in_a_user_namespace():
    inside = ["unshare", "-Urm"]
    if shutil.which("unshare") is None or subprocess.run(
            [*inside, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip(f"needs unshare -Urm; {PROVED}")
    here = Path(__file__)
    done = subprocess.run(
        [*inside, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", here,
         here.with_name("test_bounds.py"), "-k", "(disk or last_block) and not namespace"],
        env=environment(MONSPOOL_BUILD=os.environ.get("MONSPOOL_BUILD", "")),
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0 and "5 passed" in done.stdout, done.stdout
    assert "skipped" not in done.stdout
