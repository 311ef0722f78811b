"""Dead letters: seen, explained, corrected, sent again, purged, imported."""
import collections
import hashlib
import json
import os
import pty
import random
import signal
import sqlite3
import stat
import subprocess
import time
from contextlib import closing

import pytest

from house import MONSPOOL, environment, row, wait_until

GOOD, WRONG = "cvm_prod", "cvm_prdo"
SEED = int(os.environ.get("MONSPOOL_SEED", time.time_ns() % 1_000_000))


def values(records):
    return sorted(record["value"] for record in records)


def rows_of(namespace, numbers, **more):
    return [row(n, metric=f"m{n % 3}", namespace=namespace, **more) for n in numbers]


@pytest.fixture
def sink(receiver):
    return receiver(namespace=[GOOD, "other:cpu:ip"])


@pytest.fixture
def misspelt(spool, sink, forwarder):
    """60 dead rows of a misspelt namespace, beside 60 that were delivered."""
    for n in range(60):
        spool.put_rows([row(n, metric=f"m{n % 3}", namespace=namespace)
                        for namespace in (GOOD, WRONG)])
    spool.ahead = forwarder(sink.url)
    spool.ahead.once(check=0)
    spool.sink = sink
    assert spool.status()["dead"] == 60
    return spool


def call(spool, *args, **how):
    """Start `monspool` and do not wait."""
    return subprocess.Popen([str(MONSPOOL), *map(str, args)], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env=environment(MONSPOOL_QUEUE=str(spool.path)), **how)


