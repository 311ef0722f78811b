"""Options of monspoold that bound or show a run, and the signals of a running one."""
import json
import signal
import time

import pytest

from house import SECRET_ID, SECRET_KEY, row, wait_until


def values(receiver):
    return [record["value"] for record in receiver.records()]


# ---- --until-idle ----

def test_until_idle_ends_after_a_span_without_work(spool, receiver, forwarder):
    takes = receiver()
    one = forwarder(takes.url)
    spool.put_rows([row(i) for i in range(300)])
    began = time.monotonic()
    one.run("--until-idle", "1s", check=0)
    assert time.monotonic() - began >= 1
    assert len(values(takes)) == 300


def test_new_rows_are_work(spool, receiver, forwarder):
    takes = receiver()
    one = forwarder(takes.url).start("--until-idle", "2s")
    began = time.monotonic()
    for i in range(4):
        spool.put_rows([row(i)])
        wait_until(lambda: len(values(takes)) == i + 1)
        wait_until(lambda: time.monotonic() - began > i + 1)
    assert one.process.running()
    assert one.process.wait() == 0
    assert time.monotonic() - began >= 5


@pytest.mark.parametrize("fault, settings", [
    ("http=503,retry-after=2,count=1", {}),
    (None, {"rate.requests_per_second": "0.5", "rate.burst": "1"}),
], ids=["back-off", "pace"])
def test_rows_that_wait_for_their_time_are_work(spool, receiver, forwarder, fault, settings):
    takes = receiver(fault=fault) if fault else receiver()
    spool.put_rows([row(i) for i in range(300)])
    forwarder(takes.url, settings).run("--until-idle", "500ms", check=0)
    assert len(values(takes)) == 300


def test_rows_that_are_held_are_no_work(spool, receiver, forwarder):
    takes = receiver(fault="code=1011")
    spool.put_rows([row(1)])
    one = forwarder(takes.url, {"retry.hold_probe": "10m..20m"})
    one.run("--until-idle", "500ms", check=0)
    assert spool.status()["held"] == 1


# ---- --limit ----

@pytest.mark.parametrize("mode", [["--once"], ["--drain"], []])
def test_limit_sends_no_more_rows(spool, receiver, forwarder, mode):
    takes = receiver()
    one = forwarder(takes.url, {"batch.max_rows": "30", "batch.in_flight": "4"})
    spool.put_rows([row(i) for i in range(200)] +
                   [row(i, namespace="pc") for i in range(50)])
    one.run(*mode, "--limit", "100", check=0)
    assert len(values(takes)) == 100
    assert spool.status()["pending"] == 150
    assert spool.audit()["ok"]


def test_limit_holds_for_the_parts_of_an_isolation(spool, receiver, forwarder):
    """A series that is refused is found within the rows that may be sent."""
    takes = receiver(fault="code=1017,metric=bad")
    one = forwarder(takes.url)
    spool.put_rows([row(i, metric="bad" if i == 3 else "good", ip=f"10.0.0.{i % 9}")
                    for i in range(60)])
    one.run("--once", "--limit", "10", check=0)
    status = spool.status()
    assert status["delivered"] + status["dead"] == 10
    assert status["dead"] == 1


# ---- --namespace ----

def test_namespace_works_these_lanes_only(spool, receiver, forwarder):
    takes = receiver()
    one = forwarder(takes.url)
    spool.put_rows([row(1, namespace=name) for name in ("cvm", "cvm_eu", "pc", "lb")])
    one.run("--once", "--namespace", "cvm*,lb", check=0)
    assert sorted(record["namespace"] for record in takes.records()) == [
        "cvm", "cvm_eu", "lb"]
    assert spool.status()["pending"] == 1


def test_a_hold_is_probed_by_a_lane_that_is_worked(spool, receiver, forwarder):
    """The lane that would probe by itself is left alone: another one does."""
    wrong = receiver(key="x" * 32)
    one = forwarder(wrong.url)
    spool.put_rows([row(1, namespace="aaa"), row(2, namespace="pc")])
    one.run("--once", check=75)
    port = wrong.port
    wrong.stop()
    takes = receiver(port=port)
    one.run("--once", "--namespace", "pc", check=0)
    assert values(takes) == [2]


# ---- --rate ----

def test_rate_is_slower_than_configured(spool, receiver, forwarder):
    takes = receiver()
    one = forwarder(takes.url, {"batch.max_rows": "1"})
    spool.put_rows([row(i) for i in range(6)])
    began = time.monotonic()
    one.run("--once", "--rate", "5/s", check=0)
    assert time.monotonic() - began >= 0.19
    assert len(values(takes)) == 6


def test_rate_is_never_faster_than_configured(spool, receiver, forwarder):
    takes = receiver()
    one = forwarder(takes.url, {"batch.max_rows": "1", "rate.requests_per_second": "5",
                                "rate.burst": "1"})
    spool.put_rows([row(i) for i in range(6)])
    began = time.monotonic()
    one.run("--once", "--rate", "1000/s", check=0)
    assert time.monotonic() - began >= 0.9


