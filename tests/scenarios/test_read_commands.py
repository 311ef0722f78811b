"""status, list, show, dead list, dead show, audit: what they tell is so."""
import json
import re
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest

from house import MONSPOOL, environment, need_strace, row, wait_until

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
INT, TEXT, BOOL, LIST, OBJECT = int, str, bool, list, dict

STATUS = {
    "queue": TEXT, "schema": INT, "accepted": INT, "pending": INT, "held": INT,
    "delivered": INT, "dead": INT, "expired": INT, "dropped": INT, "purged": INT,
    "replayed": INT, "late": INT, "last_id": INT, "ambiguous": INT, "missing": INT,
    "oldest_pending_age_seconds": INT, "newest_pending_age_seconds": INT,
    "db_bytes": INT, "wal_bytes": INT, "max_bytes": INT, "disk_free_bytes": INT,
    "in_per_second": (int, float, None), "out_per_second": (int, float, None),
    "operations": LIST, "lanes": LIST, "forwarder": OBJECT,
}
LANE = {"namespace": TEXT, "region": TEXT, "account": TEXT, "state": TEXT,
        "pending": INT, "reason": (TEXT, None), "code": (INT, None),
        "wake_in_seconds": (INT, None)}
FORWARDER = {"running": BOOL, "pid": (INT, None), "last_success_at": (TIME, None),
             "since": (TIME, None), "endpoint": (TEXT, None), "last_error": (TEXT, None)}
NUMBER = (int, float)
PENDING = {"id": INT, "namespace": TEXT, "region": TEXT, "account": TEXT, "metric": TEXT,
           "dimensions": OBJECT, "value": NUMBER, "state": TEXT, "attempts": INT,
           "accepted_at": TIME, "observed_at": (TIME, None), "expires_at": (TIME, None),
           "age_seconds": INT, "origin_id": (INT, None)}
DEAD = {"id": INT, "namespace": TEXT, "region": TEXT, "account": TEXT, "metric": TEXT,
        "dimensions": OBJECT, "value": NUMBER, "code": (INT, None), "cause": TEXT,
        "message": TEXT, "attempts": INT, "accepted_at": TIME, "died_at": TIME,
        "replays": INT, "origin_id": (INT, None)}
ATTEMPT = {"at": TIME, "rows": INT, "bytes": INT, "http_status": (INT, None),
           "code": (INT, None), "message": TEXT, "outcome": TEXT, "took_ms": INT,
           "alone": BOOL}
AUDIT = {**{name: INT for name in (
    "accepted", "pending", "delivered", "dead", "expired", "dropped", "purged",
    "replayed", "last_id", "counted_pending", "counted_dead")},
    "problems": LIST, "ok": BOOL}


def fits(value, kind):
    if isinstance(kind, tuple):
        return any(fits(value, one) for one in kind)
    if kind is None:
        return value is None
    if isinstance(kind, re.Pattern):
        return isinstance(value, str) and bool(kind.fullmatch(value))
    if kind is INT:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def assert_shape(answer, shape):
    """Every member is there, in its type; more may be."""
    for name, kind in shape.items():
        assert name in answer, name
        assert fits(answer[name], kind), (name, answer[name])


@pytest.fixture(name="refused")
def _refused(spool, receiver, forwarder):
    """A queue of which the receiver took some rows and refused others."""
    place = receiver(namespace=["cvm:cpu:ip"])
    run = forwarder(place.url)
    spool.put_rows([row(1), row(2, namespace="cvmm"), row(3, metric="unknown"),
                    row(4, disk="x"), row(5)])
    run.drain(check=0)
    return spool


# ---- status ----

def test_status_has_its_members(spool):
    spool.put_rows([row(1), {**row(2), "region": "gz"}])
    answer = spool.status()
    assert_shape(answer, STATUS)
    assert len(answer["lanes"]) == 2
    for lane in answer["lanes"]:
        assert_shape(lane, LANE)
        assert (lane["state"], lane["pending"], lane["wake_in_seconds"]) == ("ready", 1, None)
    assert_shape(answer["forwarder"], FORWARDER)
    assert answer["forwarder"]["running"] is False
    assert answer["forwarder"]["pid"] is None
    assert (answer["accepted"], answer["pending"], answer["last_id"]) == (2, 2, 2)


