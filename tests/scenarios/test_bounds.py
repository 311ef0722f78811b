"""A queue that is full, a disk that is full: what a put says, and that draining works."""
import json
import threading

import pytest

from disks import occupy, small_disk
from house import Spool, row, wait_until


def bounded(spool, forwarder, url, **settings):
    """The settings of the queue as a forwarder publishes them."""
    one = forwarder(url, {f"queue.{key}": value for key, value in settings.items()})
    one.once()
    return one


def fill(spool, rows, **how):
    return spool.run("--json", "put", "-f", "ndjson", "-", input="".join(
        json.dumps(row(i, **how)) + "\n" for i in range(rows)))


class Watch(threading.Thread):
    """How large database and WAL become, as seen every few milliseconds."""

    def __init__(self, spool):
        super().__init__(daemon=True)
        self.files = [spool.path, spool.path.with_name("queue.db-wal")]
        self.most, self.over = 0, threading.Event()

    def run(self):
        while not self.over.wait(0.002):
            self.most = max(self.most, sum(file.stat().st_size for file in self.files))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


# ---- queue.max_size ----

@pytest.mark.parametrize("mib,cycles", [(1, 10), (2, 10), (4, 5), (8, 2), (16, 2)])
def test_a_queue_that_was_full_takes_as_much_again(
        mib, cycles, spool, receiver, forwarder):
    sink = receiver()
    one = bounded(spool, forwarder, sink.url, max_size=f"{mib}M")
    one.configure({"batch.max_rows": "5000", "batch.max_bytes": "1M"})
    takes = []
    with Watch(spool) as watch:
        for _ in range(cycles):
            rows, chunk = 0, 2000 * mib
            while chunk >= 125:
                done = fill(spool, chunk)
                if done.returncode == 0:
                    rows += chunk
                    continue
                assert done.returncode == 75, done.stderr
                assert '"queue_full"' in done.stderr
                chunk //= 2
            takes.append(rows)
            one.drain(check=0)
    assert watch.most <= mib << 20
    assert takes[0] >= 9000 * mib
    assert min(takes) >= takes[0] * 0.85, takes
    assert spool.audit()["ok"]


# ---- deaths, whose records are larger than the rows ----

def fill_to_the_bound(spool):
    rows, chunk = 0, 2000
    while chunk >= 125:
        done = fill(spool, chunk, namespace="nowhere")
        rows += chunk if done.returncode == 0 else 0
        chunk //= 1 if done.returncode == 0 else 2
    return rows


@pytest.mark.parametrize("mib", [1, 2, 8])
def test_deaths_push_the_oldest_dead_out_and_not_the_queue_over_its_bound(
        mib, spool, receiver, forwarder):
    sink = receiver(namespace="cvm:cpu:ip")
    one = bounded(spool, forwarder, sink.url, max_size=f"{mib}M")
    one.configure({"dead.brake": "0"})
    with Watch(spool) as watch:
        rows = fill_to_the_bound(spool)
        done = one.drain()
    assert watch.most <= mib << 20
    status = spool.status()
    assert status["pending"] == 0 and status["accepted"] == rows
    assert status["dead"] > 500 * mib and status["purged"] == rows - status["dead"]
    assert " dead_purged " in done.stderr and "reason=queue.max_size" in done.stderr
    assert min(row["id"] for row in spool.dead()) == rows - status["dead"] + 1
    assert fill(spool, 3000 * mib).returncode == 0  # the dead keep nobody out
    assert spool.audit()["ok"]


def test_where_no_dead_letter_may_go_the_lane_is_held(spool, receiver, forwarder):
    sink = receiver(namespace="cvm:cpu:ip")
    one = bounded(spool, forwarder, sink.url, max_size="2M")
    one.configure({"dead.brake": "0", "dead.max_rows": "0", "dead.max_age": "0"})
    with Watch(spool) as watch:
        spool.put_rows(row(n) for n in range(3))  # of another lane
        rows = fill_to_the_bound(spool)
        assert one.once().returncode == 75
        status = spool.status()
        assert (status["purged"], status["delivered"]) == (0, 3)
        assert status["dead"] + status["pending"] == rows and status["dead"] > 0
        [lane] = [lane for lane in status["lanes"] if lane["state"] == "held"]
        assert "no room for more dead letters" in lane["reason"]
        for _ in range(40):
            if spool.status()["pending"] == 0:
                break
            spool.run("dead", "purge", "--all", "--no-backup", "--yes", check=0)
            spool.run("hold", "release", "--all", check=0)
            one.once()
    assert spool.status()["pending"] == 0
    assert watch.most <= 2 << 20
    assert spool.audit()["ok"]


# ---- queue.when_full ----

