"""monspool put: what is queued, what is refused, and where it says so."""
import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from house import MONSPOOL, PATIENCE, environment, row, wait_until

SANITIZED = PATIENCE > 1


def metric(**changes):
    return {"namespace": "cvm", "metric": "disk", "dimensions": {"ip": "1"},
            "value": 1, **changes}


def ndjson(*rows):
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows)


def error(done):
    """The one error of a call with --json."""
    [line] = [line for line in done.stderr.splitlines() if '"error"' in line]
    return json.loads(line)["error"]


def refused(spool, *args, **how):
    done = spool.run("--json", "put", *args, **how)
    found = error(done)
    assert done.returncode == found["exit"] != 0
    assert done.stdout == ""
    return found


def fingerprint(spool):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in spool.path.parent.iterdir()
            if path.is_file() and not path.name.endswith("-shm")}


# ---- one metric ----

def test_one_metric_is_queued_as_it_was_typed(spool):
    answer = spool.put("-n", "cvm", "-r", "gz", "-m", "disk", "-d", "ip=10.0.0.1",
                       "-d", "eq=a=b", "0.30000000000000004")
    assert answer == {"queued": 1, "duplicates": 0, "rejected": 0,
                      "first_id": 1, "last_id": 1}
    [line] = spool.lines("list")
    assert (line["namespace"], line["region"], line["metric"]) == ("cvm", "gz", "disk")
    assert line["dimensions"] == {"ip": "10.0.0.1", "eq": "a=b"}
    assert line["value"] == 0.30000000000000004
    assert line["account"] == "default"


@pytest.mark.parametrize("words", [
    ["--", "-5"], ["--value", "-5"], ["--value=-5"], ["-d", "a=b", "--", "-5"]])
def test_a_negative_value_can_be_typed(spool, words):
    spool.put("-n", "cvm", "-m", "disk", *words)
    assert spool.lines("list")[0]["value"] == -5


def test_a_negative_value_that_looks_like_an_option_is_explained(spool):
    found = refused(spool, "-n", "cvm", "-m", "disk", "-5")
    assert found["name"] == "usage" and "--" in found["hint"]


def test_one_metric_says_nothing_without_a_terminal(spool):
    done = spool.run("put", "-n", "cvm", "-m", "disk", "1", check=0)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize("args, name, field", [
    (["-n", "cvm", "-m", "d", "30%"], "bad_value", "value"),
    (["-n", "cvm", "-m", "d", "NaN"], "bad_value", "value"),
    (["-n", "cvm", "-m", "d", "1e999"], "bad_value", "value"),
    (["-n", "cvm", "-m", "d", ""], "bad_value", "value"),
    (["-n", "c-vm", "-m", "d", "1"], "bad_name", "namespace"),
    (["-n", "cvm", "-m", "", "1"], "bad_name", "metric"),
    (["-n", "x" * 33, "-m", "d", "1"], "too_long", "namespace"),
    (["-n", "cvm", "-m", "m" * 65, "1"], "too_long", "metric"),
    (["-n", "cvm", "-m", "d", "-d", "a=" + "v" * 257, "1"], "too_long", "dimensions.a"),
    (["-n", "cvm", "-m", "d", "-d", "a=\x1b[0m", "1"], "bad_value", "dimensions.a"),
    (["-n", "cvm", "-m", "d", "-d", "a=1", "-d", "a=2", "1"], "duplicate_member", None),
    (["-n", "cvm", "-m", "d", *[f"-dk{i}=1" for i in range(6)], "1"],
     "too_many_dimensions", None),
])
def test_a_bad_metric_is_refused_with_its_field(spool, args, name, field):
    found = refused(spool, *args)
    assert (found["name"], found["exit"]) == (name, 65)
    assert field is None or found["field"] == field
    assert found["hint"]
    assert spool.status()["accepted"] == 0


def test_bytes_that_are_no_utf8_are_refused(spool):
    done = subprocess.run(
        [str(MONSPOOL), "--json", "put", "-n", "cvm", "-m", "d", b"-da=\xff", "1"],
        env=environment(MONSPOOL_QUEUE=str(spool.path)), capture_output=True, timeout=60)
    assert done.returncode == 65
    assert json.loads(done.stderr)["error"]["name"] == "bad_utf8"


