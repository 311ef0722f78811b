"""late.fresh_share: new rows need not wait for what piled up in an outage."""
import datetime
import sqlite3
import time
from contextlib import closing

from house import row, wait_until

BACKLOG, ROWS = 20000, 100
REQUEST = 0.05  # what one takes, by the receiver's delay
EVERY = 0.03


def received_at(record):
    return datetime.datetime.fromisoformat(
        record["received_at"].replace("Z", "+00:00")).timestamp()


def pile_up(spool, rows):
    """So many rows of 20 series, accepted an hour ago."""
    spool.put_rows([row(i, ip=f"10.0.0.{i % 20}") for i in range(rows)])
    with closing(sqlite3.connect(spool.path, isolation_level=None)) as db:
        db.execute("UPDATE metric SET accepted_at = accepted_at - 3600000")


def values(place):
    return [record["value"] for record in place.records()]


def test_new_rows_wait_for_a_few_requests_and_not_for_the_backlog(spool, receiver, forwarder):
    """The backlog takes 100 s; a new row is taken within five requests."""
    pile_up(spool, BACKLOG)
    place = receiver(fault=f"delay={round(REQUEST * 1000)}ms")
    forwarder(place.url, {"late.rate": "200", "late.fresh_share": "50"}).start()
    wait_until(lambda: len(place.records()) >= 200, what="late rows drain")
    began = {}
    for i in range(BACKLOG, BACKLOG + ROWS):
        began[i] = time.time()
        spool.put("-n", "cvm", "-m", "cpu", "-d", "ip=10.0.0.1", str(i))
        wait_until(lambda: time.time() >= began[i] + EVERY)
    wait_until(lambda: sum(value >= BACKLOG for value in values(place)) == ROWS,
               what="all new rows are taken")
    waits = sorted(received_at(record) - began[record["value"]]
                   for record in place.records() if record["value"] >= BACKLOG)
    late = sum(value < BACKLOG for value in values(place))
    assert waits[int(ROWS * 0.99) - 1] < 5 * REQUEST
    assert 200 < late < BACKLOG / 2
    assert len(values(place)) == len(set(values(place)))
    print(f"p99 {waits[int(ROWS * 0.99) - 1] * 1000:.0f} ms, requests of {REQUEST * 1000:.0f} ms;"
          f" {late} late rows meanwhile")


def test_without_a_share_the_order_is_kept(spool, receiver, forwarder):
    pile_up(spool, 2000)
    spool.put_rows([row(2000 + i, ip=f"10.0.0.{i % 20}") for i in range(200)])
    place = receiver()
    forwarder(place.url, {}).drain(check=0)
    assert values(place) == list(range(2200))


def test_with_a_share_all_is_delivered_once_and_new_rows_come_first(spool, receiver, forwarder):
    pile_up(spool, 2000)
    spool.put_rows([row(2000 + i, ip=f"10.0.0.{i % 20}") for i in range(200)])
    place = receiver()
    forwarder(place.url, {"late.fresh_share": "50", "batch.in_flight": "2"}).drain(check=0)
    assert sorted(values(place)) == list(range(2200))
    assert max(values(place)[:600]) == 2199
    assert spool.audit()["ok"]