def digest(spool):
    """Of every file of the queue but SQLite's shared memory, which is rebuilt."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in spool.path.parent.iterdir()
            if path.is_file() and not path.name.endswith("-shm")}


# ---- the story ----

def test_a_misspelt_namespace_is_corrected_and_sent(spool, sink, forwarder):
    """500 good rows and 500 misspelt ones interleaved; nothing is lost."""
    spool.put_rows(row(n, metric=f"m{n % 3}", namespace=namespace)
                   for n in range(500) for namespace in (GOOD, WRONG))
    ahead = forwarder(sink.url).start()
    ahead.wait_empty()
    assert values(sink.records()) == list(range(500))
    wrong = [request for request in sink.requests() if request["namespace"] == WRONG]
    assert 1 <= len(wrong) <= 10
    assert {line["code"] for line in spool.dead()} == {1016}
    groups = spool.lines("dead")
    assert sum(group["rows"] for group in groups) == 500
    assert {(group["code"], group["namespace"]) for group in groups} == {(1016, WRONG)}

    edited = spool.json("dead", "edit", "--code", 1016, "--namespace", WRONG,
                        "--set", f"namespace={GOOD}", "--yes")
    assert (edited["matched"], edited["edited"], edited["invalid"]) == (500, 500, 0)
    replayed = spool.json("dead", "replay", "--namespace", GOOD, "--code", 1016,
                          "--rate", "500/s", "--yes")
    assert replayed["state"] == "done"
    assert (replayed["groups"], replayed["canaries_refused"]) == (3, 0)
    assert (replayed["replayed"], replayed["delivered"]) == (500, 500)
    assert (replayed["refused_again"], replayed["skipped"]) == (0, 0)
    assert values(sink.records()) == sorted([*range(500)] * 2)
    assert {record["namespace"] for record in sink.records()} == {GOOD}
    audit = spool.audit()
    assert audit["ok"] and audit["delivered"] == 1000 and audit["replayed"] == 500
    assert ahead.stop() == 0


def test_a_refused_canary_keeps_its_group_dead(misspelt):
    before = len(misspelt.sink.requests())
    misspelt.ahead.start()
    done = misspelt.run("--json", "dead", "replay", "--all", "--yes", check=1)
    answer = json.loads(done.stdout)
    assert (answer["groups"], answer["canaries_refused"]) == (3, 3)
    assert (answer["replayed"], answer["refused_again"], answer["delivered"]) == (3, 3, 0)
    assert len(misspelt.sink.requests()) - before <= 3
    lines = misspelt.dead()
    assert len(lines) == 60
    again = [line for line in lines if line["replays"] == 1]
    assert len(again) == 3 and all(line["origin_id"] < line["id"] for line in again)
    assert misspelt.lines("dead", "list", "--replayed", 1) == again
    assert misspelt.lines("dead", "list", "--operation", answer["operation"]) == again
    assert misspelt.audit()["ok"]


@pytest.mark.parametrize("elsewhere", [False, True])
def test_show_lists_the_requests_before_a_replay_as_well(misspelt, elsewhere):
    misspelt.ahead.start()
    one = next(line for line in misspelt.dead() if line["attempts"] > 0)
    if elsewhere:
        misspelt.run("dead", "edit", one["id"], "--set", "namespace=cvm_rpod", "--yes", check=0)
    misspelt.run("dead", "replay", one["id"], "--yes", check=1)
    [again] = [line for line in misspelt.dead() if line["replays"] == 1]
    assert again["attempts"] > one["attempts"]
    shown = misspelt.json("dead", "show", again["id"])["attempt_list"]
    assert len(shown) == again["attempts"]
    assert [attempt["at"] for attempt in shown] == sorted(attempt["at"] for attempt in shown)
    assert {attempt["code"] for attempt in shown} == {1016}
    people = misspelt.run("show", again["id"], check=0).stdout
    assert people.count("  attempt  ") == again["attempts"]


def test_show_lists_the_requests_of_every_life(misspelt):
    """Replayed three times, and once edited into another lane in between."""
    misspelt.ahead.start()
    now = next(line for line in misspelt.dead() if line["attempts"] > 0)
    for replays in range(1, 4):
        if replays == 2:
            misspelt.run("dead", "edit", now["id"], "--set", "namespace=cvm_rpod",
                         "--yes", check=0)
        misspelt.run("dead", "replay", now["id"], "--yes", check=1)
        [now] = misspelt.lines("dead", "list", "--replayed", replays)
        shown = misspelt.json("show", now["id"])["attempt_list"]
        assert len(shown) == now["attempts"] > replays
    misspelt.run("dead", "purge", now["id"], "--no-backup", "--yes", check=0)
    with closing(sqlite3.connect(misspelt.path)) as db:
        assert db.execute("SELECT count(*) FROM former").fetchall() == [(0,)]


def test_rows_replayed_often_enough_are_left_out_and_named(misspelt):
    misspelt.ahead.start()
    [one] = misspelt.dead()[:1]
    misspelt.run("dead", "replay", one["id"], "--yes", check=1)
    again = max(line["id"] for line in misspelt.dead())
    done = misspelt.run("dead", "replay", again, "--max-replays", 1, "--yes", check=0)
    assert f"--max-replays): {again}" in done.stderr
    answer = misspelt.json("dead", "replay", again, "--max-replays", 1, "--yes")
    assert (answer["matched"], answer["skipped"], answer["replayed"]) == (1, 1, 0)
    assert answer["operation"] is None


def test_without_a_forwarder_it_is_recorded_and_done_later(misspelt):
    misspelt.run("dead", "edit", "--all", "--set", f"namespace={GOOD}", "--yes", check=0)
    done = misspelt.run("dead", "replay", "--all", "--yes", check=0)
    assert "no forwarder runs" in done.stderr and "operation 2 is waiting" in done.stdout
    [operation] = misspelt.status()["operations"]
    assert (operation["operation"], operation["kind"]) == (2, "replay")
    misspelt.ahead.once(check=0)
    answer = misspelt.json("dead", "replay", "--resume", 2)
    assert (answer["state"], answer["delivered"]) == ("done", 60)
    assert misspelt.status()["operations"] == []
    assert values(misspelt.sink.records()) == sorted([*range(60)] * 2)


def test_no_canary_needs_no_forwarder(misspelt):
    answer = misspelt.json("dead", "replay", "--all", "--no-canary", "--yes")
    assert (answer["replayed"], answer["state"]) == (60, "running")
    status = misspelt.status()
    assert (status["pending"], status["dead"], status["replayed"]) == (60, 0, 60)
    [line] = misspelt.lines("list", "--limit", 1)
    assert line["origin_id"] is not None
    assert misspelt.audit()["ok"]


def test_max_and_late_narrow_a_replay(misspelt, tmp_path):
    config = tmp_path / "late.conf"
    config.write_text(f"[queue]\npath = {misspelt.path}\n[late]\nafter = 1ms\n")
    misspelt.run("init", "-C", config, check=0)
    answer = misspelt.json("dead", "replay", "--all", "--late", "drop", "--yes")
    assert (answer["matched"], answer["skipped"]) == (60, 60)
    assert misspelt.status()["dead"] == 60
    done = misspelt.run("dead", "replay", "--all", "--max", 5, "--dry-run", check=0)
    assert "replay 5 rows" in done.stdout
    assert "filed at the time they are sent" in done.stdout


def test_ages_of_a_namespace_are_those_the_forwarder_goes_by(misspelt, tmp_path):
    """The first section that matches counts, for all it says and leaves unsaid."""
    config = tmp_path / "ages.conf"
    config.write_text(f"[queue]\npath = {misspelt.path}\n[late]\nafter = 1h\n"
                      '[namespace "cvm_*"]\nlate_after = 1ms\n'
                      f'[namespace "{WRONG}"]\nmax_age = 1ms\n')
    misspelt.run("init", "-C", config, check=0)
    done = misspelt.run("dead", "replay", "--all", "--dry-run", check=0)
    assert "replay 60 rows" in done.stdout
    assert "filed at the time they are sent" in done.stdout
    answer = misspelt.json("dead", "replay", "--all", "--late", "drop", "--yes")
    assert (answer["matched"], answer["skipped"]) == (60, 60)


def test_a_replay_into_a_held_lane_says_that_it_will_wait(misspelt):
    args = ("dead", "replay", "--all", "--dry-run")
    assert "held" not in misspelt.run(*args, check=0).stdout
    misspelt.run("hold", "set", WRONG, "--reason", "not now", check=0)
    shown = misspelt.run(*args, check=0).stdout
    [line] = [line for line in shown.splitlines() if "is held" in line]
    assert f"{WRONG}/-/default, not now" in line


def test_a_replay_is_cancelled(misspelt):
    misspelt.run("dead", "edit", "--all", "--set", f"namespace={GOOD}", "--yes", check=0)
    misspelt.ahead.start()
    answer = misspelt.json("dead", "replay", "--all", "--rate", "1/s", "--detach", "--yes")
    number = answer["operation"]
    wait_until(lambda: misspelt.json("dead", "replay", "--cancel", number)["state"]
               == "cancelled", what="it is cancelled")
    misspelt.ahead.wait_empty()
    sent = misspelt.json("dead", "replay", "--cancel", number)["replayed"]
    assert sent < 60 and misspelt.status()["dead"] == 60 - sent
    assert misspelt.audit()["ok"]
    for option in ("--resume", "--cancel"):
        assert misspelt.run("dead", "replay", option, 99).returncode == 66


def test_control_c_only_stops_looking(misspelt):
    misspelt.run("dead", "edit", "--all", "--set", f"namespace={GOOD}", "--yes", check=0)
    misspelt.ahead.start()
    looking = call(misspelt, "--json", "dead", "replay", "--all", "--rate", "30/s", "--yes")
    wait_until(lambda: misspelt.status()["replayed"] > 0, what="it is under way")
    looking.send_signal(signal.SIGINT)
    out, _ = looking.communicate(timeout=30)
    answer = json.loads(out)
    assert looking.returncode == 0 and answer["state"] == "running"
    answer = misspelt.json("dead", "replay", "--resume", answer["operation"])
    assert (answer["state"], answer["delivered"]) == ("done", 60)


# ---- killed ----

def outcomes(spool, args, rounds, span, chance):
    """Kill `monspool ARGS` at random moments; how often it was too late."""
    ended = collections.Counter()
    for _ in range(rounds):
        process = call(spool, *args)
        try:
            process.wait(chance.uniform(0, span))
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        ended[process.returncode] += 1
        assert spool.audit()["ok"]
    return ended


@pytest.fixture
def many(spool):
    """12,000 dead rows, imported."""
    lines = "".join(json.dumps({**row(n, namespace=WRONG), "code": 1016}) + "\n"
                    for n in range(12_000))
    answer = spool.json("dead", "import", "-", input=lines)
    assert answer["imported"] == 12_000
    return spool


def test_an_edit_killed_anywhere_is_run_again(many):
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    ended = collections.Counter()
    for number in range(20):  # each has all rows to change
        ended += outcomes(many, ["dead", "edit", "--all", "--set", f"namespace=n{number}",
                                 "--yes"], 1, 0.5, chance)
    assert ended[-signal.SIGKILL] > 0
    many.run("dead", "edit", "--all", "--set", f"namespace={GOOD}", "--yes", check=0)
    assert len(many.lines("dead", "list", "--namespace", GOOD)) == 12_000
    [line] = many.lines("dead", "show", 12_000)
    assert line["edits"][0]["namespace"] == WRONG
    assert many.audit()["ok"]


def test_a_purge_killed_anywhere_loses_no_line(many, tmp_path):
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    exported = {}

    def collect():
        for path in tmp_path.glob("purge-*"):
            for line in path.read_text().splitlines():
                try:
                    exported[json.loads(line)["id"]] = line
                except ValueError:
                    assert path.stat().st_size, "only the last line may be cut"
    for number in range(15):
        args = ["dead", "purge", "--all", "--export", tmp_path / f"purge-{number}", "--yes"]
        outcomes(many, args, 1, 0.6, chance)
        collect()
        left = {line["id"] for line in many.dead()}
        assert len(left) == many.status()["dead"]
        # What is neither dead nor in a file would be lost.
        assert left | set(exported) == set(range(1, 12_001))
    many.run("dead", "purge", "--all", "--export", tmp_path / "purge-last", "--yes", check=0)
    collect()
    assert set(exported) == set(range(1, 12_001))
    assert many.status()["purged"] == 12_000


def test_an_export_cut_short_is_no_file(many, tmp_path):
    """Whoever finds the file finds all of it."""
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    path, cut = tmp_path / "all.ndjson", 0
    while cut < 5:
        process = call(many, "dead", "export", path)
        try:
            process.wait(chance.uniform(0, 0.1))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
        process.communicate()
        cut += process.returncode != 0
        if path.exists():
            assert len(path.read_text().splitlines()) == 12_000
            path.unlink()
    many.run("dead", "export", path, check=0)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_text().splitlines()) == 12_000
    done = many.run("dead", "export", path)
    assert done.returncode == 73 and "exists already" in done.stderr
    assert [one.name for one in tmp_path.glob("*.ndjson*")] == ["all.ndjson"]


def test_an_import_killed_anywhere_is_run_again(spool, tmp_path):
    print(f"seed {SEED}")
    source = tmp_path / "dead.ndjson"
    source.write_text("".join(json.dumps(row(n, namespace=WRONG)) + "\n"
                              for n in range(12_000)))
    ended = collections.Counter()
    chance = random.Random(SEED)
    while not ended[0]:
        ended += outcomes(spool, ["dead", "import", source], 1, 0.5, chance)
        if sum(ended.values()) > 60:
            spool.run("dead", "import", source, check=0)
            break
    assert values(spool.dead()) == list(range(12_000))
    # Once it is through, the same file is another import, and that is said.
    again = spool.run("--json", "dead", "import", source, check=0)
    told, note = json.loads(again.stdout), json.loads(again.stderr)["note"]
    assert told["imported"] == 12_000
    assert f"{told['first_id']}-{told['last_id']}" in note["hint"]


def test_a_forwarder_killed_anywhere_replays_every_row(misspelt):
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    misspelt.run("dead", "edit", "--all", "--set", f"namespace={GOOD}", "--yes", check=0)
    answer = misspelt.json("dead", "replay", "--all", "--rate", "200/s", "--yes")
    number = answer["operation"]
    for _ in range(12):
        misspelt.ahead.start()
        span = time.monotonic() + chance.uniform(0, 0.15)
        wait_until(lambda: time.monotonic() > span, what="a random moment")
        misspelt.ahead.kill()
        assert misspelt.audit()["ok"]
    misspelt.ahead.drain(check=0)
    answer = misspelt.json("dead", "replay", "--resume", number)
    assert (answer["state"], answer["replayed"], answer["delivered"]) == ("done", 60, 60)
    got = collections.Counter(record["value"] for record in misspelt.sink.records())
    assert set(got) == set(range(60)) and min(got.values()) >= 2
    assert misspelt.audit()["delivered"] == 120


def test_a_replay_without_canaries_killed_anywhere_goes_on(many, receiver, forwarder):
    print(f"seed {SEED}")
    outcomes(many, ["dead", "replay", "--all", "--no-canary", "--yes", "--detach"], 6, 0.4,
             random.Random(SEED))
    for operation in many.status()["operations"]:
        if operation["state"] != "choosing":
            many.run("dead", "replay", "--resume", operation["operation"], check=0)
    many.run("dead", "replay", "--all", "--no-canary", "--yes", check=0)
    sink = receiver()
    forwarder(sink.url).drain(check=0)
    assert values(sink.records()) == list(range(12_000))
    audit = many.audit()
    assert audit["ok"] and audit["delivered"] == audit["replayed"] == 12_000


def test_a_run_of_other_lanes_leaves_a_replay_alone(misspelt):
    misspelt.run("dead", "replay", "--all", "--yes", check=0)
    misspelt.ahead.run("--once", "--namespace", GOOD)
    assert misspelt.status()["dead"] == 60
    misspelt.ahead.run("--once", "--namespace", WRONG)
    assert misspelt.status()["replayed"] == 3
    assert misspelt.audit()["ok"]


def test_a_replay_killed_while_it_is_recorded_moves_nothing(many):
    print(f"seed {SEED}")
    outcomes(many, ["dead", "replay", "--all", "--yes", "--detach"], 12, 0.3,
             random.Random(SEED))
    states = {operation["state"] for operation in many.status()["operations"]}
    assert states <= {"choosing", "waiting"}
    assert many.status()["dead"] == 12_000
    for operation in many.status()["operations"]:
        number = operation["operation"]
        many.run("dead", "replay", "--cancel", number, check=0)
    assert many.status()["operations"] == []


# ---- danger ----

CHANGES = [["dead", "edit", "--all", "--set", "namespace=x"],
           ["dead", "replay", "--all"], ["dead", "purge", "--all"],
           ["dead", "purge", "--all", "--no-backup"]]


@pytest.mark.parametrize("args", CHANGES, ids=" ".join)
def test_dry_run_changes_not_a_byte(misspelt, args, tmp_path):
    before = digest(misspelt)
    done = misspelt.run(*args, "--dry-run", check=0)
    assert "60" in done.stdout and WRONG in done.stdout
    misspelt.json(*args, "--dry-run")
    assert digest(misspelt) == before
    assert not list(tmp_path.glob("**/monspool-purge*"))


@pytest.mark.parametrize("args", CHANGES, ids=" ".join)
def test_no_terminal_and_no_yes_is_64(misspelt, args):
    before = digest(misspelt)
    done = misspelt.run("--json", *args)
    assert done.returncode == 64
    assert '"needs_confirmation"' in done.stderr
    assert digest(misspelt) == before


@pytest.mark.parametrize("command", ["edit", "replay", "purge"])
def test_nothing_selected_is_64_and_names_all(spool, command):
    done = spool.run("--json", "dead", command)
    found = json.loads(done.stderr)["error"]
    assert (found["name"], found["exit"]) == ("nothing_selected", 64)
    assert "--all" in found["hint"]


@pytest.mark.parametrize("args", CHANGES, ids=" ".join)
def test_a_filter_that_matches_nothing_is_no_failure(spool, args):
    assert spool.run(*args, "--yes").returncode == 0


def on_terminal(spool, args, answer, **env):
    """Run with a terminal, and type an answer: exit code and what was shown."""
    master, slave = pty.openpty()
    process = subprocess.Popen([str(MONSPOOL), *args], stdin=slave, stdout=slave, stderr=slave,
                               env=environment(MONSPOOL_QUEUE=str(spool.path), **env))
    os.close(slave)
    shown = b""
    try:
        while b"[y/N]" not in shown:
            shown += os.read(master, 4096)
        os.write(master, answer)
        while True:
            shown += os.read(master, 4096)
    except OSError:  # the other end is closed
        pass
    os.close(master)
    return process.wait(30), shown.decode()


def test_a_terminal_is_asked(misspelt):
    args = ["dead", "purge", "--all", "--no-backup"]
    code, shown = on_terminal(misspelt, args, b"n\n")
    assert code == 1 and "purge 60 dead rows" in shown
    assert misspelt.status()["dead"] == 60
    code, shown = on_terminal(misspelt, args, b"y\n")
    assert code == 0 and misspelt.status()["purged"] == 60


# ---- edit ----

def test_edit_changes_dimensions(spool, sink, forwarder):
    spool.put_rows([row(1, metric="cpu", namespace="other", address="10.0.0.9"),
                    row(2, metric="cpu", namespace="other", ip="10.0.0.9", disk="x" * 200)])
    forwarder(sink.url).once(check=0)
    assert spool.status()["dead"] == 2
    assert spool.json("dead", "edit", "--metric", "cpu", "--rename-dim", "address=ip",
                      "--drop-dim", "disk", "--yes")["edited"] == 2
    answer = spool.json("dead", "edit", 1, "--set-dim", "ip=10.0.0.7", "--yes")
    assert answer["edited"] == 1
    [shown] = spool.lines("dead", "show", 1)
    assert shown["dimensions"] == {"ip": "10.0.0.7"}
    assert [edit["dimensions"] for edit in shown["edits"]] == [
        {"address": "10.0.0.9"}, {"ip": "10.0.0.9"}]
    assert all(edit["by"] and edit["operation"] for edit in shown["edits"])
    assert len(shown["attempt_list"]) == shown["attempts"]


def test_an_edit_is_checked_as_put_does(misspelt):
    done = misspelt.run("--json", "dead", "edit", "--all", "--set", "namespace=no-dash", "--yes")
    assert done.returncode == 65
    answer = json.loads(done.stdout)
    assert (answer["matched"], answer["edited"], answer["invalid"]) == (60, 0, 60)
    assert {line["namespace"] for line in misspelt.dead()} == {WRONG}


def test_one_row_is_edited_by_hand(misspelt, tmp_path):
    editor = tmp_path / "editor"
    editor.write_text(f"#!/bin/sh\nsed -i s/{WRONG}/{GOOD}/ \"$1\"\n")
    editor.chmod(0o755)
    number = misspelt.dead()[0]["id"]
    code, shown = on_terminal(misspelt, ["dead", "edit", str(number)], b"y\n",
                              EDITOR=str(editor))
    assert code == 0, shown
    [line] = misspelt.lines("dead", "show", number)
    assert line["namespace"] == GOOD
    assert [edit["namespace"] for edit in line["edits"]] == [WRONG]
    assert misspelt.run("dead", "edit", number).returncode == 64


# ---- purge, export, import ----

def test_a_purge_is_exported_first(misspelt, tmp_path):
    lines = misspelt.dead()
    target = tmp_path / "gone.ndjson"
    answer = misspelt.json("dead", "purge", "--all", "--export", target, "--yes")
    assert (answer["purged"], answer["file"]) == (60, str(target))
    assert [json.loads(line) for line in target.read_text().splitlines()] == lines
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    audit = misspelt.audit()
    assert audit["ok"] and (audit["purged"], audit["dead"]) == (60, 0)


def test_what_cannot_be_exported_is_not_purged(misspelt, tmp_path):
    there = tmp_path / "there"
    there.write_text("mine")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    for target in (there, link, tmp_path / "no" / "where"):
        done = misspelt.run("dead", "purge", "--all", "--export", target, "--yes")
        assert done.returncode == 73, done.stderr
    assert there.read_text() == "mine" and not (tmp_path / "elsewhere").exists()
    assert misspelt.run("dead", "purge", "--all", "--export", "/dev/full",
                        "--yes").returncode == 73
    assert misspelt.run("dead", "purge", "--all", "--export", there, "--no-backup",
                        "--yes").returncode == 64
    assert misspelt.status()["dead"] == 60


def test_an_export_is_imported_and_put(misspelt, tmp_path):
    target = tmp_path / "dead.ndjson"
    misspelt.run("dead", "export", "--metric", "m1", target, check=0)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert misspelt.run("dead", "export", target).returncode == 73
    stdout = misspelt.run("dead", "export", "--metric", "m1", check=0).stdout
    assert stdout == target.read_text()
    old = [json.loads(line) for line in stdout.splitlines()]
    assert len(old) == 20
    misspelt.run("dead", "purge", "--all", "--no-backup", "--yes", check=0)
    assert misspelt.json("dead", "import", target)["imported"] == 20
    new = misspelt.dead()
    same = ("namespace", "region", "account", "metric", "dimensions", "value", "code",
            "message", "attempts", "accepted_at")
    assert [[line[key] for key in same] for line in new] == [
        [line[key] for key in same] for line in old]
    assert {line["cause"] for line in new} == {"import"}
    assert misspelt.put("-f", "ndjson", target)["queued"] == 20
    assert misspelt.json("dead", "import", "--replay", target)["imported"] == 20
    audit = misspelt.audit()
    assert audit["ok"]
    assert (audit["accepted"], audit["pending"], audit["dead"]) == (180, 40, 20)


def test_the_same_import_again_says_how_to_undo_it(misspelt, tmp_path):
    target = tmp_path / "dead.ndjson"
    misspelt.run("dead", "export", "--metric", "m1", target, check=0)
    assert misspelt.run("dead", "import", target, check=0).stderr == ""
    again = misspelt.run("dead", "import", target, check=0)
    note, hint = again.stderr.splitlines()
    assert "note: the same rows were imported before" in note
    assert hint == "hint: if that was not meant: monspool dead purge --cause import 141-160"
    misspelt.run(*hint.split("monspool ")[1].split(), "--no-backup", "--yes", check=0)
    assert misspelt.audit()["dead"] == 80


def test_a_bad_line_keeps_all_of_an_import_out(spool, tmp_path):
    source = tmp_path / "bad"
    source.write_text(json.dumps(row(1)) + "\n" + json.dumps(row(2))[:-1] + ',"value":3}\n')
    done = spool.run("--json", "dead", "import", source)
    found = json.loads(done.stderr)["error"]
    assert (found["exit"], found["line"]) == (65, 2)
    assert spool.status()["accepted"] == 0
    assert spool.run("dead", "import", tmp_path / "none").returncode == 66
    assert spool.run("dead", "import").returncode == 64


# ---- explain ----

EXPLAINED = [
    ({"namespace": WRONG}, "namespace", f"namespace={GOOD}", [WRONG, GOOD]),
    ({"metric": "cpuu", "namespace": "other"}, "metric", "--set metric=cpu", ["cpuu", "cpu"]),
    ({"namespace": "other", "metric": "cpu", "ipp": "1"}, "dimension", "--rename-dim ipp=ip",
     ["ipp", "ip"]),
    ({"namespace": "other", "metric": "cpu", "ip": "1", "no such": "2"}, "dimension",
     "--drop-dim 'no such'", ["no such", None]),
]


@pytest.mark.parametrize("wrong, kind, typed, names", EXPLAINED,
                         ids=[case[2] for case in EXPLAINED])
def test_explain_knows_what_was_meant(spool, sink, forwarder, wrong, kind, typed, names):
    spool.put_rows([row(1, metric="cpu", namespace="other", ip="1"),
                    row(2, metric="m1", namespace=GOOD)])
    ahead = forwarder(sink.url)
    ahead.once(check=0)
    spool.put_rows([row(3, **wrong)])
    ahead.once(check=0)
    [line] = spool.lines("dead", "explain", 3)
    [alike] = line["look_alikes"]
    assert (alike["kind"], alike["given"], alike["accepted"]) == (kind, *names)
    assert typed in line["try"][0] and line["try"][1].startswith("monspool dead replay")
    assert str(line["code"]) in line["summary"]
    assert line["state"] == "dead" and line["attempt_list"]
    # What it says to type does what it says.
    assert spool.run("-q", *shell_words(line["try"][0])[1:], "--yes").returncode == 0
    ahead.start()
    answer = spool.json(*shell_words(line["try"][1])[1:], "--yes")
    assert (answer["delivered"], answer["refused_again"]) == (1, 0)


def shell_words(line):
    done = subprocess.run(["sh", "-c", f"printf '%s\\0' {line}"], capture_output=True,
                          check=True, text=True)
    return done.stdout.split("\0")[:-1]


def test_explain_of_a_row_that_is_not_dead_is_66(spool):
    assert spool.run("dead", "explain", 1).returncode == 66
    assert spool.run("dead", "explain").returncode == 64
    assert spool.run("dead", "explain", "1-5").returncode == 64


def test_explain_has_all_codes_and_the_verdict_in_force(spool, tmp_path):
    lines = spool.lines("explain")
    assert [line["code"] for line in lines] == [0, *range(1000, 1022)]
    for line in lines:
        assert line["verdict"] == line["default_verdict"]
        assert line["text"] and line["causes"] and line["try"] and line["scope"]
    config = tmp_path / "codes.conf"
    config.write_text(f"[queue]\npath = {spool.path}\n[codes]\n1016 = hold\nhttp_418 = retry\n")
    spool.run("init", "-C", config, check=0)
    line = spool.json("explain", 1016)
    assert (line["verdict"], line["default_verdict"]) == ("hold", "check-one")
    line = spool.json("explain", "http-418")
    assert (line["code"], line["verdict"]) == (None, "retry")
    for word in ("1999", "http-200", "http-999", "x"):
        assert spool.run("explain", word).returncode == 66


def test_explain_needs_no_queue():
    done = subprocess.run([str(MONSPOOL), "explain", "1016"], capture_output=True, text=True,
                          env=environment(), stdin=subprocess.DEVNULL)
    assert done.returncode == 0 and "misspelt" in done.stdout


def test_an_import_believes_no_impossible_history(spool):
    """An export that was edited by hand, or by a machine with a wrong clock."""
    odd = [{"code": 99999999999, "attempts": 1e308, "accepted_at": "0001-01-01T00:00:00Z"},
           {"code": -5, "attempts": -1, "accepted_at": "9999-12-31T23:59:59Z"},
           {"code": "x", "attempts": None, "accepted_at": "rubbish", "message": 5}]
    spool.json("dead", "import", "-", input="".join(
        json.dumps({**row(1), **one}) + "\n" for one in odd))
    for line in spool.dead():
        assert (line["code"], line["attempts"], line["message"]) == (None, 0, "imported")
        assert line["accepted_at"][:10] == line["died_at"][:10]
    assert spool.audit()["ok"]


# ---- what is shown ----

def test_groups_for_people_and_programs(misspelt):
    lines = misspelt.lines("dead")
    assert [(line["rows"], line["metric"]) for line in lines] == [
        (20, "m0"), (20, "m1"), (20, "m2")]
    for line in lines:
        assert line["cause"] == "code" and line["code"] == 1016
        assert line["first_died_at"] <= line["last_died_at"]
        assert line["message"] and line["example_id"] in {
            dead["id"] for dead in misspelt.dead()}
    shown = misspelt.run("dead", check=0).stdout
    assert "(3 metrics)" in shown and "next: monspool dead explain 2" in shown
    assert misspelt.run("dlq", check=0).stdout == shown


def test_text_from_rows_is_escaped_everywhere(spool):
    nasty = "a\x1b[31m\r\n\u202eb"
    lines = json.dumps({**row(1), "code": 1017, "message": nasty}) + "\n"
    spool.json("dead", "import", "-", input=lines)
    for args in (["dead"], ["dead", "list"], ["dead", "show", "1"], ["dead", "explain", "1"],
                 ["dead", "edit", "1", "--set", "namespace=x", "--dry-run"],
                 ["dead", "purge", "1", "--dry-run"], ["dead", "replay", "1", "--dry-run"]):
        shown = spool.run(*args, check=0).stdout
        assert not set(shown) & {"\x1b", "\r", "\u202e"}, args
    assert spool.run("dead", "edit", "1", "--set", "metric=" + nasty, "--dry-run").returncode == 65


def test_names_are_data(spool):
    """contract.md S10."""
    evil = "'); DROP TABLE dead_letter;--"
    spool.json("dead", "import", "-", input=json.dumps(
        row(1, namespace=evil, metric=evil, **{evil: evil})) + "\n")
    assert spool.lines("dead", "list", "--namespace", evil, "--metric", evil)
    assert spool.json("dead", "edit", "--namespace", evil, "--set", "namespace=ok",
                      "--set", "metric=ok", "--rename-dim", evil.replace("=", "") + "=ip",
                      "--yes")["edited"] == 1
    assert spool.audit()["ok"] and spool.status()["dead"] == 1
