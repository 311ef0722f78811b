"""The outbox: an application's row and its metric are both there, or neither."""
import collections
import os
import random
import re
import sqlite3
import subprocess
import threading

import pytest

from house import BUILD, ROOT, environment, killed_at, need_strace, wait_until

SEED = int(os.environ.get("MONSPOOL_SEED", "0")) or random.SystemRandom().randrange(2**31)


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """The example program, against the library as it was built."""
    cache = dict(re.findall(r"^(\w+):\w+=(.*)$", (BUILD / "CMakeCache.txt").read_text(), re.M))
    flags = " ".join(cache.get(name, "") for name in (
        "CMAKE_C_FLAGS", "CMAKE_C_FLAGS_" + cache["CMAKE_BUILD_TYPE"].upper())).split()
    program = tmp_path_factory.mktemp("example") / "example"
    subprocess.run(
        [cache["CMAKE_C_COMPILER"],
         *[word for word in flags if word.startswith("-fsanitize") or word == "--coverage"],
         "-o", program, ROOT / "tests/install/example.c", f"-I{ROOT / 'spool'}",
         f"-L{BUILD}", "-lmonspool", "-lsqlite3", f"-Wl,-rpath,{BUILD}"], check=True)
    return program


@pytest.fixture
def shop(tmp_path):
    """The application's file."""
    return tmp_path / "shop.db"


def sell(example, spool, shop, count):
    return subprocess.run([example, spool.path, shop, str(count)], check=True, timeout=120,
                          env=environment(), stdout=subprocess.PIPE, text=True).stdout


def look(shop, sql):
    db = sqlite3.connect(shop, timeout=30)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def sales(shop):
    return {number for (number,) in look(shop, "SELECT id FROM sale")}


def sent(sink):
    """How often each sale's metric reached the receiver."""
    return collections.Counter(int(one["dimensions"]["sale"]) for one in sink.records()
                               if one["metricName"] == "sale")


def settings(shop, **more):
    return {'outbox "shop".path': shop, "forwarder.idle_poll": "50ms", **more}


def test_what_commits_is_delivered_and_what_does_not_is_not(spool, shop, example, receiver,
                                                            forwarder):
    sell(example, spool, shop, 30)
    sink = receiver()
    forwarder(sink.url, settings(shop)).drain(check=0)
    assert len(sales(shop)) == 27
    assert sent(sink) == dict.fromkeys(sales(shop), 1)
    assert look(shop, "SELECT count(*) FROM monspool_outbox") == [(0,)]
    audit = spool.audit()
    assert audit["ok"] and audit["delivered"] == 27 + 3


def test_a_bell_wakes_the_forwarder(spool, shop, example, receiver, forwarder):
    sink = receiver()
    sell(example, spool, shop, 1)
    forwarder(sink.url, settings(shop, **{"forwarder.idle_poll": "1h"})).start()
    wait_until(lambda: len(sent(sink)) == 1, what="the first sale arrives")
    sell(example, spool, shop, 2)
    wait_until(lambda: len(sent(sink)) == 3, what="the others arrive")


def test_a_poll_finds_what_no_bell_told(spool, shop, example, receiver, forwarder):
    sell(example, spool, shop, 1)
    sink = receiver()
    forwarder(sink.url, settings(shop)).start()
    db = sqlite3.connect(shop)
    with db:
        db.execute("INSERT INTO sale (id) VALUES (77)")
        db.execute("INSERT INTO monspool_outbox (namespace, metric, dimensions, value)"
                   " VALUES ('shop', 'sale', '{\"sale\":\"77\"}', 1)")
    db.close()
    wait_until(lambda: sent(sink)[77] == 1, what="the sale arrives")


def test_troubles_are_said_once_and_pass(spool, shop, example, receiver, forwarder):
    sink = receiver()
    ahead = forwarder(sink.url, settings(shop)).start()
    wait_until(lambda: ahead.words().count(" outbox_failed ") == 1, what="it is said")
    sell(example, spool, shop, 5)
    wait_until(lambda: len(sent(sink)) == 5, what="the sales arrive")
    words = ahead.words()
    assert words.count(" outbox_failed ") == 1 and words.count(" outbox_works ") == 1
    db = sqlite3.connect(shop, timeout=30)
    with db:
        db.execute("INSERT INTO monspool_outbox (namespace, metric, value)"
                   " VALUES ('no such', 'sale', 1)")
    db.close()
    wait_until(lambda: " outbox_refused " in ahead.words(), what="it is refused")
    [(why,)] = look(shop, "SELECT error FROM monspool_outbox")
    assert why.startswith("namespace: ")


