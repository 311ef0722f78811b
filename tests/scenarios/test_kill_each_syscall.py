"""SIGKILL as each system call begins that may leave something behind, of a
put, and of an edit, a purge and a replay of dead letters (contract.md C12).  A row is old or
new, never between and never away, and the next command goes on.
Of many calls of a kind, which are the pages of a transaction, the plain run
takes some; MONSPOOL_TORTURE=1 takes every call there is, whatever it does."""
import collections
import json
import re
import shutil
import subprocess

import pytest

from house import MONSPOOL, environment, killed_at, need_strace, row, torture

GOOD, WRONG = "cvm_prod", "cvm_prdo"
ROWS = 12
CALLS = {"write", "writev", "pwrite64", "fsync", "fdatasync", "ftruncate", "fallocate",
         "openat", "unlink", "unlinkat", "link", "linkat", "rename", "renameat2", "fchmod",
         "fchown", "connect", "sendto", "recvfrom"}
SOME = 8


class Stage:
    """A queue of dead letters, put back to what it was before each kill."""

    def __init__(self, spool, sink, tmp_path):
        self.spool, self.folder, self.sink = spool, spool.path.parent, sink
        self.saved, self.trace = tmp_path / "saved", tmp_path / "trace"
        self.kills = 0

    def save(self):
        shutil.copytree(self.folder, self.saved, ignore=shutil.ignore_patterns("*.bell"))

    def restore(self):
        for path in self.folder.iterdir():
            if path.is_file() and not (self.saved / path.name).exists():
                path.unlink()
        for path in self.saved.iterdir():
            shutil.copy2(path, self.folder)
        self.sink.record.write_text("")

    def calls(self, args):
        """Each call by its name, from the one that opens the queue on, or that
        hides what is opened: which of its name is the first, and the last."""
        self.restore()
        subprocess.run(["strace", "-f", "-qq", "-o", self.trace, *map(str, args)],
                       env=self.environment(), check=True, capture_output=True)
        seen, first = collections.Counter(), {}
        for line in self.trace.read_text().splitlines():
            name = re.match(r"\d+ +(\w+)\(", line)
            if not name:
                continue
            seen[name[1]] += 1
            if first or self.spool.path.name in line or "PR_SET_DUMPABLE" in line:
                first.setdefault(name[1], seen[name[1]])
        return {name: (number, seen[name]) for name, number in first.items()
                if torture() or name in CALLS}

    def environment(self):
        return environment(MONSPOOL_QUEUE=str(self.spool.path),
                           ASAN_OPTIONS="detect_leaks=0")

    def kill_at_each(self, args, check):
        """Run ARGS; check() sees what it left behind, and says whether it had
        been done."""
        calls, done = self.calls(args), collections.Counter()
        assert {"pwrite64", "fdatasync"} <= set(calls)
        for call, (first, last) in calls.items():
            step = 1 if torture() else 1 + (last - first) // SOME
            for when in range(first, last + 1, step):
                self.restore()
                killed = killed_at(self.trace, call, when, args,
                                   MONSPOOL_QUEUE=str(self.spool.path))
                self.kills += killed
                assert self.spool.json("audit")["ok"], (call, when)
                was_done = check()
                assert killed or was_done, (call, when)
                done[was_done] += 1
        print(f"{self.kills} kills at {len(calls)} calls: {done[True]} after it was done")
        assert self.kills > SOME and set(done) == {False, True}


@pytest.fixture
def stage(spool, receiver, forwarder, tmp_path):
    need_strace("kill_each_syscall", "C12 is proved by crash_images")
    stage = Stage(spool, receiver(namespace=[GOOD]), tmp_path)
    stage.ahead = forwarder(stage.sink.url)
    spool.put_rows(row(n, namespace=WRONG, metric=f"m{n % 2}") for n in range(ROWS))
    stage.ahead.once(check=0)
    assert values(spool.dead()) == list(range(ROWS))
    return stage


def command(*args):
    return [MONSPOOL, "dead", *args, "--all", "--yes"]


def values(lines):
    return sorted(line["value"] for line in lines)


