"""The process around the core: start, signals, log, exit codes, the key."""
import json
import os
import re
import signal
import subprocess
import time

import pytest

from house import (MONSPOOLD, PATIENCE, SECRET_ID, SECRET_KEY, environment, row,
                   wait_until)

NOWHERE = "http://127.0.0.1:9/v2/index.php"
EVENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z "
                   r"(error|warn|info|debug) [a-z_]+( [a-z_]+=(\"[^\"]*\"|\S*))*")


def says(ahead, event, count=1):
    """Wait until the log has the event so many times."""
    return wait_until(lambda: ahead.words().count(f" {event} ") >= count,
                      what=f"{count} times {event}")


def stalled(spool, receiver, forwarder, **settings):
    """A forwarder whose one request is never answered."""
    sink = receiver(fault="hang")
    ahead = forwarder(sink.url, {"receiver.timeout": "60s", **settings}).start()
    spool.put_rows(row(n) for n in range(10))
    wait_until(lambda: len(sink.requests()) == 1, what="the request is read")
    return ahead


# ---- signals ----

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_forwarder_stops_at_once(number, receiver, forwarder):
    ahead = forwarder(receiver().url).start()
    begun = time.monotonic()
    assert ahead.process.stop(number) == 0
    assert time.monotonic() - begun < 5 * PATIENCE
    assert " stop " in ahead.words()


def test_a_stop_waits_for_the_answer_and_settles(spool, receiver, forwarder):
    sink = receiver(fault="delay=500ms")
    ahead = forwarder(sink.url).start()
    spool.put_rows(row(n) for n in range(10))
    wait_until(lambda: connections(sink.port) > 0, what="a request is out")
    assert ahead.stop() == 0
    assert spool.status()["delivered"] == len(sink.records()) == 10
    assert spool.audit()["ok"]


def connections(port):
    """Established TCP connections to a port, to tell that a request is out."""
    with open("/proc/net/tcp") as table:
        fields = [line.split() for line in table.readlines()[1:]]
    return sum(field[3] == "01" and field[1].endswith(f":{port:04X}") for field in fields)


def test_a_stop_gives_up_after_its_timeout(spool, receiver, forwarder):
    ahead = stalled(spool, receiver, forwarder, **{"forwarder.stop_timeout": "300ms"})
    begun = time.monotonic()
    assert ahead.stop() == 0
    assert 0.3 <= time.monotonic() - begun < 20 * PATIENCE
    assert " stop_timeout " in ahead.words()
    status = spool.status()
    assert (status["pending"], status["delivered"], status["dead"]) == (10, 0, 0)


def test_a_second_signal_stops_now(spool, receiver, forwarder):
    ahead = stalled(spool, receiver, forwarder, **{"forwarder.stop_timeout": "1h"})
    ahead.process.send(signal.SIGTERM)
    says(ahead, "stopping")
    assert ahead.process.running()
    assert ahead.process.stop(signal.SIGINT, timeout=20) == 0
    assert spool.status()["pending"] == 10
    assert spool.audit()["ok"]


def test_a_reload_takes_another_endpoint_and_another_key(spool, receiver, forwarder):
    ahead = forwarder(NOWHERE, {"retry.base": "1h", "retry.max": "1h"})
    ahead.set_key("wrong")
    ahead.start()
    spool.put_rows(row(n) for n in range(10))
    wait_until(lambda: spool.status()["lanes"][0]["state"] == "waiting",
               what="the lane backs off")
    sink = receiver()
    ahead.set_key(SECRET_KEY)
    ahead.configure({"receiver.url": sink.url, "late.after": "7m"})
    ahead.reload()
    ahead.wait_empty()
    says(ahead, "reloaded")
    assert len(sink.records()) == 10
    assert ahead.stop() == 0


def test_a_reload_copies_the_settings_of_writers(spool, receiver, forwarder):
    ahead = forwarder(receiver().url).start()
    spool.put("-n", "cvm", "-m", "short", "1")
    ahead.configure({"checks.max_name": "5"})
    ahead.reload()
    says(ahead, "reloaded")
    assert spool.run("put", "-n", "cvm", "-m", "longer", "1").returncode == 65
    spool.put("-n", "cvm", "-m", "short", "1")
    assert ahead.stop() == 0


