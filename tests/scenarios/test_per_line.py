"""put --per-line: good lines in chunks, bad ones in the rejects file."""
import fcntl
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import termios
from contextlib import closing

import pytest

from house import MONSPOOL, environment, wait_until

BAD = [
    ('{"namespace":"cvm","metric":"m","dimensions":{},"value":"30%"}', "bad_value", 57),
    ("not json", "bad_json", 1),
    ('{"namespace":"c-v","metric":"m","dimensions":{},"value":1}', "bad_name", 14),
    ('{"namespace":"cvm","metric":"m","value":1}', "missing_member", 1),
]


def good(n):
    return f'{{"namespace":"cvm","metric":"m","dimensions":{{}},"value":{n}}}'


def error(done):
    [line] = [line for line in done.stderr.splitlines() if '"error"' in line]
    return json.loads(line)["error"]


def per_line(spool, text, *args, check=65, form="ndjson"):
    done = spool.run("--json", "put", "-f", form, "-l", *args, input=text)
    assert done.returncode == check, done.stderr
    return done, json.loads(done.stdout)


def rejects(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def values(spool):
    return [line["value"] for line in spool.lines("list")]


def test_good_lines_are_queued_and_bad_ones_kept_with_their_fault(spool, tmp_path):
    lines = [good(1), BAD[0][0], good(2), BAD[1][0], BAD[2][0], BAD[3][0], good(3)]
    done, answer = per_line(spool, "\n".join(lines), "--rejects", tmp_path / "bad")
    assert (answer["queued"], answer["rejected"]) == (3, 4)
    assert (answer["first_id"], answer["last_id"]) == (1, 3)
    assert (answer["through_file"], answer["through_line"]) == ("-", 7)
    assert values(spool) == [1, 2, 3]
    kept = rejects(tmp_path / "bad")
    assert [(one["raw"], one["error"], one["column"]) for one in kept] == BAD
    assert [one["line"] for one in kept] == [2, 4, 5, 6]
    assert all(one["message"] for one in kept)
    assert error(done)["exit"] == 65 and str(tmp_path / "bad") in error(done)["hint"]
    assert spool.audit()["ok"]


def test_the_rejects_file_is_private_and_new(spool, tmp_path):
    bad = tmp_path / "bad"
    old = os.umask(0)
    try:
        per_line(spool, "x\n", "--rejects", bad)
    finally:
        os.umask(old)
    assert stat.S_IMODE(bad.stat().st_mode) == 0o600
    before = bad.read_bytes()
    done = spool.run("--json", "put", "-f", "ndjson", "-l", "--rejects", bad, input=good(1))
    assert (done.returncode, error(done)["name"]) == (73, "cannot_create")
    assert bad.read_bytes() == before and spool.status()["accepted"] == 0


def test_no_link_is_followed_by_the_rejects_file(spool, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "target")
    done = spool.run("put", "-f", "ndjson", "-l", "--rejects", tmp_path / "link", input="x\n")
    assert done.returncode == 73 and not (tmp_path / "target").exists()


def test_no_file_is_left_where_all_lines_are_good(spool, tmp_path):
    _, answer = per_line(spool, good(1), "--rejects", tmp_path / "bad", check=0)
    assert answer["queued"] == 1 and not (tmp_path / "bad").exists()


def test_it_gives_up_after_so_many(spool, tmp_path):
    lines = [good(1), "bad", good(2), "bad", good(3), "bad", good(4)]
    done, answer = per_line(spool, "\n".join(lines), "--max-errors", "2",
                            "--rejects", tmp_path / "bad")
    assert (answer["queued"], answer["rejected"], answer["through_line"]) == (3, 3, 5)
    assert len(rejects(tmp_path / "bad")) == 2
    found = error(done)
    assert (found["name"], found["line"]) == ("bad_json", 6)
    assert values(spool) == [1, 2, 3]


def test_without_a_place_for_them_no_bad_line_is_passed_over(spool):
    done, answer = per_line(spool, f"{good(1)}\nbad\n{good(2)}\n", "--max-errors", "0")
    assert (answer["queued"], answer["through_line"]) == (1, 1)
    assert error(done)["line"] == 2


@pytest.mark.parametrize("args", [
    ["-l"], ["-l", "--max-errors", "1"], ["--rejects", "x"], ["--max-errors", "0"],
    ["--chunk", "1"], ["-l", "--rejects", "x", "--chunk", "0"],
    ["-l", "--rejects", "x", "--chunk", "5001"], ["-l", "--rejects", "x", "--atomic"],
    ["-l", "--rejects", "x", "-k", "k"],
    ["-l", "--rejects", "x", "-n", "cvm", "-m", "m", "1"],
])
def test_a_bad_command_line_is_64_and_makes_no_file(spool, tmp_path, args):
    args = [tmp_path / "x" if arg == "x" else arg for arg in args]
    done = spool.run("--json", "put", *args, input=good(1))
    assert (done.returncode, error(done)["name"]) == (64, "usage")
    assert spool.status()["accepted"] == 0 and not (tmp_path / "x").exists()


def test_broken_lines_are_kept_readable(spool, tmp_path):
    bad = tmp_path / "bad"
    source = tmp_path / "source"
    source.write_bytes(b'{"a":"\xff"}\n' + b"x" * (1 << 21) + b"\n\0\n" + good(1).encode())
    spool.run("put", "-f", "ndjson", "-l", "--rejects", bad, source, check=65)
    broken, long, zero = rejects(bad)
    assert (broken["error"], broken["raw"]) == ("bad_utf8", '{"a":"\\xff"}')
    assert (long["error"], long["line"]) == ("too_long", 2)
    assert long["raw"] == "x" * 1024
    assert (zero["raw"], zero["line"], zero["file"]) == ("\0", 3, str(source))
    assert values(spool) == [1]


def test_a_line_of_several_rows_is_taken_whole(spool, tmp_path):
    long = "f" * 63
    lines = [f"m a=1,{long}=2", 'm a=3,t="x"', "m a=4,b=5"]
    _, answer = per_line(spool, "\n".join(lines), "-n", "cvm", "--rejects",
                         tmp_path / "bad", form="influx")
    assert (answer["queued"], answer["rejected"]) == (2, 2)
    assert values(spool) == [4, 5]
    assert [one["raw"] for one in rejects(tmp_path / "bad")] == lines[:2]


def test_items_of_a_body_are_lines_too(spool, tmp_path):
    items = [{"metricName": "m", "dimensions": {}, "value": value}
             for value in (1, "x", 3)]
    _, answer = per_line(spool, json.dumps({"Namespace": "cvm", "Data": items}, indent=1),
                         "--rejects", tmp_path / "bad", form="api")
    assert (answer["queued"], answer["rejected"]) == (2, 1)
    [kept] = rejects(tmp_path / "bad")
    assert json.loads(kept["raw"]) == items[1] and kept["line"] == 12
    assert values(spool) == [1, 3]


def test_csv_goes_on_behind_a_broken_record(spool, tmp_path):
    text = 'metric,value\na,1\nb,x\nc,"q"r\n"d\ne",4\nf,6\n"open\n'
    _, answer = per_line(spool, text, "-n", "cvm", "--rejects", tmp_path / "bad", form="csv")
    assert values(spool) == [1, 6]
    assert [(one["line"], one["raw"]) for one in rejects(tmp_path / "bad")] == [
        (3, "b,x"), (4, 'c,"q"r'), (5, '"d\ne",4'), (8, '"open')]


def test_a_bad_header_is_no_bad_line(spool, tmp_path):
    done = spool.run("--json", "put", "-f", "csv", "-l", "--rejects", tmp_path / "bad",
                     "-n", "cvm", input="metric\nm\n")
    assert done.returncode == 65 and error(done)["name"] == "missing_member"
    assert not (tmp_path / "bad").exists()


def test_a_first_line_that_is_cut_off_is_one_bad_line(spool, tmp_path):
    text = good(1)[:-3] + "\n" + good(2) + "\n"
    _, answer = per_line(spool, text, "--rejects", tmp_path / "bad", form="auto")
    assert (answer["queued"], answer["rejected"]) == (1, 1)
    assert [one["line"] for one in rejects(tmp_path / "bad")] == [1]


def test_each_file_is_said_to_be_dealt_with_only_when_it_is(spool, tmp_path):
    one, two, empty = tmp_path / "one", tmp_path / "two", tmp_path / "empty"
    one.write_text("metric,value\nm,1\nm,2\n")
    two.write_text("metrix,value\nm,1\n")
    empty.write_text("")
    args = ["--json", "put", "-n", "cvm", "-f", "csv", "-l", "--max-errors", "0"]
    answer = json.loads(spool.run(*args, one, two, check=65).stdout)
    assert (answer["through_file"], answer["through_line"]) == (str(one), 3)
    answer = json.loads(spool.run(*args, one, empty, check=0).stdout)
    assert (answer["through_file"], answer["through_line"]) == (str(empty), None)
    answer = json.loads(spool.run(*args, two, check=65).stdout)
    assert (answer["through_file"], answer["through_line"]) == (None, None)


def test_check_tells_all_bad_lines_and_queues_nothing(spool, tmp_path):
    _, answer = per_line(spool, f"{good(1)}\nbad\n", "--check", "--rejects", tmp_path / "bad")
    assert (answer["valid"], answer["rejected"], answer["queued"]) == (1, 1, 0)
    assert spool.status()["accepted"] == 0


def test_chunks_are_committed_while_the_rest_is_read(spool, processes):
    """Also where the producer stalls: no good line waits for the next one."""
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [MONSPOOL, "-q", "put", "-f", "ndjson", "-l", "--max-errors", "0", "--chunk", "10"],
        stdin=reader, env=environment(MONSPOOL_QUEUE=str(spool.path)))
    os.close(reader)
    try:
        os.write(writer, "".join(good(n) + "\n" for n in range(20)).encode())
        wait_until(lambda: spool.status()["accepted"] == 20, what="two full chunks")
        os.write(writer, (good(20) + "\n" + good(21)[:20]).encode())
        wait_until(lambda: spool.status()["accepted"] == 21, what="a chunk grown old")
        assert process.poll() is None
        os.write(writer, (good(21)[20:] + "\n").encode())
    finally:
        os.close(writer)
        assert process.wait(30) == 0
    assert values(spool) == list(range(22))