@pytest.mark.parametrize("one", [False, True])
def test_a_put_is_done_or_not_and_its_keys_with_it(one, stage, tmp_path):
    spool, count = stage.spool, 1 if one else ROWS
    source = tmp_path / "rows"
    source.write_text("".join(json.dumps(row(n)) + "\n" for n in range(ROWS)))
    args = ["-n", "cvm", "-m", "m", "-k", "key", "0"] if one else ["-K", "keys", source]
    stage.save()

    def check():
        done = spool.status()["pending"] == count
        assert done or spool.status()["pending"] == 0
        assert spool.put(*args)["duplicates"] == (count if done else 0)
        assert values(spool.lines("list")) == list(range(count))
        return done
    stage.kill_at_each([MONSPOOL, "put", *args], check)


def test_an_edit_is_done_or_not(stage):
    spool, args = stage.spool, ["edit", "--set-dim", "ip=10.9.9.9"]
    old, new = {"ip": "10.0.0.1"}, {"ip": "10.9.9.9"}
    stage.save()
    before = [line["id"] for line in spool.dead()]

    def check():
        lines = spool.dead()
        assert [line["id"] for line in lines] == before
        done = lines[0]["dimensions"] == new
        assert all(line["dimensions"] == (new if done else old) for line in lines)
        spool.run("dead", *args, "--all", "--yes", check=0)
        for line in spool.lines("dead", "show", *before):
            assert line["dimensions"] == new
            assert [edit["dimensions"] for edit in line["edits"]] == [old]
        return done
    stage.kill_at_each(command(*args), check)


def test_a_purge_is_exported_and_then_done_or_not(stage):
    spool, folder = stage.spool, stage.folder
    stage.save()
    before = {line["id"] for line in spool.dead()}

    def exported(name):
        text = (folder / name).read_text() if (folder / name).exists() else ""
        return {json.loads(line)["id"] for line in text.splitlines(keepends=True)
                if line.endswith("\n")}

    def check():
        left = {line["id"] for line in spool.dead()}
        assert left == before or left == set() and exported("first") == before
        if left:
            spool.run(*command("purge", "--export", folder / "again")[1:], check=0)
            assert exported("again") == before
        assert spool.status()["purged"] == ROWS
        return not left
    stage.kill_at_each(command("purge", "--export", folder / "first"), check)


def test_a_replay_moves_each_row_once(stage):
    spool, args = stage.spool, command("replay", "--no-canary")
    stage.save()

    def check():
        dead, pending = spool.dead(), spool.lines("list")
        assert values(dead + pending) == list(range(ROWS))
        done = not dead  # else: by no group, or by some
        if not done:
            spool.run(*args[1:], check=0)
        pending = spool.lines("list")
        assert values(pending) == list(range(ROWS))
        assert all(line["origin_id"] for line in pending)
        assert spool.status()["replayed"] == ROWS
        return done
    stage.kill_at_each(args, check)


def test_a_forwarder_replays_each_row(stage):
    """Canaries, the rest, and the settling of each: the forwarder's part."""
    spool, ahead, sink = stage.spool, stage.ahead, stage.sink
    spool.run("dead", "edit", "--set", f"namespace={GOOD}", "--all", "--yes", check=0)
    number = spool.json("dead", "replay", "--all", "--rate", "100000/s", "--yes")["operation"]
    stage.save()

    def check():
        status = spool.status()
        done = status["delivered"] == ROWS
        assert status["dead"] + status["pending"] + status["delivered"] == ROWS
        ahead.drain(check=0)
        answer = spool.json("dead", "replay", "--resume", number)
        assert (answer["state"], answer["replayed"], answer["delivered"]) == ("done", ROWS, ROWS)
        got = collections.Counter(line["value"] for line in sink.records())
        assert set(got) == set(range(ROWS))
        # twice: those of the one request whose outcome nobody noted
        assert sum(got.values()) - ROWS <= ROWS - 1 and max(got.values()) <= 2
        return done
    stage.kill_at_each(ahead.command("--drain=30s"), check)