@pytest.mark.parametrize("args", [
    ["-n", "cvm", "-m", "d"], ["-m", "d", "1"], ["-n", "cvm", "--value", "1"],
    ["-n", "cvm", "-m", "d", "1", "2"], ["-n", "cvm", "-m", "d", "--value", "1", "2"],
    ["-n", "cvm", "-m", "d", "-d", "novalue", "1"], ["-n", "cvm", "-m", "d", "-d", "=v", "1"],
    ["-n", "a", "-n", "b", "-m", "d", "1"], ["-f", "api", "-n", "c", "-m", "d", "1"],
    ["--strict", "--lenient", "-"], ["-d", "a=b", "-"], ["-f", "xml", "-"],
    ["--observed", "whenever", "-"], ["--wait", "-"], ["--names", "x"],
])
def test_a_bad_command_line_is_64_and_queues_nothing(spool, args):
    found = refused(spool, *args, input=ndjson(metric()))
    assert (found["name"], found["exit"]) == ("usage", 64)
    assert spool.status()["accepted"] == 0


# ---- many ----

def test_files_and_standard_input_are_one_transaction(spool, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text(ndjson(metric(value=1), metric(value=2)))
    two.write_text(ndjson(metric(value=4)))
    answer = spool.put(one, "-", two, input=ndjson(metric(value=3)))
    assert answer == {"queued": 4, "duplicates": 0, "rejected": 0,
                      "first_id": 1, "last_id": 4}
    assert [line["value"] for line in spool.lines("list")] == [1, 2, 3, 4]


def test_all_members_are_kept(spool):
    spool.put(input=ndjson(metric(
        region="sh", account="b", observed_at="2026-11-24T10:00:00Z",
        max_age="1h", metric="mem", value=1e300)))
    [line] = spool.lines("list")
    assert (line["region"], line["account"]) == ("sh", "b")
    assert line["observed_at"] == "2026-11-24T10:00:00.000Z"
    assert line["expires_at"] is not None
    assert line["value"] == 1e300


def test_an_empty_input_queues_nothing(spool):
    assert spool.put(input="\n \n") == {
        "queued": 0, "duplicates": 0, "rejected": 0, "first_id": None, "last_id": None}


def test_a_known_key_queues_nothing_again(spool):
    rows = ndjson(metric(key="a"), metric(key="b"))
    assert spool.put(input=rows)["queued"] == 2
    answer = spool.put(input=rows + ndjson(metric(key="c")))
    assert (answer["queued"], answer["duplicates"]) == (1, 2)
    assert spool.audit()["ok"]


BAD_LINES = [
    ("{", "bad_json", None), ('{"a":1}}', "bad_json", None), ("[1", "bad_json", None),
    (json.dumps(metric()) + "]", "bad_json", None),
    ('{"value":01}', "bad_json", None), ("[" * 20, "bad_json", None),
    ("[]", "bad_row", None), ("3", "bad_row", None),
    ('{"value":1,"value":1}', "duplicate_member", None),
    (json.dumps(metric(metricName="x")), "duplicate_member", None),
    (json.dumps(metric(what=1)), "unknown_member", "what"),
    (json.dumps(metric(value="30%")), "bad_value", "value"),
    (json.dumps(metric(value=None)), "bad_value", "value"),
    ('{"namespace":"c","metric":"d","dimensions":{},"value":1e999}', "bad_value", None),
    (json.dumps(metric(dimensions={"a": 1})), "bad_value", "dimensions.a"),
    (json.dumps(metric(dimensions=[])), "bad_value", "dimensions"),
    (json.dumps(metric(metric="a b")), "bad_name", "metric"),
    (json.dumps(metric(metric="")), "bad_name", "metric"),
    (json.dumps(metric(namespace="n" * 33)), "too_long", "namespace"),
    (json.dumps(metric(dimensions={f"k{i}": "1" for i in range(6)})),
     "too_many_dimensions", "dimensions"),
    (json.dumps({k: v for k, v in metric().items() if k != "value"}),
     "missing_member", "value"),
    (json.dumps({k: v for k, v in metric().items() if k != "namespace"}),
     "missing_member", "namespace"),
    (json.dumps(metric()) + " " * (1 << 20), "too_long", None),
    ("[" + "1," * 400000 + "1]", "too_large", None),
]


@pytest.mark.parametrize("line, name, field", BAD_LINES,
                         ids=[f"{name}-{i}" for i, (_, name, _) in enumerate(BAD_LINES)])
def test_one_bad_line_queues_nothing_and_is_named(spool, tmp_path, line, name, field):
    path = tmp_path / "input.ndjson"
    path.write_text(ndjson(metric(), metric()) + line + "\n" + ndjson(metric()))
    found = refused(spool, "-f", "ndjson", path)
    assert (found["name"], found["exit"], found["line"]) == (name, 65, 3)
    assert found["file"] == str(path)[:127]
    assert field is None or found["field"] == field
    assert found["hint"]
    assert spool.status()["accepted"] == 0


def test_an_error_names_file_line_and_column(spool, tmp_path):
    path = tmp_path / "input.ndjson"
    path.write_text(ndjson(metric()) + '{"namespace":"cvm","metric":"d",'
                    '"dimensions":{},"value":"30%"}\n')
    done = spool.run("put", path)
    assert done.returncode == 65
    assert done.stderr.splitlines()[0] == (
        f'monspool: put: {path}:2:57: value is not a number ("30%")')
    assert done.stderr.splitlines()[-1].startswith("hint: ")


def test_a_file_that_is_not_there_is_66(spool, tmp_path):
    assert refused(spool, tmp_path / "none")["name"] == "not_found"
    assert refused(spool, tmp_path)["exit"] in (65, 74)


def test_defaults_fill_what_rows_lack(spool):
    spool.put("-n", "pc", "-r", "bj", "-D", "host=h1", "-D", "ip=x", "-", input=ndjson(
        {"metric": "d", "dimensions": {"ip": "1"}, "value": 1}, metric(region="gz")))
    one, two = spool.lines("list")
    assert (one["namespace"], one["region"]) == ("pc", "bj")
    assert one["dimensions"] == {"ip": "1", "host": "h1"}
    assert (two["namespace"], two["region"]) == ("cvm", "gz")


def test_lenient_takes_with_a_note_what_strict_refuses(spool):
    rows = ndjson(metric(metric="a b", dimensions={"n": 1.50}, what=[]))
    assert refused(spool, input=rows)["exit"] == 65
    done = spool.run("put", "--lenient", input=rows, check=0)
    assert done.stderr.count("note: ") == 3
    [line] = spool.lines("list")
    assert (line["metric"], line["dimensions"]) == ("a b", {"n": "1.5"})
    assert refused(spool, "--lenient", input=ndjson(metric(metric="a\x07")))["exit"] == 65


def test_a_digit_is_quoted_as_it_was_written(spool):
    spool.run("put", "--lenient", "-q", check=0, input='{"namespace":"c","metric":"d",'
              '"dimensions":{"n":1.500,"m":12345678901234567890},"value":1}\n')
    assert spool.lines("list")[0]["dimensions"] == {
        "n": "1.500", "m": "12345678901234567890"}


def test_check_says_what_put_would_and_changes_not_a_byte(spool):
    before = fingerprint(spool)
    answer = spool.put("--check", input=ndjson(metric(), metric()))
    assert (answer["queued"], answer["valid"]) == (0, 2)
    assert answer["first_id"] is None
    assert refused(spool, "--check", input=ndjson(metric(value="x")))["line"] == 1
    answer = spool.put("--check", "-n", "cvm", "-m", "d", "1")
    assert (answer["queued"], answer["valid"]) == (0, 1)
    assert fingerprint(spool) == before


def test_a_refused_put_changes_not_a_byte(spool):
    spool.put(input=ndjson(metric()))
    before = fingerprint(spool)
    refused(spool, input=ndjson(metric(), metric(value="x")))
    assert fingerprint(spool) == before


# ---- bodies ----

ITEMS = [{"dimensions": {"ip": "1"}, "metricName": "disk", "value": 1},
         {"dimensions": {"ip": "2"}, "metricName": "disk", "value": 2}]
BODY = {"Action": "PutMonitorData", "SecretId": "AKID", "Signature": "s",
        "Timestamp": 1, "Nonce": 2, "Region": "gz", "Namespace": "cvm", "Data": ITEMS}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("form", [[], ["-f", "api"]])
def test_a_whole_body_is_taken_and_signing_dropped_with_one_note(spool, indent, form):
    done = spool.run("put", *form, "-", input=json.dumps(BODY, indent=indent), check=0)
    notes = [line for line in done.stderr.splitlines() if "note: " in line]
    assert len(notes) == 1
    for name in ("Action", "SecretId", "Signature", "Timestamp", "Nonce"):
        assert name in notes[0]
    assert [(line["namespace"], line["region"], line["value"])
            for line in spool.lines("list")] == [("cvm", "gz", 1), ("cvm", "gz", 2)]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_bare_data_array_takes_the_default_namespace(spool, indent):
    assert spool.put("-n", "pc", input="\n" + json.dumps(ITEMS, indent=indent))["queued"] == 2
    assert {line["namespace"] for line in spool.lines("list")} == {"pc"}
    assert refused(spool, input=json.dumps(ITEMS))["name"] == "missing_member"


@pytest.mark.parametrize("body, name", [
    ({"Namespace": "cvm"}, "missing_member"), ({**BODY, "Data": {}}, "bad_value"),
    ({**BODY, "Namespace": 1}, "bad_value"), ({**BODY, "Extra": 1}, "unknown_member"),
    ({**BODY, "Data": [1]}, "bad_row"),
    ({**BODY, "Data": [{**ITEMS[0], "unit": "%"}]}, "unknown_member"),
    ({**BODY, "Data": [ITEMS[0], {**ITEMS[0], "value": "1"}]}, "bad_value"),
    (1, "bad_row"),
])
def test_a_bad_body_is_refused(spool, body, name):
    found = refused(spool, "-f", "api", "-", input=json.dumps(body))
    assert (found["name"], found["exit"]) == (name, 65)
    assert spool.status()["accepted"] == 0


def test_a_bad_item_of_a_body_is_named_by_its_line(spool):
    text = json.dumps({**BODY, "Data": [ITEMS[0], {**ITEMS[1], "value": "x"}]}, indent=1)
    found = refused(spool, "-", input=text)
    lines = text.splitlines()
    assert '"x"' in lines[found["line"] - 1]
    assert lines[found["line"] - 1][found["column"] - 1:].startswith('"x"')


@pytest.mark.parametrize("form, between", [
    ("api", ""), ("api", "\n"), ("auto", "\n"), ("auto", " \r\n\n")])
def test_bodies_may_follow_one_another(spool, form, between):
    one = json.dumps({**BODY, "Data": [ITEMS[0]]})
    text = one + between + json.dumps([ITEMS[1]]) + between + one
    done = spool.run("put", "-f", form, "-n", "pc", "-", input=text, check=0)
    assert done.stderr.count("dropped") <= 1
    assert [line["namespace"] for line in spool.lines("list")] == ["cvm", "pc", "cvm"]


@pytest.mark.parametrize("text, line, column", [
    ("[]\n[] x\n", 2, 4), ("[]\n  []]\n", 2, 5), ('[]\n{"Data":[}]}', 2, 10),
    ("[]\n[", 2, 2), ('[],[]', 1, 3)])
def test_what_is_no_body_is_named_by_its_place(spool, text, line, column):
    found = refused(spool, "-f", "api", "-n", "cvm", "-", input=text)
    assert (found["name"], found["line"], found["column"]) == ("bad_json", line, column)
    assert "Data" in found["hint"]


def test_a_row_spread_over_lines_is_explained(spool):
    found = refused(spool, "-", input=json.dumps(metric(), indent=1))
    assert found["name"] == "unknown_member" and "one line" in found["hint"]


def test_input_of_neither_kind_is_refused(spool):
    found = refused(spool, "-", input="namespace,metric\n")
    assert (found["exit"], found["line"]) == (65, 1)


def test_a_body_too_large_is_refused_with_the_way_out(spool):
    text = json.dumps({**BODY, "Data": [ITEMS[0]]}) + " " * (9 << 20)
    found = refused(spool, "-f", "api", "-", input=text)
    assert found["name"] == "too_large" and "NDJSON" in found["hint"]


# ---- size, speed of producers ----

# A small process to fork from: what it reports is at least its own size.
USAGE = """
import os, sys
child = os.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(child, 0)
print(usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def put_with_usage(spool, path, *args):
    """Exit code, the most memory it took (KiB), and what it said."""
    with open(path, "rb") as lines:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", USAGE, str(MONSPOOL), "put", "-q",
             "-f", "ndjson", *args, "-"], stdin=lines, capture_output=True,
            env=environment(MONSPOOL_QUEUE=str(spool.path)), timeout=300)
    return done.returncode, int(done.stdout), done.stderr


def test_a_million_rows_are_taken_in_flat_memory_and_no_more(spool, tmp_path):
    path = tmp_path / "rows"
    with open(path, "w") as out:
        for i in range(1000000):
            out.write('{"namespace":"cvm","metric":"d","dimensions":{"n":"%d"},'
                      '"value":%d}\n' % (i % 50000, i))
    code, rss, words = put_with_usage(spool, path)
    assert code == 0, words
    assert spool.status()["pending"] == 1000000
    assert SANITIZED or rss <= 32 * 1024
    with open(path, "a") as out:
        out.write(json.dumps(metric()) + "\n")
    code, _, words = put_with_usage(spool, path, "--json")
    assert code == 65
    assert json.loads(words)["error"]["name"] == "too_large"
    assert spool.status()["accepted"] == 1000000


def test_a_slow_producer_blocks_no_writer_and_usr1_tells_how_far_it_is(spool):
    child = subprocess.Popen(
        [str(MONSPOOL), "put", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL, env=environment(MONSPOOL_QUEUE=str(spool.path)))
    words = []
    reader = threading.Thread(target=lambda: words.extend(child.stderr))
    reader.start()
    child.stdin.write(ndjson(metric(), metric()).encode())
    child.stdin.flush()
    # It is reading once it sleeps in the pipe with nothing left to take.
    wait_until(lambda: "pipe" in open(f"/proc/{child.pid}/wchan").read()
               or os.readlink(f"/proc/{child.pid}/fd/0") and pipe_is_empty(child))
    assert spool.put("-n", "cvm", "-m", "other", "1")["queued"] == 1

    def ask():
        child.send_signal(signal.SIGUSR1)
        return any(b"read 2 rows" in line for line in words)
    wait_until(ask, what="the progress line")
    child.stdin.close()
    assert child.wait(60) == 0
    reader.join()
    assert spool.status()["pending"] == 3


def pipe_is_empty(child):
    buffer = bytearray(4)
    fcntl.ioctl(child.stdin.fileno(), 0x541B, buffer)  # FIONREAD
    return int.from_bytes(buffer, "little") == 0


def test_a_put_ended_in_mid_input_leaves_nothing(spool):
    child = subprocess.Popen(
        [str(MONSPOOL), "put", "-"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, env=environment(MONSPOOL_QUEUE=str(spool.path)))
    child.stdin.write(ndjson(metric()).encode())
    child.stdin.flush()
    wait_until(lambda: pipe_is_empty(child))
    child.kill()
    child.wait(60)
    child.stdin.close()
    assert spool.status()["accepted"] == 0
    assert spool.audit()["ok"]


# ---- busy, full ----

def test_a_busy_queue_is_75_within_the_wait(spool):
    with open(str(spool.path) + ".gate", "r+b") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        found = refused(spool, "--busy-timeout", "100ms", "-n", "cvm", "-m", "d", "1")
        assert (found["name"], found["exit"]) == ("queue_busy", 75)
    assert spool.put("-n", "cvm", "-m", "d", "1")["queued"] == 1


def test_a_lack_of_descriptors_is_told_as_that(spool):
    done = subprocess.run(
        ["sh", "-c", 'ulimit -n 4; exec "$0" --json put -n cvm -m d 1', str(MONSPOOL)],
        text=True, env=environment(MONSPOOL_QUEUE=str(spool.path)), capture_output=True,
        timeout=60)
    fault = json.loads(done.stderr)["error"]
    assert done.returncode == 74 and "ulimit -n" in fault["hint"]


def test_a_full_queue_is_75_and_keeps_what_it_has(spool, tmp_path):
    conf = tmp_path / "monspool.conf"
    conf.write_text(f"[queue]\npath = {spool.path}\nmax_size = 1M\n")
    spool.run("-C", conf, "init", check=0)
    # Each row is a series of its own, which takes the most room.
    rows = [ndjson(*[row(i, value=i, ip="x" * 200 + str(i + 1000 * k))
                     for i in range(1000)]) for k in range(40)]
    codes = [spool.run("--json", "put", "-", input=part) for part in rows]
    full = [done for done in codes if done.returncode != 0]
    assert full, "1 MiB held 40,000 long series"
    assert {error(done)["name"] for done in full} == {"queue_full"}
    assert {done.returncode for done in full} == {75}
    assert spool.audit()["ok"]
    assert spool.status()["pending"] == 1000 * (len(codes) - len(full))