def test_status_of_an_empty_queue_has_no_ages(spool):
    answer = spool.status()
    assert answer["oldest_pending_age_seconds"] == 0
    assert answer["newest_pending_age_seconds"] == 0
    assert answer["lanes"] == []


def age(spool, number, seconds):
    """Row number was accepted so long ago."""
    with closing(sqlite3.connect(spool.path, isolation_level=None)) as db:
        db.execute("UPDATE metric SET accepted_at = accepted_at - ? WHERE id = ?",
                   (seconds * 1000, number))


def test_ages_and_late_rows_are_counted(spool):
    spool.put_rows([row(1), row(2), row(3)])
    age(spool, 1, 3600)
    age(spool, 2, 400)
    answer = spool.status()
    assert 3600 <= answer["oldest_pending_age_seconds"] < 3660
    assert answer["newest_pending_age_seconds"] < 60
    assert answer["late"] == 2
    assert [line["id"] for line in spool.lines("list", "--late")] == [1, 2]
    assert "older than 5m" in spool.run("status", check=0).stdout


def test_held_rows_are_pending_ones_of_held_lanes(spool):
    spool.put_rows([row(1), row(2), row(3, namespace="pc")])
    with closing(sqlite3.connect(spool.path, isolation_level=None)) as db:
        db.execute("UPDATE lane SET state = 'held', reason = 'why', code = 1011,"
                   " held_by = 'operator' WHERE namespace = 'cvm'")
    answer = spool.status()
    assert (answer["pending"], answer["held"]) == (3, 2)
    held = [lane for lane in answer["lanes"] if lane["state"] == "held"]
    assert [(lane["reason"], lane["code"]) for lane in held] == [("why", 1011)]
    assert [line["id"] for line in spool.lines("list", "--state", "held")] == [1, 2]
    shown = spool.run("status", check=0).stdout
    assert re.search(r"held cvm/-/default.*why", shown)


def test_running_is_read_from_the_lock(spool, receiver, forwarder):
    run = forwarder(receiver().url).start()
    answer = spool.status()["forwarder"]
    assert answer["running"] is True
    assert answer["pid"] == run.process.pid
    assert fits(answer["since"], TIME)
    spool.put_rows([row(1)])
    run.wait_empty()
    wait_until(lambda: spool.status()["forwarder"]["last_success_at"])
    assert "running" in spool.run("status", check=0).stdout
    run.kill()
    assert spool.status()["forwarder"]["running"] is False
    assert "not running" in spool.run("status", check=0).stdout


def test_status_for_people_is_one_screen(refused):
    shown = refused.run("status", check=0).stdout
    heads = [line.split()[0] for line in shown.splitlines()]
    assert heads[:6] == ["queue", "forwarder", "pending", "held", "late", "dead"]
    assert len(shown.splitlines()) <= 24
    assert "monspool dead" in shown


# ---- list ----

def test_list_has_its_members_in_id_order(spool):
    spool.put_rows([row(1), row(2, namespace="pc"), row(3)])
    lines = spool.lines("list")
    assert [line["id"] for line in lines] == [1, 2, 3]
    for line in lines:
        assert_shape(line, PENDING)
        assert line["state"] == "ready"


FILTERS = [
    (["--namespace", "cvm"], [1, 2, 3]), (["--namespace", "c*"], [1, 2, 3]),
    (["--namespace", "pc,cv?"], [1, 2, 3, 4]), (["--namespace", "x"], []),
    (["--region", "gz"], [2]), (["--region", "-"], [1, 3, 4]),
    (["--region", "-,gz"], [1, 2, 3, 4]), (["--account", "b"], [3]),
    (["--metric", "cpu"], [1, 2, 3]), (["--metric", "m*"], [4]),
    (["--dim", "ip=10.0.0.1"], [1, 2, 3]), (["--dim", "disk=a"], [4]),
    (["--dim", "disk=b"], []), (["--namespace", "cvm", "--account", "b"], [3]),
    (["--older-than", "1h"], []), (["--newer-than", "1h"], [1, 2, 3, 4]),
    (["--state", "ready"], [1, 2, 3, 4]), (["--state", "held"], []),
    (["--limit", "2"], [1, 2]), (["--limit", "0"], [1, 2, 3, 4]),
    (["--namespace", "pc,x*", "--limit", "1"], [4]),
]