def interrupted(spool, number, *args):
    """An import that waits for more when the signal comes: its exit and words."""
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [MONSPOOL, "--json", "put", "-f", "ndjson", *args], stdin=reader, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment(MONSPOOL_QUEUE=str(spool.path)))
    os.close(reader)
    try:
        os.write(writer, "".join(good(n) + "\n" for n in range(20)).encode())
        wait_until(lambda: read_all(process, writer), what="all is read")
        process.send_signal(number)
        out, words = process.communicate(timeout=60)
    finally:
        os.close(writer)
    return process.returncode, out, json.loads(words)["error"]


def read_all(process, writer):
    """Whether the pipe is empty, and its reader asks for more."""
    left = bytearray(4)
    fcntl.ioctl(writer, termios.FIONREAD, left)
    with open(f"/proc/{process.pid}/stat") as stat_file:
        state = stat_file.read().rsplit(")", 1)[1].split()[0]
    return int.from_bytes(left, sys.byteorder) == 0 and state == "S"


@pytest.mark.parametrize("number, status", [
    (signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 75), (signal.SIGHUP, 75)])
def test_a_signal_ends_it_in_good_order_and_it_says_how_far_it_came(
        spool, tmp_path, number, status):
    code, out, fault = interrupted(
        spool, number, "-l", "--rejects", tmp_path / "bad", "-K", "again")
    answer = json.loads(out)
    assert code == status and fault["name"] == "interrupted"
    assert (answer["queued"], answer["through_line"]) == (20, 20)
    assert spool.status()["accepted"] == 20
    assert not (tmp_path / "bad").exists()
    done = spool.put("-f", "ndjson", "-K", "again", input=good(0) + "\n" + good(1) + "\n")
    assert (done["queued"], done["duplicates"]) == (0, 2)


