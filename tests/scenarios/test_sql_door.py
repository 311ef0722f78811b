"""The SQL door: metrics put by programs that speak SQL and nothing else."""
import json
import random
import shutil
import sqlite3
import struct
import subprocess

import pytest

from house import row, wait_until

MANNERS = ("PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL;"
           " PRAGMA wal_autocheckpoint = 0;")
COLUMNS = ("namespace", "metric", "dimensions", "value", "region", "account",
           "key", "observed_ms", "max_age_seconds")


def metric(**changes):
    return {"namespace": "cvm", "metric": "disk", "dimensions": '{"ip":"1"}',
            "value": 1, **changes}


@pytest.fixture
def door(spool):
    """A connection as any program would open one."""
    db = sqlite3.connect(spool.path, isolation_level=None)
    db.executescript(MANNERS)
    yield db
    db.close()


def put(door, verb="INSERT", **changes):
    given = metric(**changes)
    names = ", ".join(given)
    places = ", ".join("?" * len(given))
    door.execute(f"{verb} INTO monspool_put ({names}) VALUES ({places})",
                 list(given.values()))


def refusal(door, **changes):
    """What the door says; a text, and nothing is queued."""
    before = door.execute("SELECT * FROM monspool_ledger").fetchone()
    with pytest.raises(sqlite3.Error) as caught:
        put(door, **changes)
    assert door.execute("SELECT * FROM monspool_ledger").fetchone() == before
    words = str(caught.value)
    assert words.startswith("monspool: "), words
    return words


def balanced(spool):
    audit = spool.audit()
    assert audit["ok"] and audit["problems"] == [], audit
    return audit


# ---- the way in ----

