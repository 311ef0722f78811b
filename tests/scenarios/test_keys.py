"""Idempotency keys: of a call, of each row, and an import that is run again."""
import json
import os
import random
import sqlite3
import subprocess

import pytest

from house import MONSPOOL, environment, wait_until

SEED = int(os.environ.get("MONSPOOL_SEED", "0")) or random.SystemRandom().randrange(2**31)


def ndjson(count, **more):
    return "".join(json.dumps({"namespace": "cvm", "metric": "m", "dimensions": {},
                               "value": n, **more}) + "\n" for n in range(count))


def test_a_key_of_the_call_queues_it_once(spool):
    assert spool.put("-k", "a", input=ndjson(3))["queued"] == 3
    again = spool.put("-k", "a", input=ndjson(3))
    assert again == {"queued": 0, "duplicates": 3, "rejected": 0,
                     "first_id": None, "last_id": None}
    assert spool.put("-k", "b", input=ndjson(3))["queued"] == 3
    assert spool.status()["accepted"] == 6
    assert spool.audit()["ok"]


def test_a_key_of_one_metric(spool):
    args = ("-n", "cvm", "-m", "m", "-k", "a", "1")
    assert spool.put(*args)["first_id"] == 1
    assert spool.put(*args)["duplicates"] == 1
    assert spool.status()["accepted"] == 1


def test_a_refused_call_takes_no_key(spool):
    spool.run("put", "-k", "a", input=ndjson(2) + "bad\n", check=65)
    assert spool.put("-k", "a", input=ndjson(2))["queued"] == 2


@pytest.mark.parametrize("form, text", [
    ("ndjson", ndjson(2)), ("csv", "metric,value\na,1\nb,2\n"),
    ("influx", "m a=1,b=2\n"), ("prom", "a 1\nb 2\n")])
def test_a_prefix_gives_each_row_a_key(spool, form, text):
    args = ("-f", form, "-n", "cvm", "-K", "import")
    assert spool.put(*args, input=text)["queued"] == 2
    assert spool.put(*args, input=text)["duplicates"] == 2
    spool.put("-n", "cvm", "-m", "m", "-k", "import:2", "1")
    assert spool.put("-n", "cvm", "-m", "m", "-k", "import:3", "1")["queued"] == 1
    assert spool.status()["accepted"] == 3


def test_numbers_go_on_from_file_to_file(spool, tmp_path):
    for name in "ab":
        (tmp_path / name).write_text(ndjson(2))
    assert spool.put("-K", "p", tmp_path / "a", tmp_path / "b")["queued"] == 4
    assert spool.put("-n", "cvm", "-m", "m", "-k", "p:4", "1")["duplicates"] == 1


def test_a_bad_line_that_is_repaired_keeps_the_others_numbers(spool, tmp_path):
    lines = ndjson(4).splitlines()
    broken = [lines[0], "bad", *lines[2:]]
    spool.run("put", "-l", "-f", "ndjson", "-K", "p", "--rejects", tmp_path / "r",
              input="\n".join(broken), check=65)
    answer = spool.put("-l", "-f", "ndjson", "-K", "p", "--max-errors", "0",
                       input="\n".join(lines))
    assert (answer["queued"], answer["duplicates"]) == (1, 3)
    assert sorted(line["value"] for line in spool.lines("list")) == [0, 1, 2, 3]


def test_a_row_may_carry_its_own_key(spool):
    assert spool.put("-K", "p", input=ndjson(3, key="same"))["duplicates"] == 2
    assert spool.put("-f", "csv", "-n", "cvm",
                     input="metric,value,key\na,1,same\nb,2,other\n")["queued"] == 1


@pytest.mark.parametrize("args", [
    ["-k", ""], ["-k", "a\x1bb"], ["-K", "x" * 481], ["-k", "x" * 513],
    ["-k", "a", "-K", "b"], ["-K", "p", "-n", "cvm", "-m", "m", "1"]])
def test_a_bad_key_is_64(spool, args):
    done = spool.run("--json", "put", *args, input=ndjson(1))
    assert done.returncode == 64 and json.loads(done.stderr)["error"]["name"] == "usage"
    assert spool.status()["accepted"] == 0


def test_keys_are_forgotten_in_time(spool, tmp_path):
    config = tmp_path / "conf"
    config.write_text("[queue]\nkey_memory = 1s\n")
    spool.run("-C", config, "init", spool.path, check=0)
    spool.put("-K", "p", input=ndjson(20))

    def queued_again():
        return spool.put("-n", "cvm", "-m", "m", "-k", "p:7", "1")["queued"] == 1
    wait_until(queued_again, what="the key is forgotten")


def test_housekeeping_removes_expired_keys(spool, tmp_path, receiver, forwarder):
    sink = receiver()
    ahead = forwarder(sink.url, {"queue.key_memory": "1s"})
    spool.run("-C", ahead.config, "init", spool.path, check=0)
    spool.put("-K", "p", input=ndjson(3000))
    wait_until(lambda: spool.put("-n", "cvm", "-m", "m", "-k", "p:1", "1")["queued"] == 1,
               what="the keys expire")

    def keys():
        with sqlite3.connect(f"file:{spool.path}?mode=ro", uri=True) as db:
            return db.execute("SELECT count(*) FROM enqueue_key").fetchone()[0]
    assert keys() > 2500
    ahead.start()
    wait_until(lambda: keys() <= 1, what="expired keys are removed")
    ahead.stop()


def kill_midway(spool, rows, how):
    """One that has queued some rows, and waits for more."""
    process = subprocess.Popen(
        [MONSPOOL, "-q", "put", "-f", "ndjson", "-K", "import", *how, "-"],
        stdin=subprocess.PIPE, env=environment(MONSPOOL_QUEUE=str(spool.path)))
    process.stdin.write(rows.encode())
    process.stdin.flush()
    wait_until(lambda: spool.status()["accepted"] > 0, what="a part is queued")
    process.kill()
    process.wait()
    process.stdin.close()


@pytest.mark.parametrize("how", [["-l", "--max-errors", "0", "--chunk", "300"], []])
def test_a_killed_import_is_simply_run_again(spool, tmp_path, how):
    """SIGKILL at any moment, again and again: all rows are there once."""
    count = 20_000
    source = tmp_path / "rows"
    source.write_text(ndjson(count))
    chance = random.Random(SEED)
    print(f"seed {SEED}")
    kills = 0
    if how:
        kill_midway(spool, ndjson(count // 2), how)
        assert 0 < spool.status()["accepted"] <= count // 2
    for _ in range(60):
        process = subprocess.Popen(
            [MONSPOOL, "-q", "put", "-f", "ndjson", "-K", "import", *how, source],
            env=environment(MONSPOOL_QUEUE=str(spool.path)))
        try:
            process.wait(chance.uniform(0, 0.12) if kills > 0 else 0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
        accepted = spool.status()["accepted"]
        assert accepted <= count and spool.json("audit")["ok"]
        if process.returncode == 0:
            break
    answer = spool.put("-f", "ndjson", "-K", "import", *how, source)
    assert answer["queued"] + answer["duplicates"] == count
    values = sorted(line["value"] for line in spool.lines("list"))
    assert values == list(range(count))
    assert kills > 0
    assert spool.audit()["ok"]