@pytest.mark.parametrize("args, ids", FILTERS, ids=lambda value: " ".join(map(str, value)))
def test_list_filters(spool, args, ids):
    spool.put_rows([row(1), {**row(2), "region": "gz"}, {**row(3), "account": "b"},
                    row(4, metric="mem", namespace="pc", disk="a")])
    assert [line["id"] for line in spool.lines("list", *args)] == ids


def test_list_for_people_stops_at_a_hundred_and_says_so(spool):
    spool.put_rows([row(i) for i in range(120)])
    done = spool.run("list", check=0)
    assert len(done.stdout.splitlines()) == 101
    assert "--limit 0" in done.stderr
    assert len(spool.run("list", "--limit", "0", check=0).stdout.splitlines()) == 121
    assert len(spool.lines("list")) == 120


def test_list_does_not_pin_the_log_while_it_prints(spool):
    """No read transaction is open across a page of output."""
    import subprocess

    from house import MONSPOOL, environment
    spool.put_rows([row(i, ip="x" * 200) for i in range(5000)])
    reader = subprocess.Popen([str(MONSPOOL), "--json", "list"], stdout=subprocess.PIPE,
                              env=environment(MONSPOOL_QUEUE=str(spool.path)))
    reader.stdout.read(1)
    wait_until(lambda: "pipe" in open(f"/proc/{reader.pid}/wchan").read()
               or open(f"/proc/{reader.pid}/stat").read().split()[2] == "S")
    with closing(sqlite3.connect(spool.path, isolation_level=None)) as db:
        busy, log, copied = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    assert (busy, copied) == (0, log)
    reader.stdout.close()
    reader.wait(60)


# ---- show ----

def test_show_has_the_line_and_the_attempts(refused):
    [dead] = refused.lines("show", "2")
    assert_shape(dead, {**DEAD, "state": TEXT, "attempt_list": LIST})
    assert dead["state"] == "dead"
    assert dead["attempt_list"]
    for attempt in dead["attempt_list"]:
        assert_shape(attempt, ATTEMPT)
    assert dead["attempt_list"][-1]["code"] == 1016
    assert len(dead["attempt_list"]) == dead["attempts"]
    refused.put_rows([row(9)])
    [pending] = refused.lines("show", "6")
    assert_shape(pending, {**PENDING, "attempt_list": LIST})
    assert (pending["state"], pending["attempt_list"]) == ("pending", [])


def test_a_row_that_left_or_never_was_is_66(refused):
    for number, why in (("1", "left"), ("99", "never")):
        done = refused.run("show", number)
        assert done.returncode == 66 and why in done.stderr
        done = refused.run("dead", "show", number)
        assert done.returncode == 66
    done = refused.run("--json", "show", "2", "1")
    assert done.returncode == 66
    assert '"id":2' in done.stdout and "not_found" in done.stderr


def test_ids_are_named_singly_as_ranges_and_on_standard_input(spool):
    spool.put_rows([row(i) for i in range(5)])

    def ids(*args, **how):
        return [line["id"] for line in spool.lines("show", *args, **how)]
    assert ids("4", "1-2") == [4, 1, 2]
    assert ids("3-999999999999") == [3, 4, 5]
    assert ids("-", input="2\n\n4-5\n") == [2, 4, 5]
    listed = spool.run("--json", "list", "--limit", "2", check=0).stdout
    assert ids("-", input=listed) == [1, 2]
    assert spool.run("show", "-", input="nothing\n").returncode == 64


# ---- dead ----