def test_a_reload_does_not_stop_a_full_queue_from_draining(
        spool, receiver, forwarder):
    """Rows that die take more room than pending ones."""
    full = {"queue.max_size": "1M", "queue.reserve": "0", "dead.brake": "0",
            "retry.base": "1h", "retry.max": "1h"}
    ahead = forwarder(NOWHERE, full).start()
    wait_until(lambda: spool.status()["max_bytes"] == 1024 * 1024,
               what="writers know the bound")
    lines = "".join(json.dumps(row(n)) + "\n" for n in range(1000))
    while spool.run("put", "-q", "-", input=lines).returncode == 0:
        pass
    while (put := spool.run("put", "-n", "cvm", "-m", "a", "1")).returncode == 0:
        pass
    assert put.returncode == 75
    ahead.configure({"receiver.url": receiver(namespace="pc").url, **full})
    ahead.reload()
    ahead.wait_empty()
    status = spool.status()
    assert status["dead"] + status["purged"] == status["accepted"]
    assert status["dead"] > 0
    assert ahead.stop() == 0


FAULTY = {
    "an unknown key": lambda ahead: ahead.configure({"retry.bass": "1s"}),
    "a bad value": lambda ahead: ahead.configure({"batch.max_rows": "many"}),
    "a half-written file": lambda ahead: ahead.config.write_text("[account]\nregi"),
    "a vanished file": lambda ahead: ahead.config.unlink(),
    "a vanished key": lambda ahead: ahead.key.unlink(),
    "an empty key": lambda ahead: ahead.set_key(""),
    "an open key": lambda ahead: ahead.key.chmod(0o644),
    "a missing region": lambda ahead: ahead.configure({"account.region": None}),
}


@pytest.mark.parametrize("fault", FAULTY)
def test_a_faulty_reload_is_said_and_the_old_settings_stay(
        fault, spool, receiver, forwarder):
    sink = receiver()
    ahead = forwarder(sink.url).start()
    FAULTY[fault](ahead)
    ahead.reload()
    says(ahead, "reload_failed")
    spool.put_rows(row(n) for n in range(10))
    ahead.wait_empty()
    assert len(sink.records()) == 10
    assert " reloaded " not in ahead.words()
    assert ahead.stop() == 0


def test_a_reload_probes_a_held_account_at_once(spool, receiver, forwarder):
    sink = receiver()
    ahead = forwarder(sink.url, {"retry.hold_probe": "1h..1h"})
    ahead.set_key("wrong")
    ahead.start()
    spool.put_rows(row(n) for n in range(10))
    wait_until(lambda: spool.status()["held"] == 10, what="the account is held")
    ahead.set_key(SECRET_KEY)
    ahead.reload()
    ahead.wait_empty()
    assert len(sink.records()) == 10
    assert ahead.stop() == 0


def test_usr1_says_how_it_goes_and_usr2_tries_now(spool, receiver, forwarder):
    sink = receiver()
    port = sink.port
    assert sink.stop() == 0
    ahead = forwarder(sink.url, {"retry.base": "1h", "retry.max": "1h"}).start()
    spool.put_rows(row(n) for n in range(10))
    wait_until(lambda: spool.status()["lanes"][0]["state"] == "waiting",
               what="the lane backs off")
    back = receiver(port=port)
    ahead.process.send(signal.SIGUSR1)
    says(ahead, "status")
    assert "pending=10" in ahead.words()
    ahead.process.send(signal.SIGUSR2)
    ahead.wait_empty()
    assert len(back.records()) == 10
    assert ahead.stop() == 0


# ---- one a queue ----

def test_a_second_one_names_the_first_and_a_killed_one_is_succeeded(
        spool, receiver, forwarder):
    sink = receiver()
    ahead = forwarder(sink.url).start()
    done = forwarder(sink.url).run(check=75)
    assert f"{ahead.process.pid}" in done.stderr
    told = json.loads(forwarder(sink.url).run("-j", check=75).stderr.splitlines()[-1])
    assert told["error"]["name"] == "forwarder_running"
    ahead.kill()
    spool.put_rows([row(1)])
    forwarder(sink.url).drain(check=0)
    assert len(sink.records()) == 1


def test_of_many_started_at_once_one_runs(spool, receiver, forwarder):
    ahead = forwarder(receiver().url)
    crowd = [ahead.start_process(ahead.command(), ahead.folder / f"log-{n}")
             for n in range(12)]
    wait_until(lambda: sum(one.running() for one in crowd) == 1,
               what="all but one left")
    [left] = [one for one in crowd if one.running()]
    assert {one.wait() for one in crowd if one is not left} == {75}
    assert left.stop() == 0


# ---- new rows ----

def test_rows_that_come_by_plain_sql_are_seen_by_the_poll(spool, receiver, forwarder):
    sink = receiver()
    ahead = forwarder(sink.url, {"forwarder.idle_poll": "100ms"})
    os.unlink(f"{spool.path}.bell")
    ahead.start()
    os.unlink(f"{spool.path}.bell")  # writers ring in the void
    spool.put_rows([row(1)])
    ahead.wait_empty()
    assert len(sink.records()) == 1
    assert ahead.stop() == 0


