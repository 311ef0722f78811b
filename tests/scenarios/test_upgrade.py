"""Upgrades: a queue of schema 1, killed at each write, is old or new."""
import shutil
import sqlite3

import pytest

from house import MONSPOOL, ROOT, killed_at, need_strace, row

APPLICATION_ID = 0x6d73706c


def make_old(spool):
    """Turn a queue with rows back into what version 1 made."""
    rows = {}
    db = sqlite3.connect(spool.path)
    for table in ("ledger", "lane", "series", "metric", "setting"):
        rows[table] = db.execute(f"SELECT * FROM {table}").fetchall()
    db.close()
    for end in ("", "-wal", "-shm"):
        spool.path.with_name(spool.path.name + end).unlink(missing_ok=True)
    db = sqlite3.connect(spool.path, isolation_level=None)
    db.executescript("PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL;"
                     " PRAGMA journal_mode=WAL;")
    db.executescript((ROOT / "schema/0001-queue.sql").read_text())
    db.execute("DELETE FROM ledger")
    for table, content in rows.items():
        for one in content:
            db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(one))})", one)
    db.execute("UPDATE setting SET value = '16K' WHERE key = 'max_row_bytes'")
    db.execute("UPDATE setting SET value = '7d' WHERE key = 'key_memory'")
    db.execute("UPDATE setting SET value = '2G' WHERE key = 'max_size'")
    db.execute(f"PRAGMA application_id={APPLICATION_ID}")
    db.execute("PRAGMA user_version=1")
    db.close()
    spool.path.chmod(0o660)


def look(path):
    """Version, rows, tables; without upgrading anything."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA wal_autocheckpoint=0")
    try:
        [(version,)] = db.execute("PRAGMA user_version")
        [(check,)] = db.execute("PRAGMA integrity_check")
        ledger = db.execute("SELECT * FROM ledger").fetchall()
        rows = db.execute("SELECT id, value FROM metric ORDER BY id").fetchall()
        [(door,)] = db.execute("SELECT count(*) FROM sqlite_schema"
                               " WHERE name = 'monspool_put'")
        return version, check, ledger, rows, door
    finally:
        db.close()


def latest():
    return max(int(path.name[:4]) for path in (ROOT / "schema").glob("0*.sql"))


def test_the_first_command_upgrades_and_all_is_there(spool):
    spool.put_rows(row(n) for n in range(50))
    before = spool.lines("list", "--limit", "0")
    make_old(spool)
    assert look(spool.path)[0] == 1
    after = spool.lines("list", "--limit", "0")
    assert [{**one, "age_seconds": 0} for one in after] == [
        {**one, "age_seconds": 0} for one in before]
    assert spool.audit()["ok"]
    assert spool.status()["schema"] == latest()
    db = sqlite3.connect(spool.path)
    with db:
        db.execute("INSERT INTO monspool_put (namespace, metric, value)"
                   " VALUES ('cvm', 'cpu', 1)")
    assert dict(db.execute("SELECT key, value FROM setting WHERE key IN"
                           " ('max_row_bytes', 'key_memory', 'max_size')")) == {
        "max_row_bytes": "16384", "key_memory": "604800000ms", "max_size": "2147483648"}
    db.close()
    assert spool.audit()["accepted"] == 51


@pytest.mark.parametrize("call", ["pwrite64", "fdatasync"])
def test_killed_at_each_write_it_is_old_or_new(call, spool, tmp_path):
    need_strace("test_upgrade", "C16 is proved by crash_images")
    spool.put_rows(row(n) for n in range(50))
    make_old(spool)
    folder = spool.path.parent
    old = look(spool.path)
    saved = tmp_path / "saved"
    shutil.copytree(folder, saved, ignore=shutil.ignore_patterns("*.bell"))
    seen, when = set(), 0
    while True:
        when += 1
        for path in saved.iterdir():
            shutil.copy2(path, folder)
        for end in ("-wal", "-shm"):
            if not (saved / (spool.path.name + end)).exists():
                spool.path.with_name(spool.path.name + end).unlink(missing_ok=True)
        killed = killed_at(tmp_path / "trace", call, when, [MONSPOOL, "status"],
                           MONSPOOL_QUEUE=str(spool.path))
        version, check, ledger, rows, door = look(spool.path)
        assert (version, door) in ((1, 0), (latest(), 1))
        assert (check, ledger, rows) == old[1:4]
        seen.add(version)
        assert spool.audit()["ok"]  # and whoever comes next goes on
        assert look(spool.path)[0] == latest()
        if not killed:
            break
    print(f"{call}: {when - 1} kills")
    assert seen == {1, latest()} and when > 1


def test_rows_replayed_before_keep_their_first_id(tmp_path):
    """The step itself: dead and pending ones, edited or not, and one whose series is lost."""
    db = sqlite3.connect(tmp_path / "old.db", isolation_level=None)
    for step in ("0001-queue.sql", "0002-door.sql"):
        db.executescript((ROOT / "schema" / step).read_text())
    db.executescript("""
        INSERT INTO lane (id, namespace, region, account) VALUES
          (1, 'a', '', 'default'), (2, 'b', '', 'default');
        INSERT INTO series (id, lane_id, hash, metric, dimensions, wire) VALUES
          (1, 1, 1, 'cpu', '{}', 'w1'), (2, 2, 2, 'cpu', '{}', 'w2');
        INSERT INTO metric (lane_id, id, series_id, value, accepted_at) VALUES
          (1, 11, 1, '1', 1), (2, 12, 2, '1', 1), (2, 13, 2, '1', 1);
        INSERT INTO dead_letter (id, series_id, value, accepted_at, attempts,
            died_at, cause, scope, message, alone)
          VALUES (14, 2, '1', 1, 1, 1, 'code', 'row', '', 1);
        INSERT INTO edit (row_id, series_id, edited_at, edited_by, operation_id)
          VALUES (13, 1, 1, 'me', 1), (13, 2, 2, 'me', 2);
        INSERT INTO origin (id, origin_id, replays)
          VALUES (11, 1, 1), (12, 2, 1), (13, 3, 2), (14, 4, 1), (15, 5, 1);
    """)
    db.executescript((ROOT / "schema/0003-former.sql").read_text())
    assert db.execute("SELECT row_id, id, lane_id FROM former").fetchall() == [
        (11, 1, 1), (12, 2, 2), (13, 3, 1), (14, 4, 2), (15, 5, 0)]
    db.close()
