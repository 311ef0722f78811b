"""status: rates, ages, lanes and operations; what it tells is honest."""
import json
import re
import shutil
import sqlite3
import time
from contextlib import closing

import pytest

from house import row, wait_until


def sql(spool, statement, *values):
    with closing(sqlite3.connect(spool.path, isolation_level=None)) as db:
        db.execute("PRAGMA wal_autocheckpoint=0")
        return db.execute(statement, values).fetchall()


def remember(spool, minutes_ago, accepted, delivered):
    """What the forwarder wrote down at the end of a minute."""
    sql(spool, "INSERT INTO history VALUES (?, ?, ?, 0, ?)",
        int(time.time()) // 60 - minutes_ago, accepted, delivered,
        accepted - delivered)


def test_rates_are_not_known_without_a_history(spool):
    spool.put_rows([row(1)])
    answer = spool.status()
    assert answer["in_per_second"] is None and answer["out_per_second"] is None
    assert answer["operations"] == []
    shown = spool.run("status", check=0).stdout
    assert re.search(r"^pending +1 +oldest \S+ \S+ +rows", shown, re.MULTILINE)


def test_rates_are_taken_over_some_minutes(spool):
    sql(spool, "UPDATE ledger SET accepted = 60300, delivered = 300, pending = 60000")
    remember(spool, 30, 0, 0)
    remember(spool, 6, 300, 0)
    remember(spool, 1, 60300, 300)
    answer = spool.status()
    # Over 5 to 6 minutes.
    assert 60000 / 361 <= answer["in_per_second"] <= 60000 / 299
    assert 300 / 361 <= answer["out_per_second"] <= 300 / 299
    shown = spool.run("status", check=0).stdout
    assert re.search(r"pending +60,000 .* in \d+/s +out (1|0\.\d\d)/s", shown)
    assert "room for about" in shown


def test_a_history_that_has_just_begun_will_do(spool):
    sql(spool, "UPDATE ledger SET accepted = 600, pending = 600")
    remember(spool, 2, 0, 0)
    answer = spool.status()
    assert 600 / 121 <= answer["in_per_second"] <= 600 / 59
    assert answer["out_per_second"] == 0


def test_ages_are_counted_on_demand(spool):
    spool.put_rows([row(i) for i in range(6)] + [row(9, namespace="pc")])
    for number, seconds in ((1, 8 * 86400), (2, 86400 + 60), (3, 86400 + 60),
                            (4, 400), (5, 90)):
        sql(spool, "UPDATE metric SET accepted_at = accepted_at - ? WHERE id = ?",
            seconds * 1000, number)
    assert "ages" not in spool.status()
    answer = spool.json("status", "--ages")
    assert [(age["from_seconds"], age["to_seconds"], age["rows"])
            for age in answer["ages"]] == [
        (0, 60, 2), (60, 300, 1), (300, 3600, 1), (3600, 86400, 0),
        (86400, 604800, 2), (604800, None, 1)]
    shown = spool.run("status", "--ages", check=0).stdout
    assert re.search(r"^age +2 .*1d to 7d", shown, re.MULTILINE)


def test_every_lane_is_shown_on_demand(spool):
    spool.put_rows([row(1, namespace=f"ns{i}") for i in range(12)])
    assert "lane " not in spool.run("status", check=0).stdout
    shown = spool.run("status", "--lanes", check=0).stdout
    assert len(re.findall(r"^lane .*ready", shown, re.MULTILINE)) == 12
    spool.run("hold", "set", "ns*", "--reason", "all", check=0)
    shown = spool.run("status", check=0).stdout
    assert len(re.findall(r"^lane .*held ", shown, re.MULTILINE)) == 8
    assert "and 4 more" in shown and len(shown.splitlines()) <= 24


def test_dead_rows_are_told_by_code(spool, receiver, forwarder):
    place = receiver(namespace=["cvm:cpu:ip"])
    spool.put_rows([row(1), row(2, namespace="cvmm"), row(3, namespace="cvmm"),
                    row(4, disk="x")])
    forwarder(place.url).drain(check=0)
    shown = spool.run("status", check=0).stdout
    assert re.search(r"^dead +3 +1016: 2 +1017: 1 .*monspool dead", shown, re.MULTILINE)


@pytest.mark.parametrize("policy", ["latest-only", "dead-letter"])
def test_what_becomes_of_late_rows_is_said(spool, receiver, forwarder, policy):
    spool.put_rows([row(1)])
    sql(spool, "UPDATE metric SET accepted_at = accepted_at - 3600000")
    one = forwarder(receiver(fault="refuse").url, {"late.policy": policy})
    spool.lines("hold", "set", "cvm", "--reason", "so that it stays")
    one.once()
    assert policy in spool.run("status", check=0).stdout


def test_the_forwarder_writes_the_history(spool, receiver, forwarder):
    """A minute passes while it runs."""
    one = forwarder(receiver().url).start()
    spool.put_rows([row(1)])
    wait_until(lambda: sql(spool, "SELECT accepted FROM history"), timeout=80)
    assert one.stop() == 0


# ---- rows that the file lost ----

def files_of(spool):
    return [spool.path, spool.path.with_name("queue.db-wal"),
            spool.path.with_name("queue.db-shm")]


def test_an_older_copy_under_the_gate_is_told_before_anybody_puts(spool, tmp_path):
    spool.put_rows(row(n) for n in range(5))
    copies = tmp_path / "copies"
    copies.mkdir()
    for file in files_of(spool):
        shutil.copy2(file, copies / file.name)
    spool.put_rows(row(n) for n in range(7))
    assert spool.audit()["ok"] and spool.status()["missing_last_id"] is None
    for file in files_of(spool):
        shutil.copy2(copies / file.name, file)
    for _ in range(2):  # looking changes nothing
        status = spool.status()
        assert (status["missing_first_id"], status["missing_last_id"]) == (6, 12)
        assert (status["last_id"], status["missing"]) == (5, 0)
        assert "ids 6..12 were acknowledged" in spool.run("status", check=0).stdout
        done = spool.run("--json", "audit", check=74)
        audit = json.loads(done.stdout)
        assert not audit["ok"] and audit["last_id"] == 5
        [problem] = audit["problems"]
        assert problem.startswith("ids 6..12 are missing")
    # The next put makes a record of them.
    assert spool.put_rows([row(1)])["first_id"] == 13
    status = spool.status()
    assert (status["missing"], status["missing_first_id"]) == (7, None)
    assert spool.audit()["ok"]


def test_a_gate_that_is_gone_is_not_made_by_looking(spool):
    spool.put_rows([row(1)])
    gate = spool.path.with_name("queue.db.gate")
    gate.unlink()
    assert spool.audit()["ok"] and spool.status()["pending"] == 1
    assert not gate.exists()
