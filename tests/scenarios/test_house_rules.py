"""What holds for every command: grammar, streams, exit codes, errors, colour."""
import errno
import json
import os
import pty
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from house import MONSPOOL, ROOT, Spool, environment, wait_until

COMMANDS = ["init", "put", "run", "status", "list", "show", "dead", "dead list",
            "dead show", "dead explain", "dead edit", "dead replay", "dead purge",
            "dead export", "dead import", "explain",
            "audit", "config check", "demo", "forward", "receiver", "help", "version"]
READERS = [["status"], ["list"], ["show", "1"], ["dead"], ["dead", "list"],
           ["dead", "show", "1"], ["dead", "export"],
           ["audit"]]
COMMANDS += ["hold", "hold list", "hold set", "hold release", "hold probe",
             "config show", "config init", "config explain"]
READERS += [["hold"], ["status", "--ages", "--lanes"]]
NO_QUEUE = {"MONSPOOL_QUEUE": ""}


def call(*args, env=None, **how):
    how.setdefault("stdin", subprocess.DEVNULL)
    how.setdefault("stdout", subprocess.PIPE)
    return subprocess.run([str(MONSPOOL), *map(str, args)], text=True, timeout=120,
                          stderr=subprocess.PIPE, env=environment(**(env or {})), **how)


def error(done):
    """The error of a call with --json; also checks its form."""
    [line] = [line for line in done.stderr.splitlines() if line.startswith('{"error"')]
    found = json.loads(line)["error"]
    assert set(found) >= {"name", "exit", "message", "hint"}
    assert set(found) <= {"name", "exit", "message", "hint", "why",
                          "file", "line", "column", "field"}
    assert found["exit"] == done.returncode
    assert found["message"] and found["hint"]
    return found


def put_line(spool):
    return ["-Q", spool.path, "put", "-n", "cvm", "-m", "d", "1"]


# ---- grammar ----

@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_in_both_ways(command):
    words = command.split()
    one = call("help", *words)
    assert one.returncode == 0 and one.stderr == ""
    assert one.stdout.startswith(f"usage: monspool {command}")
    if command in ("forward", "receiver"):
        return
    assert call(*words, "--help").stdout == one.stdout
    assert call("--help", *words).stdout == one.stdout


def test_the_overview_names_every_command():
    done = call("--help")
    assert done.returncode == 0
    assert all(f"  {command} " in done.stdout for command in COMMANDS)
    assert call("help").stdout == done.stdout


def test_globals_stand_before_or_after_the_command(spool):
    path = str(spool.path)
    for args in (["-Q", path, "-j", "status"], ["status", "-Q", path, "-j"],
                 ["--json", "status", "--queue=" + path], ["-jQ" + path, "dead", "list"],
                 ["dead", "-j", "list", "--queue", path]):
        done = call(*args, env=NO_QUEUE)
        assert done.returncode == 0, (args, done.stderr)


@pytest.mark.parametrize("args, hint", [
    (["stauts"], "status"), (["dead", "lst"], "list"), (["deda"], "dead"),
    (["--jsn", "status"], "--json"), (["list", "--metrics", "x"], "--metric"),
    (["put", "--namespac", "cvm"], "--namespace"),
])
def test_an_unknown_word_is_answered_with_the_nearest(args, hint):
    done = call("--json", *args)
    found = error(done)
    assert (found["name"], found["exit"]) == ("usage", 64)
    assert hint in found["hint"]


@pytest.mark.parametrize("args", [
    [], ["sta"], ["stat"], ["config"], ["--vers"], ["-x"], ["--json=1", "status"],
    ["status", "more"], ["audit", "x"], ["-Q"], ["list", "--limit", "many"],
    ["list", "--state", "dead"], ["list", "--older-than", "soon"], ["list", "--dim", "x"],
    ["dead", "list", "--code", "abc"], ["dead", "list", "--sort", "size"],
    ["dead", "list", "--since", "whenever"], ["dead", "purge", "abc"],
    ["show", "abc"], ["show", "5-1"], ["show", "0"],
    ["init", "a", "-Q", "b"], ["init", "a", "b"], ["init", "--mode", "0666"],
    ["init", "--mode", "rw"], ["help", "nothing"], ["--color", "red", "status"],
    # of a later stage
    ["top"], ["wait"], ["check"], ["dead", "resend", "1"],
    ["doctor"], ["backup", "x"],
    ["completion", "bash"], ["web"],
])
def test_what_is_not_known_is_64(args):
    found = error(call("--json", *args))
    assert (found["name"], found["exit"]) == ("usage", 64)