def test_the_shell_puts_and_reads_the_id_it_was_given(spool):
    script = MANNERS + """
        BEGIN IMMEDIATE;
        INSERT INTO monspool_put(namespace, metric, dimensions, value)
          VALUES ('cvm', 'diskusage', '{"ip":"10.0.0.1"}', 30);
        SELECT last_id FROM monspool_ledger;
        COMMIT;
        SELECT version FROM monspool_door;"""
    done = subprocess.run([shutil.which("sqlite3"), spool.path], input=script,
                          text=True, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split()[-2:] == ["1", "1"]
    [line] = spool.lines("list")
    assert (line["id"], line["namespace"], line["metric"], line["value"]) == (
        1, "cvm", "diskusage", 30)
    assert line["dimensions"] == {"ip": "10.0.0.1"}
    assert (line["region"], line["account"]) == ("", "default")
    balanced(spool)


def test_all_columns_arrive(spool, door):
    put(door, region="gz", account="second", key="k1", observed_ms=1700000000123,
        max_age_seconds=3600, dimensions='{"b":"2","a":"1"}', value=0.1)
    [line] = spool.lines("list")
    assert (line["region"], line["account"], line["value"]) == ("gz", "second", 0.1)
    assert list(line["dimensions"]) == ["a", "b"]
    assert line["observed_at"] == "2023-11-14T22:13:20.123Z"
    [(accepted, expires)] = door.execute(
        "SELECT accepted_at, expires_at FROM metric").fetchall()
    assert expires - accepted == 3600000
    balanced(spool)


@pytest.mark.parametrize("given", ["DEFAULT", "NULL", "{}"])
def test_dimensions_may_be_left_out(spool, door, given):
    if given == "DEFAULT":
        door.execute("INSERT INTO monspool_put (namespace, metric, value)"
                     " VALUES ('cvm', 'disk', 1)")
    else:
        put(door, dimensions=None if given == "NULL" else given)
    spool.put("-n", "cvm", "-m", "disk", "1")
    assert [line["dimensions"] for line in spool.lines("list")] == [{}, {}]
    assert len(set(door.execute("SELECT wire FROM series"))) == 1
    balanced(spool)


TEXTS = ["plain", "", "Grüße", "中文 \U0001f600", 'quote " and \\ and /', "\u00a0é",
         "\ufffd\ufffe\uffff", "'); DROP TABLE metric;--", "a" * 256, "\\u0000", "{}"]


def test_what_is_stored_is_what_put_stores(spool, door):
    """Both ways in, the same rows: same wire text, same value text."""
    values = [0, -1, 30, 0.1, 1e-7, 1e21, 1e300 * 1e-285, 0.30000000000000004, 12.5,
              123456789.125, -2.5e-9]
    rows = [row(0, value=values[n % len(values)], k=text, **{"Ä€": "x", "b": "y"})
            for n, text in enumerate(TEXTS)]
    spool.put_rows(rows)
    for one in rows:
        for spaced in (None, 1):
            put(door, namespace=one["namespace"], metric=one["metric"],
                value=one["value"],
                dimensions=json.dumps(one["dimensions"], ensure_ascii=bool(spaced),
                                      indent=spaced))
    stored = door.execute(
        "SELECT series.hash = 0, wire, value FROM metric JOIN series"
        " ON series.id = series_id ORDER BY metric.id").fetchall()
    ours = [one[1:] for one in stored if not one[0]]
    doors = [one[1:] for one in stored if one[0]]
    assert len(ours) == len(rows)
    assert doors == [one for one in ours for _ in range(2)]
    # found again, not made twice
    assert door.execute("SELECT count(*) FROM series WHERE hash = 0"
                        ).fetchone() == (len({one[0] for one in ours}),)
    balanced(spool)


def test_numbers_arrive_bit_for_bit(spool, door, receiver, forwarder):
    dice = random.Random(20240)
    values = [5e-324, 1.7976931348623157e308, 2.2250738585072014e-308, 1e21, 1e22,
              9007199254740993.0, -0.1, 123456789012345680.0]
    for _ in range(1500):
        wild = struct.unpack("d", struct.pack("Q", dice.getrandbits(64)))[0]
        values += [value for value in (
            wild, round(dice.uniform(-1000, 1000), dice.randint(0, 6)),
            dice.random() * 10.0 ** dice.randint(-8, 22),
            float(dice.randint(-10**17, 10**17))) if abs(value) < float("inf")]
    door.execute("BEGIN IMMEDIATE")
    for number, value in enumerate(values):
        put(door, value=value, dimensions=json.dumps({"n": str(number)}))
    door.execute("COMMIT")
    sink = receiver()
    forwarder(sink.url, {"batch.max_rows": "1000"}).drain(check=0)
    got = {int(one["dimensions"]["n"]): one["value"] for one in sink.records()}
    assert [float(got[number]) for number in range(len(values))] == values
    assert balanced(spool)["delivered"] == len(values)


def test_everything_said_is_delivered(spool, door, receiver, forwarder):
    for text in TEXTS:
        put(door, dimensions=json.dumps({"k": text}))
    sink = receiver()
    forwarder(sink.url).drain(check=0)
    assert [one["dimensions"]["k"] for one in sink.records()] == TEXTS
    balanced(spool)


def test_a_running_forwarder_notices(spool, door, receiver, forwarder):
    sink = receiver()
    forwarder(sink.url, {"forwarder.idle_poll": "50ms"}).start()
    put(door)
    wait_until(lambda: len(sink.records()) == 1, what="the row is delivered")


# ---- checks ----

@pytest.mark.parametrize("word, changes", [
    ("namespace is missing", {"namespace": None}),
    ("namespace is empty", {"namespace": ""}),
    ("namespace is not text", {"namespace": 5}),
    ("namespace is too long", {"namespace": "n" * 33}),
    ("letters, digits and _", {"namespace": "a-b"}),
    ("letters, digits and _", {"namespace": "Grüße"}),
    ("NUL", {"namespace": "a\0b"}),
    ("letters, digits and _", {"namespace": "a\nb"}),
    ("metric name is missing", {"metric": None}),
    ("metric name is too long", {"metric": "m" * 65}),
    ("letters, digits and _", {"metric": "cpu usage"}),
    ("value is missing", {"value": None}),
    ("value is missing", {"value": float("nan")}),
    ("value is not a number", {"value": "30%"}),
    ("value is not a number", {"value": "30"}),
    ("value is not a number", {"value": b"30"}),
    ("not a finite number", {"value": float("inf")}),
    ("not a finite number", {"value": float("-inf")}),
    ("a-z, digits and -", {"region": "GZ"}),
    ("region is too long", {"region": "r" * 33}),
    ("account is empty", {"account": ""}),
    ("account is too long", {"account": "a" * 128}),
    ("control character", {"account": "a\u202eb"}),
    ("control character", {"account": "a\x1b[31m"}),
    ("key is empty", {"key": ""}),
    ("key is too long", {"key": "k" * 513}),
    ("control character", {"key": "k\x7f"}),
    ("not text", {"key": 7}),
    ("observed_ms", {"observed_ms": -1}),
    ("observed_ms", {"observed_ms": "yesterday"}),
    ("observed_ms", {"observed_ms": 253402300800000}),
    ("max_age_seconds", {"max_age_seconds": 0}),
    ("max_age_seconds", {"max_age_seconds": 1.5}),
    ("max_age_seconds", {"max_age_seconds": 2**62}),
    ("not JSON", {"dimensions": "ip=1"}),
    ("not JSON", {"dimensions": ""}),
    ("not JSON", {"dimensions": "{'ip':'1'}"}),
    ("not JSON", {"dimensions": '{"ip":"1"} x'}),
    ("not JSON", {"dimensions": b'{"ip":"1"}'}),
    ("not a JSON object", {"dimensions": '["ip"]'}),
    ("not a JSON object", {"dimensions": "null"}),
    ("is not a string", {"dimensions": '{"ip":1}'}),
    ("is not a string", {"dimensions": '{"ip":null}'}),
    ("is not a string", {"dimensions": '{"ip":{}}'}),
    ("name is empty", {"dimensions": '{"":"1"}'}),
    ("given twice", {"dimensions": '{"ip":"1","\\u0069p":"2"}'}),
    ("too many", {"dimensions": json.dumps({str(n): "1" for n in range(6)})}),
    ("name is too long", {"dimensions": json.dumps({"k" * 65: "1"})}),
    ("value is too long", {"dimensions": json.dumps({"k": "v" * 257})}),
    ("control character", {"dimensions": '{"ip":"a\\nb"}'}),
    ("control character", {"dimensions": '{"i\\u202ep":"1"}'}),
    ("control character", {"dimensions": '{"ip":"\\u0085"}'}),
    ("NUL", {"dimensions": '{"ip":"a\\u0000b"}'}),
    ("NUL", {"dimensions": '{"ip":"a"}\0'}),
    ("UTF-8", {"dimensions": '{"ip":"\\ud800"}'}),
])
def test_refuses_what_put_refuses(spool, door, word, changes):
    assert word in refusal(door, **changes)
    balanced(spool)


@pytest.mark.parametrize("broken", ["a0", "e4b8", "c080", "eda080", "f5808080",
                                    "e4b8adad", "41e4", "ff"])
def test_refuses_what_is_no_utf8(spool, door, broken):
    with pytest.raises(sqlite3.Error, match="^monspool: .*UTF-8"):
        door.execute("INSERT INTO monspool_put (namespace, metric, dimensions, value)"
                     f" VALUES ('cvm', 'disk', '{{\"k\":\"' || CAST(x'{broken}' AS TEXT)"
                     " || '\"}', 1)")
    assert spool.status()["accepted"] == 0


def test_obeys_the_settings_that_were_copied(spool, door, forwarder):
    ahead = forwarder("http://127.0.0.1:9/", {
        "checks.max_dimensions": "1", "checks.max_row_bytes": "1K",
        "checks.max_dimension_value": "0", "queue.key_memory": "1d12h"})
    ahead.once(check=0)
    assert "too many" in refusal(door, dimensions='{"a":"1","b":"2"}')
    assert "too large" in refusal(door, dimensions=json.dumps({"a": "x" * 1024}))
    put(door, dimensions=json.dumps({"a": "x" * 900}), key="k")
    assert door.execute(
        "SELECT enqueue_key.expires_at - metric.accepted_at FROM enqueue_key"
        " JOIN metric ON metric.id = enqueue_key.id").fetchone() == (129600000,)
    ahead.configure({"checks.strict": "no"})
    ahead.once()
    put(door, namespace="QCE/CVM x", metric="cpu %",
        dimensions='{"a":1,"b":2.50,"c":"3","d":"4","e":"5","f":"6"}')
    [line] = [line for line in spool.lines("list") if line["metric"] == "cpu %"]
    assert line["dimensions"]["a"] == "1" and line["dimensions"]["b"] == "2.50"
    assert "control" in refusal(door, namespace="a\nb")
    balanced(spool)


def test_a_row_is_as_large_as_put_lets_it_be(spool, door, forwarder):
    forwarder("http://127.0.0.1:9/", {
        "checks.max_row_bytes": "128", "checks.max_dimension_value": "0"}).once()
    for length in range(60, 100):
        text = "é" + "x" * length
        done = spool.run("put", "-n", "cvm", "-m", "m", "-d", f"k={text}", "12.5")
        try:
            put(door, metric="m", value=12.5, dimensions=json.dumps({"k": text}))
            taken = True
        except sqlite3.Error:
            taken = False
        assert taken == (done.returncode == 0), length
    assert 0 < spool.status()["accepted"] < 80


def test_a_full_queue_is_full_for_sql_too(spool, door, forwarder):
    forwarder("http://127.0.0.1:9/", {"queue.max_size": "4M",
                                      "queue.reserve": "0"}).once()
    with pytest.raises(sqlite3.Error, match="^monspool: the queue is full"):
        for _ in range(200):
            door.execute("BEGIN IMMEDIATE")
            for number in range(1000):
                put(door, dimensions='{"k":"%s"}' % ("x" * 200 + str(number)))
            door.execute("COMMIT")
    door.execute("ROLLBACK")
    size = sum(path.stat().st_size for path in spool.path.parent.iterdir()
               if path.name in ("queue.db", "queue.db-wal"))
    assert size < 12 << 20
    balanced(spool)


# ---- what INSERT may be made to do ----

def test_a_known_key_inserts_nothing(spool, door):
    spool.put_rows([{**row(1), "key": "ours"}])
    put(door, key="ours")
    put(door, key="door")
    put(door, key="door", value=2)
    spool.put_rows([{**row(1), "key": "door"}])
    audit = balanced(spool)
    assert (audit["accepted"], audit["last_id"]) == (2, 2)
    assert door.execute("SELECT duplicates FROM monspool_ledger").fetchone() == (3,)
    # an expired one is no key
    door.execute("UPDATE enqueue_key SET expires_at = 1")
    put(door, key="door")
    assert balanced(spool)["accepted"] == 3
    assert door.execute("SELECT count(*) FROM enqueue_key").fetchone() == (1,)


@pytest.mark.parametrize("verb", ["INSERT OR IGNORE", "INSERT OR REPLACE", "REPLACE",
                                  "INSERT OR FAIL", "INSERT OR ROLLBACK"])
def test_every_insert_is_a_plain_one(spool, door, verb):
    for _ in range(3):
        put(door, verb, key=None)
    put(door, verb, key="k")
    put(door, verb, key="k")
    with pytest.raises(sqlite3.Error, match="^monspool: "):
        put(door, verb, value="x")
    with pytest.raises(sqlite3.Error, match="^monspool: "):
        put(door, verb, metric=None)
    assert balanced(spool)["accepted"] == 4


@pytest.mark.parametrize("verb", ["INSERT OR IGNORE", "INSERT OR REPLACE"])
def test_a_damaged_ledger_loses_no_row_that_is_there(spool, door, verb):
    put(door, value=1)
    put(door, value=2)
    door.execute("UPDATE ledger SET last_id = 1")
    with pytest.raises(sqlite3.Error, match="damaged"):
        put(door, verb, value=3)
    assert door.execute("SELECT value FROM monspool_pending ORDER BY id"
                        ).fetchall() == [("1",), ("2",)]


@pytest.mark.parametrize("sql", [
    "UPDATE monspool_put SET value = 2", "DELETE FROM monspool_put",
    "DELETE FROM monspool_pending", "UPDATE monspool_ledger SET accepted = 0"])
def test_the_views_cannot_be_changed(door, sql):
    put(door)
    with pytest.raises(sqlite3.Error):
        door.execute(sql)


def test_goes_back_with_its_transaction(spool, door):
    door.execute("BEGIN IMMEDIATE")
    put(door, key="k")
    door.execute("ROLLBACK")
    door.execute("BEGIN IMMEDIATE")
    put(door, value=7)
    with pytest.raises(sqlite3.Error):
        put(door, value="x")
    put(door, key="k", value=8)
    door.execute("COMMIT")
    assert [line["value"] for line in spool.lines("list")] == [7, 8]
    assert balanced(spool)["last_id"] == 2


def test_many_rows_by_one_statement(spool, door):
    door.execute(
        "INSERT INTO monspool_put (namespace, metric, dimensions, value)"
        " WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)"
        " SELECT 'cvm', 'm' || (i % 7), json_object('h', 'h' || (i % 3)), i / 4.0 FROM n")
    audit = balanced(spool)
    assert (audit["accepted"], audit["last_id"]) == (500, 500)
    assert [line["value"] for line in spool.lines("list")] == [
        i / 4 for i in range(1, 501)]
    [lane] = spool.status()["lanes"]
    assert lane["pending"] == 500


def test_both_doors_at_once(spool, door, receiver, forwarder):
    """Writers by SQL and by put, while the forwarder drains: every row once."""
    sink = receiver()
    forwarder(sink.url, {"forwarder.idle_poll": "50ms"}).start()
    writers = [subprocess.Popen(
        ["python3", "-c",
         "import sqlite3, sys\n"
         "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
         f"db.executescript('{MANNERS}')\n"
         "db.execute('PRAGMA busy_timeout = 60000')\n"
         "for n in range(100):\n"
         "  db.execute('INSERT INTO monspool_put (namespace, metric, dimensions, value)'\n"
         "    ' VALUES (?, ?, ?, ?)', ('cvm', 'sql', '{\"w\":\"%s\"}' % sys.argv[2], n))\n",
         str(spool.path), str(number)]) for number in range(3)]
    for number in range(100):
        spool.put_rows([row(number, metric="put")])
    assert [writer.wait(120) for writer in writers] == [0, 0, 0]
    wait_until(lambda: spool.status()["pending"] == 0, 60, "all is delivered")
    got = sorted((one["metricName"], one["dimensions"].get("w", ""), one["value"])
                 for one in sink.records())
    assert got == sorted([("put", "", n) for n in range(100)] +
                         [("sql", str(w), n) for w in range(3) for n in range(100)])
    assert balanced(spool)["delivered"] == 400


# ---- what is checked again ----

def test_an_unfit_series_dies_with_its_reason(spool, door, receiver, forwarder):
    put(door, dimensions='{"k":"good"}')
    put(door, dimensions='{"k":"ill"}')
    door.execute("UPDATE series SET dimensions = replace(dimensions, 'ill', bad),"
                 " wire = replace(wire, 'ill', bad)"
                 " FROM (SELECT CAST(x'e4b8' AS TEXT) AS bad)")
    sink = receiver()
    forwarder(sink.url).drain(check=0)
    assert [one["dimensions"]["k"] for one in sink.records()] == ["good"]
    [dead] = spool.dead()
    assert dead["cause"] == "check" and "UTF-8" in dead["message"]
    balanced(spool)


def test_a_series_whose_texts_differ_is_damage(spool, door, receiver, forwarder):
    put(door)
    door.execute("UPDATE series SET wire = replace(wire, 'disk', 'dusk')")
    sink = receiver()
    forwarder(sink.url).drain(check=0)
    assert sink.records() == []
    assert door.execute("SELECT cause FROM monspool_dead").fetchall() == [("damage",)]
    balanced(spool)


# ---- the way to look ----

def test_the_views_say_what_the_commands_say(spool, door, receiver, forwarder):
    door.row_factory = sqlite3.Row
    put(door, region="gz", observed_ms=1700000000000, max_age_seconds=60)
    put(door, metric="other")
    sink = receiver()
    [pending, _] = [dict(one) for one in door.execute(
        "SELECT * FROM monspool_pending ORDER BY id")]
    line = spool.lines("list")[0]
    pending["dimensions"] = json.loads(pending["dimensions"])
    pending["value"] = json.loads(pending["value"])
    assert pending == {name: line[name] for name in pending}
    forwarder(sink.url).drain(check=0)
    status = spool.status()
    ledger = dict(door.execute("SELECT * FROM monspool_ledger").fetchone())
    assert {name: status[name] for name in ledger if name in status} == {
        name: ledger[name] for name in ledger if name in status}
    lanes = {(one["region"], one["pending"], one["state"])
             for one in door.execute("SELECT * FROM monspool_lanes")}
    assert lanes == {("gz", 0, "ready"), ("", 0, "ready")}
    attempts = [dict(one) for one in door.execute("SELECT * FROM monspool_attempts")]
    assert sum(one["rows"] for one in attempts) == 2
    assert all(one["http_status"] == 200 and one["code"] == 0 for one in attempts)
    assert {one["region"] for one in attempts} == {"gz", ""}


def test_dead_letters_are_seen(spool, door, receiver, forwarder):
    door.row_factory = sqlite3.Row
    put(door)
    sink = receiver(fault="code=1017")
    forwarder(sink.url).drain()
    [dead] = [dict(one) for one in door.execute("SELECT * FROM monspool_dead")]
    [line] = spool.dead()
    dead["dimensions"] = json.loads(dead["dimensions"])
    dead["value"] = json.loads(dead["value"])
    assert {name: dead[name] for name in line if name in dead} == {
        name: line[name] for name in line if name in dead}
    assert dead["code"] == 1017


# ---- upgrade ----

def test_an_old_settings_copy_becomes_plain_numbers(tmp_path):
    """The step itself, on the texts that schema 1 held."""
    from house import ROOT
    db = sqlite3.connect(tmp_path / "old.db", isolation_level=None)
    db.executescript((ROOT / "schema/0001-queue.sql").read_text())
    old = {"max_size": "2G", "reserve": "8M", "wal_max": "65K", "key_memory": "1d12h5ms",
           "max_age": "0", "busy_timeout": "1m30s250ms"}
    db.executemany("INSERT INTO setting VALUES ('queue', '', ?, ?)", old.items())
    db.execute("INSERT INTO setting VALUES ('checks', '', 'max_row_bytes', '1000')")
    db.executescript((ROOT / "schema/0002-door.sql").read_text())
    assert dict(db.execute("SELECT key, value FROM setting")) == {
        "max_size": "2147483648", "reserve": "8388608", "wal_max": "66560",
        "key_memory": "129600005ms", "max_age": "0ms", "busy_timeout": "90250ms",
        "max_row_bytes": "1000"}
    db.close()
