"""init is killed at any system call, or raced by a put: there is no queue, or
a whole one, and init called again makes one (contract.md C9, C12)."""
import collections
import re
import shutil
import subprocess
import threading

import pytest

from house import MONSPOOL, Spool, environment, killed_at, need_strace, torture

# what may leave something behind, or be waited for
CALLS = {"mkdir", "openat", "write", "pwrite64", "fsync", "fdatasync", "ftruncate", "fallocate",
         "unlink", "unlinkat", "rename", "renameat2", "link", "linkat", "mknod", "mknodat",
         "fchmod", "chmod", "fchmodat", "fchown", "fchownat", "flock", "fcntl", "close"}
SOME = 15


@pytest.fixture
def place(tmp_path):
    """A directory that does not exist yet, for a queue."""
    spool = Spool(tmp_path / "spool")
    shutil.rmtree(spool.path.parent, ignore_errors=True)
    return spool


def calls_of(trace, args, **env):
    """Each call by its name: how often it is made."""
    subprocess.run(["strace", "-f", "-qq", "-o", trace, *map(str, args)], check=True,
                   capture_output=True,
                   env=environment(ASAN_OPTIONS="detect_leaks=0", **env))
    names = (re.match(r"\d+ +(\w+)\(", line) for line in trace.read_text().splitlines())
    return collections.Counter(name[1] for name in names if name)


def is_whole(spool):
    """Whether there is a queue; then it is one, and needs no second init."""
    done = spool.run("audit")
    if done.returncode == 66:
        assert not spool.path.exists()
        return False
    assert done.returncode == 0, done.stderr
    spool.put("-n", "cvm", "-m", "cpu", "1")
    return True


def test_killed_at_any_call_leaves_no_queue_or_a_whole_one(place, tmp_path):
    need_strace("init_kills", "C12 is proved by crash_images")
    trace, found = tmp_path / "trace", collections.Counter()
    args = [MONSPOOL, "init", place.path]
    for call, times in calls_of(trace, args).items():
        if not torture() and call not in CALLS:
            continue
        for when in range(1, times + 1, 1 if torture() else 1 + times // SOME):
            shutil.rmtree(place.path.parent, ignore_errors=True)
            killed = killed_at(trace, call, when, args)
            whole = is_whole(place)
            assert killed or whole, (call, when)
            place.run("init", place.path, check=0)
            place.put("-n", "cvm", "-m", "cpu", "2")
            assert place.audit()["ok"], (call, when)
            assert place.status()["accepted"] == 1 + whole, (call, when)
            names = {path.name for path in place.path.parent.iterdir()}
            assert names == {"queue.db" + end for end in
                             ("", "-wal", "-shm", ".gate", ".lock", ".bell")}, (call, when)
            assert {path.stat().st_mode & 0o777 for path in place.path.parent.iterdir()} == \
                {0o660}, (call, when)
            found[whole] += 1
    print(f"{sum(found.values())} kills, {found[True]} after there was a queue")
    assert found[True] > 5 and found[False] > 20


def test_a_put_beside_an_init_finds_no_queue_or_one_that_works(place):
    outcomes = collections.Counter()

    def put(queued):
        while not queued.is_set():
            done = place.run("--json", "put", "-n", "cvm", "-m", "cpu", "1")
            outcomes[done.returncode, "queue_missing" in done.stderr] += 1
            if done.returncode == 0:
                queued.set()

    for _ in range(20):
        queued = threading.Event()
        writers = [threading.Thread(target=put, args=(queued,)) for _ in range(2)]
        for writer in writers:
            writer.start()
        place.run("init", place.path, check=0)
        for writer in writers:
            writer.join()
        assert place.audit()["ok"] and place.status()["accepted"] > 0
        shutil.rmtree(place.path.parent)
    assert set(outcomes) <= {(0, False), (66, True)}, outcomes


def test_inits_at_once_make_one_queue(place):
    for _ in range(20):
        started = [subprocess.Popen([MONSPOOL, "init", place.path], stdout=subprocess.DEVNULL,
                                    stderr=subprocess.PIPE, env=environment())
                   for _ in range(6)]
        ends = [(process.communicate()[1], process.returncode) for process in started]
        assert {code for _, code in ends} == {0}, ends
        place.put("-n", "cvm", "-m", "cpu", "1")
        assert place.status()["accepted"] == 1 and place.audit()["ok"]
        shutil.rmtree(place.path.parent)


@pytest.mark.parametrize("content", [b"", b"not a queue", b"SQLite format 3\0" + bytes(4080)],
                         ids=["empty", "text", "database"])
def test_a_foreign_file_is_left_as_it_is(place, content):
    place.path.parent.mkdir()
    place.path.write_bytes(content)
    done = place.run("init", place.path)
    assert done.returncode == 74 and done.stderr
    assert place.path.read_bytes() == content
    assert [path.name for path in place.path.parent.iterdir()] == ["queue.db"]