# ---- --print ----

def everything(spool):
    return {path.name: path.read_bytes() for path in spool.path.parent.iterdir()
            if path.is_file() and not path.name.endswith("-shm")}


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_print_shows_what_would_go_and_changes_nothing(
        spool, receiver, forwarder, method):
    takes = receiver()
    one = forwarder(takes.url, {"receiver.method": method})
    spool.put_rows([row(i) for i in range(150)] +
                   [row(7, namespace="pc")])
    spool.lines("hold", "set", "pc", "--reason", "not now")
    before = everything(spool)
    done = one.run("--print", "-j", check=0)
    assert everything(spool) == before
    assert takes.requests() == []
    [line] = [json.loads(text) for text in done.stdout.splitlines()]
    assert list(line)[:8] == ["namespace", "region", "account", "method", "url",
                              "rows", "bytes", "body"]
    assert line["namespace"] == "cvm" and line["method"] == method
    assert 1 < line["rows"] <= 100
    assert SECRET_ID not in done.stdout and SECRET_KEY not in done.stdout
    if method == "POST":
        body = json.loads(line["body"])
        assert body["SecretId"] == body["Signature"] == "***"
        assert len(body["Data"]) == line["rows"]
    else:
        assert "SecretId=***&" in line["url"] and "Signature=***" in line["url"]
        assert line["body"] == ""
    people = one.run("--print", check=0)
    assert people.stdout.startswith(method) and SECRET_ID not in people.stdout


def test_print_is_for_some_lanes_and_beside_a_running_forwarder(
        spool, receiver, forwarder):
    away = receiver(fault="refuse")
    one = forwarder(away.url).start()
    spool.put_rows([row(1), row(2, namespace="pc")])
    wait_until(lambda: {lane["state"] for lane in spool.status()["lanes"]}
               <= {"waiting", "held"})
    done = one.run("--print", "-j", "--namespace", "pc", check=0)
    [line] = [json.loads(text) for text in done.stdout.splitlines()]
    assert line["namespace"] == "pc"
    assert one.process.running()


# ---- together ----

@pytest.mark.parametrize("args", [
    ["--once", "--until-idle", "1s"], ["--print", "--drain"], ["--limit", "0"],
    ["--until-idle", "0"], ["--rate", "fast"], ["--rate", "0"], ["--limit", "x"],
    ["--print", "--check-config"]])
def test_what_makes_no_sense_is_64(forwarder, receiver, args):
    assert forwarder("http://127.0.0.1:1/").run(*args).returncode == 64


# ---- signals ----

def test_usr1_logs_one_status_line(spool, receiver, forwarder):
    takes = receiver()
    one = forwarder(takes.url).start("-j")
    spool.put_rows([row(i) for i in range(5)])
    wait_until(lambda: spool.status()["delivered"] == 5)
    one.process.send(signal.SIGUSR1)
    [line] = wait_until(lambda: [json.loads(text) for text in
                                 one.process.words().splitlines()
                                 if '"event":"status"' in text])
    assert int(line["delivered"]) == 5 and int(line["pending"]) == 0
    assert one.stop() == 0


def test_usr2_forgets_back_off(spool, receiver, forwarder):
    away = receiver(fault="refuse")
    one = forwarder(away.url, {"retry.base": "10m", "retry.max": "1h"}).start()
    spool.put_rows([row(1)])
    wait_until(lambda: spool.status()["lanes"][0]["state"] == "waiting")
    port = away.port
    away.stop()
    takes = receiver(port=port)
    one.process.send(signal.SIGUSR2)
    wait_until(lambda: values(takes) == [1])
    assert one.stop() == 0


def test_usr2_ends_a_pause_that_the_receiver_asked_for(spool, receiver, forwarder):
    busy = receiver(fault="http=429,retry-after=3600")
    one = forwarder(busy.url).start()
    spool.put_rows([row(1)])
    wait_until(lambda: spool.status()["lanes"][0]["state"] == "waiting")
    port = busy.port
    busy.stop()
    takes = receiver(port=port)
    one.reload()
    wait_until(lambda: " reloaded " in one.words())
    assert spool.status()["lanes"][0]["wake_in_seconds"] > 3000
    one.process.send(signal.SIGUSR2)
    wait_until(lambda: values(takes) == [1])
    assert one.stop() == 0


def test_usr2_ends_no_operators_hold(spool, receiver, forwarder):
    takes = receiver()
    one = forwarder(takes.url).start()
    spool.lines("hold", "set", "cvm/-/default", "--reason", "mine")
    spool.put_rows([row(1), row(2, namespace="pc")])
    one.process.send(signal.SIGUSR2)
    wait_until(lambda: values(takes) == [2])
    assert spool.lines("hold", "list")[0]["by"] == "operator"
    assert one.stop() == 0