def test_dlq_is_dead(spool):
    assert spool.run("dlq", "list", check=0).stdout == spool.run("dead", "list").stdout
    assert call("help", "dlq", "list").returncode == 0


def test_version_tells_every_part():
    assert call("--version").stdout == call("version").stdout
    answer = json.loads(call("--version", "--json").stdout)
    assert set(answer) >= {"monspool", "schema", "sqlite", "cjson"}
    assert answer["sqlite"] == sqlite3.sqlite_version or answer["sqlite"].startswith("3.")
    assert isinstance(answer["schema"], int)


# ---- streams ----

def closed(fd):
    return lambda: os.close(fd)


@pytest.mark.parametrize("args", [
    ["status"], ["list"], ["show", "1"], ["audit"], ["config", "check"], ["help"],
    ["version"]], ids=" ".join)
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_failed_write_of_the_answer_is_74(spool, args, form):
    spool.put("-n", "cvm", "-m", "d", "1")
    with open("/dev/full", "w") as full:
        done = call("-Q", spool.path, *form, *args, stdout=full)
    assert done.returncode == 74
    done = call("-Q", spool.path, *form, *args, stdout=None, preexec_fn=closed(1))
    assert done.returncode == 74


def test_put_into_a_closed_output_queues_nothing(spool):
    done = call("--json", *put_line(spool), stdout=None, preexec_fn=closed(1))
    assert error(done)["name"] == "io_error"
    assert spool.status()["accepted"] == 0


def test_put_whose_answer_gets_lost_says_that_the_outcome_is_unknown(spool):
    with open("/dev/full", "w") as full:
        done = call("--json", *put_line(spool), stdout=full)
    assert error(done)["name"] == "outcome_unknown"
    assert spool.status()["accepted"] == 1


def test_no_descriptor_of_the_queue_takes_the_place_of_a_closed_one(spool):
    def close_all():
        for fd in range(3):
            os.close(fd)
    done = subprocess.run([str(MONSPOOL), *map(str, put_line(spool))], env=environment(),
                          preexec_fn=close_all, timeout=60)
    assert done.returncode == 0
    assert spool.audit()["ok"] and spool.status()["accepted"] == 1


def test_a_closed_pipe_ends_a_reader_by_sigpipe(spool):
    spool.put_rows([{"namespace": "cvm", "metric": "d", "dimensions": {"n": "x" * 200},
                     "value": i} for i in range(2000)])
    reader = subprocess.Popen([str(MONSPOOL), "--json", "list"], stdout=subprocess.PIPE,
                              env=environment(MONSPOOL_QUEUE=str(spool.path)))
    reader.stdout.read(1)
    reader.stdout.close()
    assert reader.wait(60) == -signal.SIGPIPE


def in_terminal(*args, env=None, feed=b""):
    """Run with a terminal as all three streams: exit code and what it showed."""
    child, master = pty.fork()
    if child == 0:
        os.execve(str(MONSPOOL), [str(MONSPOOL), *map(str, args)],
                  environment(TERM="xterm", **(env or {})))
    if feed:
        os.write(master, feed)
    shown = b""
    while True:
        try:
            part = os.read(master, 4096)
        except OSError as gone:
            assert gone.errno == errno.EIO
            break
        if not part:
            break
        shown += part
    _, status = os.waitpid(child, 0)
    os.close(master)
    return os.waitstatus_to_exitcode(status), shown.decode()


def test_a_terminal_as_input_shows_the_usage(spool):
    code, shown = in_terminal("-Q", spool.path, "put")
    assert code == 64 and shown.startswith("usage: monspool put")
    code, shown = in_terminal("-Q", spool.path, "show")
    assert code == 64 and shown.startswith("usage: monspool show")


def test_a_terminal_named_by_a_dash_is_read(spool):
    code, shown = in_terminal("-Q", spool.path, "put", "-", feed=(
        b'{"namespace":"c","metric":"d","dimensions":{},"value":1}\n\x04'))
    assert code == 0 and "queued 1 (id 1)" in shown


def test_one_metric_tells_its_id_on_a_terminal(spool):
    code, shown = in_terminal(*put_line(spool))
    assert (code, shown.strip()) == (0, "queued 1 (id 1)")
    code, shown = in_terminal("-q", *put_line(spool))
    assert (code, shown.strip()) == (0, "")