def test_an_application_that_never_lets_go_is_named(spool, shop, example, receiver, forwarder):
    sink = receiver()
    sell(example, spool, shop, 1)
    db = sqlite3.connect(shop, isolation_level=None)
    db.execute("PRAGMA journal_mode=DELETE")
    db.execute("PRAGMA locking_mode=EXCLUSIVE")
    db.execute("INSERT INTO sale (id) VALUES (77)")
    ahead = forwarder(sink.url, settings(shop)).start()
    wait_until(lambda: " outbox_failed " in ahead.words(), what="it is said")
    assert "another connection is writing" in ahead.words() and not sent(sink)
    db.close()
    wait_until(lambda: len(sent(sink)) == 1, what="the sale arrives")
    assert ahead.words().count(" outbox_failed ") == 1


def test_a_reload_takes_another_outbox(spool, shop, example, receiver, forwarder):
    sink = receiver()
    ahead = forwarder(sink.url).start()
    sell(example, spool, shop, 3)
    ahead.configure(settings(shop))
    ahead.reload()
    wait_until(lambda: len(sent(sink)) == 3, what="the sales arrive")
    assert "outbox.path" not in ahead.words()  # it has an effect


@pytest.mark.parametrize("call", ["pwrite64", "fdatasync"])
def test_killed_at_each_write_nothing_moves_twice(call, spool, shop, example, receiver,
                                                  forwarder):
    need_strace("test_outbox", "C12 is proved by test_mover")
    # no receiver: what is killed is the move, not the sending
    ahead = forwarder("http://127.0.0.1:9/", settings(
        shop, **{"retry.base": "1h", "retry.max": "1h"}))
    ahead.run("--once")  # its own settings are in the queue
    kills, when, made = 0, 1, 3
    while True:
        sell(example, spool, shop, 3)
        made += 3
        if not killed_at(ahead.folder / "trace", call, when, ahead.command("--once"),
                         lived=69):  # it does not reach the receiver
            break
        kills += 1
        when += 1
        assert spool.audit()["ok"]
    ahead.run("--once")
    assert look(shop, "SELECT count(*) FROM monspool_outbox") == [(0,)]
    pending = collections.Counter(int(one["dimensions"]["sale"])
                                  for one in spool.lines("list") if one["metric"] == "sale")
    assert pending == dict.fromkeys(sales(shop), 1)
    keys = sqlite3.connect(spool.path).execute("SELECT count(*) FROM enqueue_key")
    assert keys.fetchone()[0] <= 3  # those of the last round
    print(f"{call}: {kills} kills")
    assert kills >= 3


class Shop(threading.Thread):
    """Sells until it is told to stop; the application is killed on its way."""

    def __init__(self, example, spool, shop, stop):
        super().__init__()
        self.args = [str(example), str(spool.path), str(shop), "1000000"]
        self.chance, self.stop, self.shop = random.Random(SEED), stop, shop
        self.kills = 0

    def run(self):
        while not self.stop.is_set():
            process = subprocess.Popen(self.args, stdout=subprocess.DEVNULL,
                                       env=environment())
            try:
                process.wait(self.chance.uniform(0.01, 0.2))
            except subprocess.TimeoutExpired:
                process.kill()
            process.wait()
            self.kills += 1


def test_killed_applications_and_forwarders(spool, shop, example, receiver, forwarder):
    """A sale and its metric are both there or both not, and each is moved once."""
    print(f"seed {SEED}")
    chance = random.Random(SEED + 1)
    sell(example, spool, shop, 1)
    sink = receiver()
    ahead = forwarder(sink.url, settings(shop, **{"batch.linger": "0"}))
    stop = threading.Event()
    till = Shop(example, spool, shop, stop)
    till.start()
    try:
        for _ in range(12):
            ahead.start()
            target = len(sink.records()) + chance.randrange(1, 40)
            wait_until(lambda: len(sink.records()) >= target, what="more sales arrive")
            ahead.kill()
    finally:
        stop.set()
        till.join()
    ahead.drain(check=0)
    audit = spool.audit()
    assert audit["ok"]
    assert look(shop, "SELECT count(*) FROM monspool_outbox") == [(0,)]
    assert set(sent(sink)) == sales(shop)
    # accepted once each; what was in flight at a kill may have been sent twice
    others = audit["accepted"] - len(sales(shop))
    assert others == 3  # of the first shop, which was not killed
    print(f"{till.kills} applications and 12 forwarders killed, {len(sales(shop))} sales")