def test_drop_oldest_makes_room_and_counts_it(spool, receiver, forwarder):
    away = receiver(fault="refuse")
    bounded(spool, forwarder, away.url, max_size="8M", when_full="drop-oldest")
    total = 0
    while spool.status()["dropped"] == 0:
        assert fill(spool, 20000).returncode == 0
        total += 20000
        assert total < 1000000
    for _ in range(5):
        assert fill(spool, 20000).returncode == 0
        total += 20000
        status = spool.status()
        assert status["db_bytes"] + status["wal_bytes"] <= 8 << 20
    status = spool.status()
    assert status["accepted"] == total == status["pending"] + status["dropped"]
    assert status["dropped"] >= 80000
    [first] = spool.lines("list", "--limit", "1")
    assert first["id"] == status["dropped"] + 1
    assert spool.audit()["ok"]


def test_what_is_left_after_dropping_is_delivered(spool, receiver, forwarder):
    """Rows are dropped beside a running forwarder that cannot send them."""
    away = receiver(fault="refuse")
    one = forwarder(away.url, {"queue.max_size": "8M", "queue.when_full": "drop-oldest",
                               "batch.max_rows": "1000"}).start()
    while spool.status()["dropped"] < 30000:
        assert fill(spool, 20000).returncode == 0
    port = away.port
    away.stop()
    takes = receiver(port=port)
    one.wait_empty()
    status = spool.status()
    assert status["accepted"] == status["delivered"] + status["dropped"]
    assert len(takes.records()) == status["delivered"]
    assert one.stop() == 0 and spool.audit()["ok"]


def test_reject_says_75_and_drops_nothing(spool, receiver, forwarder):
    away = receiver(fault="refuse")
    bounded(spool, forwarder, away.url, max_size="8M")
    done = None
    for _ in range(50):
        done = fill(spool, 20000)
        if done.returncode != 0:
            break
    assert done.returncode == 75
    assert json.loads(done.stderr.splitlines()[-1])["error"]["name"] == "queue_full"
    assert spool.status()["dropped"] == 0


def test_what_can_never_fit_is_75_and_drops_nothing(spool, receiver, forwarder):
    away = receiver(fault="refuse")
    bounded(spool, forwarder, away.url, max_size="2M", when_full="drop-oldest")
    assert fill(spool, 1000).returncode == 0
    assert fill(spool, 100000).returncode == 75
    status = spool.status()
    assert (status["pending"], status["dropped"]) == (1000, 0)


# ---- a small disk ----

@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk", 40) as folder:
        yield folder


@pytest.fixture(name="small")
def _small(disk):
    folder = disk / "spool"
    folder.mkdir(mode=0o700)
    return Spool(folder)


@pytest.fixture(name="ballasted")
def _ballasted(small, tmp_path, receiver, start):
    """A forwarder on the small disk, whose receiver is away, and its ballast."""
    from house import Forwarder
    away = receiver(fault="refuse")
    one = Forwarder(tmp_path / "forwarder-small", small, away.url,
                    {"queue.reserve": "8M"}, start)
    one.start()
    ballast = small.path.with_name("queue.db.ballast")
    wait_until(lambda: ballast.exists() and ballast.stat().st_size == 8 << 20)
    one.away, one.ballast = away, ballast
    return one


def test_a_full_disk_is_74_and_the_forwarder_still_drains(
        disk, small, ballasted, receiver):
    assert fill(small, 20000).returncode == 0
    occupy(disk)
    done = fill(small, 20000)
    assert done.returncode == 74
    assert json.loads(done.stderr.splitlines()[-1])["error"]["name"] == "disk_full"
    assert small.status()["accepted"] == 20000
    port = ballasted.away.port
    ballasted.away.stop()
    takes = receiver(port=port)
    ballasted.wait_empty()
    assert len({record["request"] for record in takes.records()}) >= 200
    assert small.status()["delivered"] == 20000
    if "ballast_released" in ballasted.words():
        # Writers do not take the room that was set free for draining.
        assert fill(small, 10).returncode == 74
    (disk / "filler").unlink()
    assert fill(small, 10).returncode == 0
    ballasted.wait_empty()
    wait_until(lambda: ballasted.ballast.exists() and
               ballasted.ballast.stat().st_size == 8 << 20, timeout=60,
               what="the ballast is made again")
    assert ballasted.stop() == 0 and small.audit()["ok"]


def test_a_put_is_refused_before_the_last_block_is_used(disk, small, ballasted):
    occupy(disk, leave=200 << 10)
    done = fill(small, 1)
    assert done.returncode == 74
    (disk / "filler").unlink()
    occupy(disk, leave=400 << 10)
    assert fill(small, 1).returncode == 0