@pytest.mark.parametrize("env, args, colored", [
    ({}, [], True), ({"NO_COLOR": "1"}, [], False), ({"NO_COLOR": ""}, [], True),
    ({"NO_COLOR": "1"}, ["--color=always"], True), ({}, ["--color", "never"], False),
    ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, [], False),
])
def test_colour_on_a_terminal(spool, env, args, colored):
    spool.put("-n", "cvm", "-m", "d", "1")
    _, shown = in_terminal("-Q", spool.path, *args, "list", env=env)
    assert ("\x1b[" in shown) == colored


@pytest.mark.parametrize("env, colored", [
    ({}, False), ({"CLICOLOR_FORCE": "1"}, True), ({"CLICOLOR_FORCE": "0"}, False)])
def test_colour_without_a_terminal(spool, env, colored):
    spool.put("-n", "cvm", "-m", "d", "1")
    assert ("\x1b[" in spool.run("list", env=env).stdout) == colored


# ---- errors ----

def test_an_error_is_at_most_three_lines_and_begins_with_the_program():
    done = call("-Q", "/nonexistent/queue.db", "status")
    lines = done.stderr.splitlines()
    assert 1 <= len(lines) <= 3
    assert lines[0].startswith("monspool: status: ")
    assert lines[-1].startswith("hint: ")
    assert done.stdout == ""


def queue_of(tmp_path):
    folder = tmp_path / "other"
    folder.mkdir(exist_ok=True)
    return folder / "queue.db"


def make_missing(spool, path):
    pass


def make_foreign(spool, path):
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("CREATE TABLE mine (a)")


def make_text(spool, path):
    path.write_text("this is no database\n" * 100)


def copy(spool, path):
    for file in spool.path.parent.iterdir():
        if file.is_file():
            shutil.copy(file, path.parent)


def make_newer(spool, path):
    copy(spool, path)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("PRAGMA user_version = 999")


def make_truncated(spool, path):
    copy(spool, path)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for name in ("-wal", "-shm"):
        Path(str(path) + name).unlink(missing_ok=True)
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size // 2 // 4096 * 4096)


def make_empty(spool, path):
    path.touch()


def make_link(spool, path):
    path.symlink_to(spool.path)


def make_hard_link(spool, path):
    os.link(spool.path, path)


def make_directory(spool, path):
    path.mkdir()


UNHAPPY = [
    (make_missing, {"queue_missing"}, 66),
    (make_foreign, {"queue_foreign"}, 74),
    (make_text, {"queue_foreign", "corrupt"}, 74),
    (make_newer, {"queue_newer"}, 74),
    (make_truncated, {"corrupt", "queue_foreign"}, 74),
    (make_empty, {"queue_foreign", "corrupt"}, 74),
    (make_link, {"queue_foreign"}, 74),
    (make_hard_link, {"queue_foreign"}, 74),
    (make_directory, {"queue_foreign"}, 74),
]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()
            if path.is_file() and not path.is_symlink() and not path.name.endswith("-shm")}


@pytest.mark.parametrize("make, names, code", UNHAPPY,
                         ids=[make.__name__[5:] for make, _, _ in UNHAPPY])
@pytest.mark.parametrize("args", READERS + [["put", "-n", "cvm", "-m", "d", "1"]],
                         ids=" ".join)
def test_a_queue_that_is_none_is_refused_and_not_touched(
        spool, tmp_path, make, names, code, args):
    path = queue_of(tmp_path)
    make(spool, path)
    before = contents(path.parent)
    done = call("--json", "-Q", path, *args)
    found = error(done)
    assert (found["name"] in names, found["exit"]) == (True, code), found
    assert done.stdout == ""
    # SQLite may leave an empty WAL beside a file whose header asks for one.
    after = {name: data for name, data in contents(path.parent).items()
             if data or name in before}
    assert after == before
    if make is make_missing:
        assert "monspool init" in found["hint"]


@pytest.mark.parametrize("make", [make_foreign, make_text, make_link, make_newer],
                         ids=lambda make: make.__name__[5:])
def test_init_never_takes_over_what_is_not_its_own(spool, tmp_path, make):
    path = queue_of(tmp_path)
    make(spool, path)
    before = contents(path.parent)
    found = error(call("--json", "init", path))
    assert found["exit"] == 74
    assert {k: v for k, v in contents(path.parent).items() if k in before} == before