def test_dead_list_has_its_members(refused):
    lines = refused.dead()
    assert [(line["id"], line["code"], line["cause"]) for line in lines] == [
        (2, 1016, "code"), (3, 1017, "code"), (4, 1017, "code")]
    for line in lines:
        assert_shape(line, DEAD)
        assert line["message"] and line["attempts"] >= 1
        assert (line["replays"], line["origin_id"]) == (0, None)


def test_dead_show_adds_the_evidence(refused):
    [line] = refused.lines("dead", "show", "3")
    assert_shape(line, {**DEAD, "evidence": OBJECT, "attempt_list": LIST, "edits": LIST})
    assert_shape(line["evidence"], {"http_status": (INT, None), "alone": BOOL,
                                    "contrast": (TEXT, None), "text": TEXT})
    assert line["evidence"]["text"].endswith(
        'HTTP 200: {"code":1017,"message":"Dimension verification failed"}')
    assert line["evidence"]["http_status"] == 200
    shown = refused.run("dead", "show", "3", check=0).stdout
    assert "1017" in shown and "attempt" in shown


DEAD_FILTERS = [
    ([], [2, 3, 4]), (["--all"], [2, 3, 4]), (["--code", "1016"], [2]),
    (["--code", "1016,1017"], [2, 3, 4]), (["--code", "none"], []),
    (["--code", "none,1016"], [2]), (["--cause", "code"], [2, 3, 4]),
    (["--cause", "http,oversize"], []), (["--namespace", "cvm"], [3, 4]),
    (["--namespace", "cvm*"], [2, 3, 4]), (["--metric", "cpu,x"], [2, 4]),
    (["--region", "-"], [2, 3, 4]), (["--account", "default"], [2, 3, 4]),
    (["--dim", "disk=x"], [4]), (["--older-than", "1h"], []),
    (["--newer-than", "1h"], [2, 3, 4]), (["--since", "-1h"], [2, 3, 4]),
    (["--until", "1h ago"], []), (["--replayed", "1"], []), (["--replayed", "0"], [2, 3, 4]),
    (["--sort", "id", "--limit", "1"], [2]), (["--limit", "2"], [2, 3]),
]


def test_dead_list_filters(refused):
    for args, ids in DEAD_FILTERS:
        found = [line["id"] for line in refused.lines("dead", "list", *args)]
        assert found == ids, args
    by_code = [line["code"] for line in refused.lines("dead", "list", "--sort", "code")]
    assert by_code == sorted(by_code)
    by_age = [line["died_at"] for line in refused.lines("dead", "list", "--sort", "age")]
    assert by_age == sorted(by_age)


@pytest.mark.parametrize("words", ["overszie", "code,htp", "", "code,", "Code"])
def test_a_cause_that_no_row_dies_of_is_64(spool, words):
    done = spool.run("--json", "dead", "list", "--cause", words)
    assert done.returncode == 64 and done.stdout == ""
    assert "oversize" in json.loads(done.stderr)["error"]["hint"]


def test_exit_code_asks_whether_there_are_any(refused):
    assert refused.run("dead", "list", "--exit-code").returncode == 1
    assert refused.run("dead", "list", "--exit-code", "--code", "1003").returncode == 0


def test_dead_list_for_people_shows_code_and_reason(refused):
    shown = refused.run("dead", "list", check=0).stdout
    assert shown.splitlines()[0].split()[:2] == ["ID", "CODE"]
    assert "1016" in shown and "1017" in shown


# ---- audit ----

def test_audit_counts_and_agrees(refused):
    answer = refused.audit()
    assert_shape(answer, AUDIT)
    assert answer["ok"] and answer["problems"] == []
    assert (answer["accepted"], answer["delivered"], answer["dead"]) == (5, 2, 3)
    assert (answer["counted_pending"], answer["counted_dead"]) == (0, 3)


@pytest.mark.parametrize("damage", [
    "UPDATE ledger SET delivered = delivered + 1", "UPDATE ledger SET pending = pending + 1",
    "DELETE FROM metric WHERE id = 1", "UPDATE lane SET pending = 7",
    "UPDATE ledger SET last_id = 0"])