def test_a_bell_that_rings_without_end_starves_nobody(spool, receiver, forwarder):
    sink = receiver()
    ahead = forwarder(sink.url).start()
    bell = os.open(f"{spool.path}.bell", os.O_RDWR | os.O_NONBLOCK)
    try:
        spool.put_rows(row(n) for n in range(500))
        while spool.status()["pending"] > 0:
            try:
                os.write(bell, b"x" * 4096)
            except BlockingIOError:
                pass
    finally:
        os.close(bell)
    assert len(sink.records()) == 500
    assert ahead.stop() == 0


def test_an_idle_forwarder_does_next_to_nothing(spool, receiver, forwarder):
    """A timer that spins would use all of a processor."""
    ahead = forwarder(receiver().url).start()
    spool.put_rows(row(n) for n in range(10))
    ahead.wait_empty()

    def ticks():
        with open(f"/proc/{ahead.process.pid}/stat") as line:
            fields = line.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])
    before, begun = ticks(), time.monotonic()
    wait_until(lambda: time.monotonic() - begun > 3, timeout=60, what="three seconds")
    share = (ticks() - before) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - begun)
    assert share < 0.05 * PATIENCE
    assert ahead.stop() == 0


# ---- housekeeping ----

def test_the_log_is_copied_back_when_it_is_quiet(spool, receiver, forwarder):
    ahead = forwarder(receiver().url).start()
    before = spool.path.stat().st_mtime_ns
    spool.put_rows(row(n) for n in range(100))
    ahead.wait_empty()
    wait_until(lambda: spool.path.stat().st_mtime_ns != before,
               what="the log is copied back")
    assert ahead.stop() == 0


def test_the_ballast_is_made(spool, receiver, forwarder):
    ahead = forwarder(receiver().url, {"queue.reserve": "8M"})
    ballast = spool.path.parent / "queue.db.ballast"
    ballast.unlink(missing_ok=True)
    ahead.start()
    wait_until(lambda: ballast.exists() and ballast.stat().st_size == 8 << 20,
               what="the ballast is there")
    assert ballast.stat().st_mode & 0o777 == 0o600
    assert ahead.stop() == 0


# ---- log and exit codes ----

def test_the_log_has_one_event_a_line(spool, receiver, forwarder):
    ahead = forwarder(receiver(fault="code=1003,count=2").url).start("-v")
    spool.put_rows(row(n) for n in range(10))
    ahead.wait_empty()
    assert ahead.stop() == 0
    lines = ahead.words().splitlines()
    for line in lines:
        assert EVENT.fullmatch(line), line
    events = [line.split()[2] for line in lines]
    assert events[0] == "start" and events[-1] == "stop"


def test_the_log_is_ndjson_when_asked(spool, receiver, forwarder):
    ahead = forwarder(receiver().url).start("-j")
    spool.put_rows(row(n) for n in range(10))
    ahead.wait_empty()
    assert ahead.stop() == 0
    events = [json.loads(line) for line in ahead.words().splitlines()]
    assert [events[0]["event"], events[-1]["event"]] == ["start", "stop"]
    assert events[0]["pid"] == ahead.process.pid
    assert all(event["at"] and event["level"] for event in events)


def test_the_log_has_priorities_for_the_journal(spool, receiver, forwarder, tmp_path):
    ahead, log = forwarder(receiver().url), tmp_path / "journal"
    with open(log, "wb") as out:
        about = os.fstat(out.fileno())
        stream = f"{about.st_dev}:{about.st_ino}"
        subprocess.run([str(arg) for arg in ahead.command("--once")], check=True,
                       stderr=out, env=environment(JOURNAL_STREAM=stream))
    lines = log.read_text().splitlines()
    assert lines[0].startswith("<6>start ")
    assert all(re.match(r"<[3467]>[a-z_]+ ", line) for line in lines)


def test_quiet_says_nothing_when_all_is_well(spool, receiver, forwarder):
    spool.put_rows([row(1)])
    assert forwarder(receiver().url).run("-q", "--once", check=0).stderr == ""


def test_an_interrupted_drain_says_that_rows_are_left(spool, receiver, forwarder):
    sink = receiver(fault="hang")
    spool.put_rows(row(n) for n in range(10))
    ahead = forwarder(sink.url, {"receiver.timeout": "60s",
                                 "forwarder.stop_timeout": "100ms"})
    drain = ahead.start_process(ahead.command("--drain"), ahead.folder / "log")
    wait_until(lambda: len(sink.requests()) == 1, what="the request is read")
    assert drain.stop() == 75
    assert "rows left: 10" in drain.words()