def test_init_creates_once_and_refreshes_ever_after(tmp_path):
    path = tmp_path / "new" / "queue.db"
    one = json.loads(call("--json", "init", path).stdout)
    assert one == {"path": str(path), "created": True, "schema": one["schema"]}
    spool = Spool(tmp_path / "new")
    spool.put("-n", "cvm", "-m", "d", "1")
    two = json.loads(call("--json", "-Q", path, "init").stdout)
    assert two["created"] is False
    assert spool.status()["pending"] == 1
    assert path.stat().st_mode & 0o7777 == 0o660
    assert path.parent.stat().st_mode & 0o7777 == 0o2770


def test_init_below_nothing_is_73(tmp_path):
    found = error(call("--json", "init", tmp_path / "a" / "b" / "queue.db"))
    assert found["exit"] == 73, found


# ---- configuration ----

def test_config_check_tells_every_fault_with_its_line(tmp_path):
    conf = tmp_path / "monspool.conf"
    conf.write_text("[queue]\npath = /x/queue.db\nmax_sise = 1G\n"
                    "[batch]\nmax_rows = many\n")
    for args in (["config", "check", conf], ["-C", conf, "config", "check"]):
        done = call("--json", *args)
        answer = json.loads(done.stdout)
        assert done.returncode == 78 and answer["ok"] is False
        assert [p["line"] for p in answer["problems"]] == [3, 5]
        assert "max_size" in answer["problems"][0]["hint"]
        assert error(done)["name"] == "bad_config"
    done = call("config", "check", conf)
    assert done.returncode == 78
    assert f"{conf}:3:" in done.stderr and f"{conf}:5:" in done.stderr


def test_config_check_of_a_good_file_is_0(tmp_path):
    conf = tmp_path / "monspool.conf"
    conf.write_text("[queue]\npath = /x/queue.db\n")
    done = call("--json", "config", "check", conf)
    assert done.returncode == 0
    assert json.loads(done.stdout)["ok"] is True


def test_a_named_file_that_is_missing_is_78(tmp_path):
    for args in (["-C", tmp_path / "none", "status"], ["config", "check", tmp_path / "none"]):
        assert error(call("--json", *args, env=NO_QUEUE))["name"] == "bad_config"
    done = call("--json", "status", env={"MONSPOOL_CONFIG": str(tmp_path / "none")})
    assert error(done)["name"] == "bad_config"


def test_the_queue_is_found_by_option_then_environment_then_file(spool, tmp_path):
    conf = tmp_path / "monspool.conf"
    conf.write_text(f"[queue]\npath = {spool.path}\n")

    def queue(*args, **env):
        return json.loads(call("--json", *args, "status", env=env).stdout)["queue"]
    assert queue("-C", conf) == str(spool.path)
    assert queue(MONSPOOL_CONFIG=str(conf)) == str(spool.path)
    other = Spool.__new__(Spool)
    other.path = tmp_path / "second" / "queue.db"
    call("init", other.path)
    assert queue("-C", conf, MONSPOOL_QUEUE=str(other.path)) == str(other.path)
    assert queue("-Q", spool.path, MONSPOOL_QUEUE=str(other.path)) == str(spool.path)


def test_a_writer_that_knows_its_queue_reads_no_configuration(spool, tmp_path):
    conf = tmp_path / "monspool.conf"
    conf.write_text("this is no configuration\n")
    done = call(*put_line(spool), env={"MONSPOOL_CONFIG": str(conf)})
    assert done.returncode == 0, done.stderr


# ---- permission, disk ----