@pytest.mark.parametrize("number, status", [
    (signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 75)])
def test_a_signal_leaves_nothing_of_an_atomic_put(spool, number, status):
    code, out, fault = interrupted(spool, number)
    assert (code, out) == (status, "")
    assert fault["name"] == "interrupted" and "nothing was queued" in fault["why"]
    assert spool.status()["accepted"] == 0


@pytest.mark.parametrize("first, second", [
    (signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGINT),
    (signal.SIGINT, signal.SIGTERM)])
def test_a_second_signal_ends_it_at_once(spool, first, second):
    with closing(sqlite3.connect(spool.path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        process = subprocess.Popen(
            [MONSPOOL, "--busy-timeout", "1h", "put", "-f", "ndjson"], text=True,
            stdin=subprocess.PIPE, stderr=subprocess.PIPE,
            env=environment(MONSPOOL_QUEUE=str(spool.path)))
        process.stdin.write(good(0) + "\n")
        process.stdin.close()
        wait_until(lambda: holds_gate(spool, process), what="it waits for its turn")
        process.send_signal(first)
        wait_until(lambda: not catches(process, second), what="the first is taken")
        process.send_signal(second)
        assert process.wait(30) == -second
    assert spool.status()["accepted"] == 0


def catches(process, number):
    """Whether a signal is caught, and does not end the process."""
    with open(f"/proc/{process.pid}/status") as status_file:
        [mask] = [line.split()[1] for line in status_file if line.startswith("SigCgt:")]
    return bool(int(mask, 16) >> (number - 1) & 1)


def holds_gate(spool, process):
    with open("/proc/locks") as locks:
        return any(f" {process.pid} " in line and "FLOCK" in line for line in locks)


def test_a_transaction_has_no_more_rows_than_a_chunk(spool, tmp_path):
    source = tmp_path / "rows"
    source.write_text("".join(good(n) + "\n" for n in range(12_000)))
    spool.run("put", "-f", "ndjson", "-l", "--max-errors", "0", source, check=0)
    accepted = [line["accepted_at"] for line in spool.lines("list")]
    assert len(accepted) == 12_000 and accepted == sorted(accepted)
    assert spool.audit()["ok"]


def test_a_queue_that_fills_up_says_how_far_it_came(tmp_path):
    from house import Spool
    folder = tmp_path / "small"
    folder.mkdir()
    config = folder / "conf"
    config.write_text("[queue]\nmax_size = 2M\n")
    spool = Spool.__new__(Spool)
    spool.path = folder / "queue.db"
    spool.run("-C", config, "init", spool.path, check=0)
    source = tmp_path / "rows"
    source.write_text("".join(good(n) + "\n" for n in range(200_000)))
    done = spool.run("--json", "put", "-f", "ndjson", "-l", "--max-errors", "0", source)
    answer = json.loads(done.stdout)
    assert done.returncode == 75 and error(done)["name"] == "queue_full"
    status = spool.status()
    assert 0 < answer["queued"] == status["accepted"] == answer["through_line"] < 200_000
    assert spool.audit()["ok"]