def test_an_audit_that_finds_something_is_74(spool, damage):
    spool.put_rows([row(1), row(2)])
    with closing(sqlite3.connect(spool.path, isolation_level=None)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute(damage)
    done = spool.run("--json", "audit")
    assert done.returncode == 74
    assert '"ok":false' in done.stdout and "ledger_broken" in done.stderr
    assert spool.run("audit").returncode == 74


# ---- the demo ----

def test_the_demo_loses_nothing_and_ends_with_the_next_command(spool):
    began = time.monotonic()
    done = spool.run("demo", "--fast", check=0)
    steps = [line.split()[0] for line in done.stdout.splitlines() if line[0] != " "]
    assert steps == ["receiver", "writer", "outage", "recovery", "crash", "bad",
                     "repair", "audit", "next:"]
    assert " 0 lost" in done.stdout and "dead 5," in done.stdout
    assert re.search(r"^repair .* dead 0$", done.stdout, re.MULTILINE)
    assert time.monotonic() - began < 120
    assert spool.status()["accepted"] == 0


def test_what_the_demo_tells_to_do_next_works_when_it_is_typed(tmp_path):
    demo = subprocess.run([MONSPOOL, "demo", "--fast"], text=True, cwd=tmp_path,
                          env=environment(), stdout=subprocess.PIPE, check=True)
    [line] = re.findall(r"^next: +(.*)$", demo.stdout, re.MULTILINE)
    typed = subprocess.run(
        ["sh", "-ec", line + "; exec \"$0\" --json status", MONSPOOL], text=True,
        cwd=tmp_path, env=environment(HOME=str(tmp_path)), stdout=subprocess.PIPE, check=True)
    assert json.loads(typed.stdout.splitlines()[-1])["pending"] == 1


def test_a_shown_row_names_its_lane_as_it_is_typed(spool):
    spool.put("-n", "cvm", "-m", "a", "1")
    spool.put("-n", "cvm", "-m", "a", "-r", "gz", "1")
    shown = spool.run("show", "1-2", check=0).stdout
    assert re.findall(r"^  lane +(\S+)", shown, re.MULTILINE) == ["cvm/-/default", "cvm/gz/default"]


def test_what_is_not_there_is_told_as_it_is(spool):
    spool.put("-n", "cvm", "-m", "cpu", "1")
    with closing(sqlite3.connect(spool.path, isolation_level=None)) as db:
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute("INSERT INTO gap (first_id, last_id, noticed_at, reason)"
                   " VALUES (2, 4, 1700000000000, 'test')")
        db.execute("UPDATE ledger SET last_id = 4, missing = 3")
    for words, said in ((["5"], "row 5 never was: the last id given is 4"),
                        (["900-1000"], "row 900 never was"),
                        (["3"], "row 3 is missing: the file lost it")):
        done = spool.run("show", *words)
        assert done.returncode == 66 and said in done.stderr, done
    assert spool.audit()["ok"]


def test_an_audit_that_cannot_read_does_not_speak_of_damage(spool, tmp_path):
    need_strace("audit_read_errors", "C8 is proved by vfs_errors")
    spool.put_rows(row(n, metric=f"m{n}") for n in range(3000))
    trace, outcomes = tmp_path / "trace", []
    for when in (*range(1, 40, 3), *range(40, 200, 20)):
        done = subprocess.run(
            ["strace", "-qq", "-o", trace, "-e", "trace=pread64", "-P", spool.path,
             "-e", f"inject=pread64:error=EIO:when={when}+", MONSPOOL, "--json", "audit", "--deep"],
            capture_output=True, text=True, timeout=60,
            env=environment(MONSPOOL_QUEUE=str(spool.path), ASAN_OPTIONS="detect_leaks=0"))
        outcomes.append(done.returncode)
        if done.returncode != 0:
            assert json.loads(done.stderr)["error"]["name"] == "io_error", (when, done.stderr)
    assert 74 in outcomes and set(outcomes) <= {0, 74}, outcomes
    assert spool.audit()["ok"]