@pytest.fixture(name="public")
def _public():
    """A folder that another user can reach."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def as_nobody(*args, **how):
    if os.getuid() != 0:
        pytest.skip("needs root, to become another user")
    done = call(*args, user=65534, group=65534, extra_groups=[], **how)
    if "PermissionError" in done.stderr:
        pytest.skip("another user cannot reach the programs")
    return done


def test_a_queue_of_others_is_77_with_the_group_to_join(public):
    path = public / "spool" / "queue.db"
    assert call("init", path).returncode == 0
    try:
        done = as_nobody("--json", "-Q", path, "status")
    except PermissionError:
        pytest.skip("another user cannot reach the programs")
    assert error(done)["name"] == "no_permission"


def test_a_read_only_directory_is_told(public):
    folder = public / "closed"
    folder.mkdir(mode=0o555)
    try:
        done = as_nobody("--json", "init", folder / "queue.db")
    except PermissionError:
        pytest.skip("another user cannot reach the programs")
    found = error(done)
    assert found["exit"] in (73, 77)


def test_a_world_writable_directory_is_refused(spool):
    spool.path.parent.chmod(0o777)
    done = spool.run("--json", "status")
    assert error(done)["name"] == "no_permission"


@pytest.fixture(name="small_disk")
def _small_disk(tmp_path):
    """A disk of 4 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.getuid() != 0 or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", folder],
            capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_is_74_and_what_is_queued_stays(small_disk):
    folder = small_disk / "spool"
    folder.mkdir(mode=0o700)
    spool = Spool(folder)
    # A disk smaller than the reserve would take nothing at all.
    spool.run("init", spool.path, env={"MONSPOOL_QUEUE_RESERVE": "0"}, check=0)
    spool.put("-n", "cvm", "-m", "d", "1")
    with open(small_disk / "filler", "wb", buffering=0) as filler:
        try:
            while filler.write(b"x" * 4096) == 4096:
                pass
        except OSError as full:
            assert full.errno == errno.ENOSPC
    rows = "".join(json.dumps({"namespace": "cvm", "metric": "d", "value": i,
                               "dimensions": {"n": "x" * 200 + str(i)}}) + "\n"
                   for i in range(5000))
    done = spool.run("--json", "put", "-", input=rows)
    assert error(done)["name"] == "disk_full"
    (small_disk / "filler").unlink()
    assert spool.status()["pending"] == 1
    assert spool.audit()["ok"]
    assert spool.put("-", input=rows[:rows.index("\n") + 1])["queued"] == 1


# ---- text from rows ----

HOSTILE = "a\x1b[31m\r\n\x9b\u202eb\\"


def test_what_stands_in_rows_is_printed_as_escapes_only(spool):
    spool.put("-n", "cvm", "-m", "d", "-d", "a=b", "1")
    with closing(sqlite3.connect(spool.path, isolation_level=None)) as db:
        db.execute("UPDATE series SET metric = ?, dimensions = ?",
                   (HOSTILE, json.dumps({HOSTILE: HOSTILE})))
        db.execute("UPDATE lane SET namespace = ?, state = 'held', reason = ?",
                   (HOSTILE, HOSTILE))
    for args in (["list"], ["show", "1"], ["status"]):
        done = spool.run(*args)
        for shown in (done.stdout, done.stderr):
            assert all(c.isprintable() or c == "\n" for c in shown), (args, shown)
    for args in (["list"], ["show", "1"], ["status"]):
        for line in spool.run("--json", *args).stdout.splitlines():
            json.loads(line)


def test_names_that_look_like_sql_are_only_names(spool):
    name = "'); DROP TABLE metric;--"
    spool.run("put", "--lenient", "-q", "-n", "cvm", "-m", name, "-d", f"k={name}", "1",
              check=0)
    assert spool.lines("list", "--metric", name)[0]["metric"] == name
    assert spool.lines("list", "--dim", f"k={name}")[0]["dimensions"] == {"k": name}
    assert spool.lines("list", "--namespace", name) == []
    assert spool.lines("dead", "list", "--namespace", name, "--metric", name) == []
    assert spool.run("dead", "list", "--cause", name).returncode == 64
    assert spool.audit()["ok"]


# ---- other programs ----

def test_forward_and_receiver_become_the_other_programs(tmp_path):
    for command, program in (("forward", "monspoold"), ("receiver", "monspool-receiver")):
        copy = tmp_path / "monspool"
        shutil.copy(MONSPOOL, copy)
        other = tmp_path / program
        other.write_text('#!/bin/sh\necho "$0" "$@"\n')
        other.chmod(0o755)
        done = subprocess.run([str(copy), "-Q", "q.db", "-q", command, "--once", "--", "-x"],
                              text=True, capture_output=True, env=environment(), timeout=60)
        assert done.returncode == 0
        assert done.stdout.split()[1:] == ["--queue", "q.db", "-q", "--once", "--", "-x"]
        other.unlink()
        done = subprocess.run([str(copy), "--json", command], text=True, timeout=60,
                              capture_output=True, env=environment(PATH="/nonexistent"))
        assert error(done)["name"] == "not_found"
