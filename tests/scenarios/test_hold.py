"""Holding lanes by hand: an operator's word counts, whether a forwarder runs or not."""
import pytest

from house import row, wait_until


def lane(spool, namespace="cvm"):
    [one] = [lane for lane in spool.status()["lanes"]
             if lane["namespace"] == namespace]
    return one


def held(spool):
    return {line["namespace"]: line for line in spool.lines("hold", "list")}


@pytest.fixture(params=["running", "stopped"])
def runs(request):
    return request.param == "running"


@pytest.fixture
def sender(forwarder, receiver, runs):
    """A forwarder that runs beside monspool, or is started when rows are to go."""
    class Sender:
        def __init__(self):
            self.receiver = receiver()
            self.forwarder = forwarder(self.receiver.url)
            if runs:
                self.forwarder.start()

        def deliver(self):
            """All that may be sent is."""
            if not runs:
                self.forwarder.once()

        def received(self, namespace):
            return sum(one["namespace"] == namespace
                       for one in self.receiver.records())

        def restart(self):
            if runs:
                assert self.forwarder.stop() == 0
                self.forwarder.start()
    return Sender()


def delivered(spool, sender, count):
    sender.deliver()
    wait_until(lambda: spool.status()["delivered"] == count)


def test_a_held_lane_sends_nothing_and_others_go_on(spool, sender):
    [line] = spool.lines("hold", "set", "cvm/-/default", "--reason", "new metrics")
    assert line["state"] == "held" and line["by"] == "operator"
    assert line["reason"] == "new metrics" and line["next_probe_at"] is None
    assert line["wake_in_seconds"] is None and line["since"]
    spool.put_rows([row(i) for i in range(5)] +
                   [row(i, namespace="pc") for i in range(5)])
    delivered(spool, sender, 5)
    sender.restart()
    sender.deliver()
    status = spool.status()
    assert status["pending"] == 5 and status["held"] == 5
    assert sender.received("cvm") == 0
    assert list(held(spool)) == ["cvm"]

    [line] = spool.lines("hold", "release", "cvm")
    assert line["state"] == "ready" and line["by"] is None
    delivered(spool, sender, 10)
    assert spool.lines("hold") == []
    assert spool.audit()["ok"]


def test_a_hold_for_a_time_ends_by_itself(spool, sender):
    spool.put_rows([row(1)])
    delivered(spool, sender, 1)
    [line] = spool.lines("hold", "set", "cvm", "--reason", "a while", "--for", "1s")
    assert line["state"] == "held" and line["until"]
    spool.put_rows([row(2)])

    def gone():
        sender.deliver()
        return spool.status()["pending"] == 0
    wait_until(gone)
    assert lane(spool)["state"] == "ready"


def test_a_probe_sends_one_row_and_the_hold_stays(spool, sender):
    spool.lines("hold", "set", "cvm/-/default", "--reason", "looking")
    spool.put_rows([row(i) for i in range(5)])
    spool.lines("hold", "probe", "cvm")
    delivered(spool, sender, 1)
    sender.deliver()
    assert sender.received("cvm") == 1
    assert held(spool)["cvm"]["by"] == "operator"
    assert spool.status()["pending"] == 4


def test_release_ends_the_forwarders_hold_at_once(spool, forwarder, receiver):
    away = receiver(key="x" * 32)
    one = forwarder(away.url, {"retry.hold_probe": "1h..1h"}).start()
    spool.put_rows([row(1), row(2, namespace="pc")])
    wait_until(lambda: spool.status()["held"] == 2)
    assert held(spool)["cvm"]["by"] == "forwarder"
    assert held(spool)["cvm"]["next_probe_at"]
    assert "probe in 59m" in spool.run("hold", check=0).stdout
    assert held(spool)["cvm"]["code"] == 1011
    port = away.port
    away.stop()
    receiver(port=port)
    assert len(spool.lines("hold", "release", "--all")) == 2
    wait_until(lambda: spool.status()["delivered"] == 2)
    assert one.stop() == 0


def test_only_an_operator_ends_the_hold_of_a_brake(spool, forwarder, receiver):
    """Code 1016 for everything: the brake saves most rows."""
    refuses = receiver(namespace="other")
    one = forwarder(refuses.url, {"dead.brake": "10/10m"}).start()
    spool.put_rows([row(i) for i in range(200)])
    wait_until(lambda: "brake" in (lane(spool)["reason"] or "") or
               lane(spool)["state"] == "held")
    one.reload()
    one.stop()
    one.start()
    spool.lines("hold", "set", "cvm", "--reason", "mine", "--for", "1s")
    wait_until(lambda: held(spool)["cvm"]["by"] == "forwarder")
    assert spool.status()["dead"] <= 10
    port = refuses.port
    refuses.stop()
    takes = receiver(port=port)
    spool.lines("hold", "release", "cvm")
    wait_until(lambda: spool.status()["pending"] == 0)
    status = spool.status()
    assert status["dead"] <= 10 and status["delivered"] >= 190
    assert len(takes.records()) == status["delivered"]


def test_what_is_not_there_is_said(spool):
    spool.put_rows([row(1)])
    assert spool.run("hold", "set", "cvm").returncode == 64
    assert spool.run("hold", "set", "nosuch", "--reason", "x").returncode == 66
    assert spool.run("hold", "release").returncode == 64
    assert spool.run("hold", "release", "nosuch").returncode == 66
    assert spool.run("hold", "probe", "cvm/a/b/c/").returncode == 66
    assert spool.run("hold", "probe", "cvm//b").returncode == 64
    assert spool.run("hold", "set", "bad name/-/default", "--reason",
                     "x").returncode == 65
    for words in (("hold", "release", "cvm"), ("hold", "release", "--all"),
                  ("hold", "probe", "cvm")):
        done = spool.run(*words)
        assert done.returncode == 0 and done.stdout == ""
        assert "note:" in done.stderr


def test_a_dry_run_changes_not_a_byte(spool):
    spool.put_rows([row(1)])
    before = spool.path.read_bytes(), spool.path.with_name("queue.db-wal").read_bytes()
    done = spool.run("hold", "set", "cvm", "--reason", "x", "--dry-run", check=0)
    assert "cvm/-/default" in done.stdout
    after = spool.path.read_bytes(), spool.path.with_name("queue.db-wal").read_bytes()
    assert before == after
    assert held(spool) == {}


def test_a_person_sees_a_table(spool):
    spool.run("hold", "set", "cvm/gz/default", "--reason", "new\tmetrics",
              check=65)
    spool.run("hold", "set", "cvm/gz/default", "--reason", "new metrics", check=0)
    done = spool.run("hold", check=0)
    assert "cvm/gz/default" in done.stdout and "operator" in done.stdout
    assert "new metrics" in done.stdout