def test_a_drain_that_is_over_names_the_endpoint(spool, forwarder):
    spool.put_rows(row(n) for n in range(10))
    done = forwarder(NOWHERE).drain("200ms", check=69)
    assert "rows left: 10" in done.stderr and "refused" in done.stderr
    told = forwarder(NOWHERE).run("-j", "--once", check=69)
    assert json.loads(told.stderr.splitlines()[-1])["error"]["name"] == "unreachable"


@pytest.mark.parametrize("args", [
    ["--once", "--drain"], ["--onc"], ["--drain=soon"], ["word"], ["--queue"],
    ["--check-config", "--once"], ["--secret-key=x"]])
def test_a_wrong_command_line_is_64(args, forwarder):
    done = forwarder(NOWHERE).run(*args, check=64)
    assert "hint: " in done.stderr and done.stdout == ""


def test_help_and_version_need_nothing():
    for args, word in [(["--help"], "--drain"), (["--version"], "monspoold ")]:
        done = subprocess.run([str(MONSPOOLD), *args], text=True, check=True,
                              stdout=subprocess.PIPE, env=environment())
        assert word in done.stdout
    done = subprocess.run([str(MONSPOOLD), "--version", "--json"], check=True,
                          stdout=subprocess.PIPE, env=environment())
    versions = json.loads(done.stdout)
    assert {"monspool", "schema", "sqlite", "cjson", "libcurl", "openssl",
            "libev"} <= versions.keys()
    assert all(versions.values())


def test_check_config_tells_every_fault_and_touches_nothing(spool, forwarder):
    before = spool.path.stat().st_mtime_ns
    ahead = forwarder(NOWHERE, {"retry.bass": "1s", "batch.max_rows": "many"})
    done = ahead.run("--check-config", check=78)
    assert "bass" in done.stderr and "max_rows" in done.stderr
    told = json.loads(ahead.run("-j", "--check-config", check=78).stdout)
    assert not told["ok"] and len(told["problems"]) == 2
    good = forwarder(NOWHERE)
    told = json.loads(good.run("-j", "--check-config", check=0).stdout)
    assert told["ok"] and told["problems"] == []
    good.key.chmod(0o640)
    told = json.loads(good.run("-j", "--check-config", check=77).stdout)
    assert not told["ok"] and "chmod" in told["problems"][0]["hint"]
    assert spool.path.stat().st_mtime_ns == before


@pytest.mark.parametrize("missing", ["account.region", "account.secret_id",
                                     "account.secret_key_file"])
def test_what_is_missing_to_sign_is_said_with_how_to_write_it(missing, forwarder):
    ahead = forwarder(NOWHERE, {missing: None})
    for mode in "--once", "--check-config":
        done = ahead.run(mode, check=78)
        assert missing in done.stderr
        assert f"hint: {missing.split('.')[1]} = " in done.stderr


# ---- where the key comes from; where it must not go: test_secret_canary ----

def test_the_key_may_come_from_systemd_or_the_environment(spool, receiver, forwarder,
                                                          tmp_path):
    sink = receiver()
    ahead = forwarder(sink.url, {"account.secret_key_file": None})
    (tmp_path / "secret-key").write_text(SECRET_KEY + "\n")
    (tmp_path / "secret-key").chmod(0o440)
    spool.put_rows([row(1)])
    ahead.once(check=0, env={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    ahead.configure({"account.secret_id": None})
    spool.put_rows([row(2)])
    ahead.once(check=0, env={"TENCENTCLOUD_SECRET_ID": SECRET_ID,
                             "TENCENTCLOUD_SECRET_KEY": SECRET_KEY})
    assert len(sink.records()) == 2


def test_the_process_cannot_be_looked_into(receiver, forwarder):
    """Not dumpable: to the kernel what is in /proc/PID belongs to root then."""
    if os.geteuid() == 0:
        ahead = forwarder(receiver().url)
        # As root the owner says nothing; what can be seen is who may trace.
        process = ahead.start().process
        probe = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
             "cat", f"/proc/{process.pid}/environ"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert probe.returncode != 0
        assert ahead.stop() == 0
        return
    ahead = forwarder(receiver().url).start()
    assert os.stat(f"/proc/{ahead.process.pid}/environ").st_uid == 0
    assert ahead.stop() == 0


# ---- damage ----

def test_ids_that_are_gone_with_the_log_are_named_at_the_next_start(
        spool, receiver, forwarder):
    spool.put_rows(row(n) for n in range(5))
    spool.path.with_name("queue.db-wal").unlink()
    ahead = forwarder(receiver().url)
    assert " ids_missing first=1 last=5" in ahead.once(check=0).stderr
    assert spool.status()["missing"] == 5
    assert " ids_missing " not in ahead.once(check=0).stderr
    assert spool.put_rows([row(1)])["first_id"] == 6
    assert spool.audit()["ok"]
