"""SIGKILL at any moment: nothing accepted is lost, duplicates are bounded."""
import collections
import os
import random
import subprocess
import threading

from house import MONSPOOL, environment, row, wait_until

SEED = int(os.environ.get("MONSPOOL_SEED", "0")) or random.SystemRandom().randrange(2**31)
BATCH = 20


class Writer(threading.Thread):
    """Puts rows, one process each, some of which are killed on the way.

    A row is known by its value.  What was acknowledged must arrive; what was
    killed may or may not."""

    def __init__(self, spool, number, stop):
        super().__init__()
        self.random = random.Random(SEED + number)
        self.spool, self.number, self.stop = spool, number, stop
        self.acknowledged, self.killed, self.refused = [], [], []

    def run(self):
        value = self.number * 1_000_000
        while not self.stop.is_set():
            value += 1
            self.put(value)

    def put(self, value):
        process = subprocess.Popen(
            [MONSPOOL, "put", "-n", "cvm", "-m", f"m{self.number}", str(value)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment(MONSPOOL_QUEUE=str(self.spool.path)))
        if self.random.random() < 0.4:
            try:
                process.wait(self.random.uniform(0, 0.006))
            except subprocess.TimeoutExpired:
                process.kill()
        words = process.communicate()[1]
        if process.returncode == 0:
            self.acknowledged.append(value)
        elif process.returncode < 0:
            self.killed.append(value)
        else:
            self.refused.append((process.returncode, words))


def test_killed_forwarders_and_writers_lose_nothing(spool, receiver, forwarder):
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    sink = receiver(fault="delay=1ms..15ms")
    ahead = forwarder(sink.url, {"batch.max_rows": BATCH})
    stop = threading.Event()
    writers = [Writer(spool, number, stop) for number in range(1, 4)]
    spool.put_rows(row(n, metric="bulk") for n in range(400))
    for writer in writers:
        writer.start()
    kills = 15
    try:
        for _ in range(kills):
            ahead.start()
            target = len(sink.records()) + chance.randrange(1, 3 * BATCH)
            wait_until(lambda: len(sink.records()) >= target, what="more rows arrive")
            ahead.kill()
            spool.json("audit")
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    ahead.drain(check=0)

    got = collections.Counter(record["value"] for record in sink.records())
    acknowledged = {v for writer in writers for v in writer.acknowledged} | set(range(400))
    killed = {v for writer in writers for v in writer.killed}
    status = spool.status()
    duplicates = sum(got.values()) - len(got)
    print(f"{len(acknowledged)} acknowledged, {len(killed)} writers and {kills} "
          f"forwarders killed, {duplicates} duplicates")
    assert [writer.refused for writer in writers] == [[], [], []]
    assert len(killed) >= 5
    assert acknowledged - set(got) == set(), "lost"
    assert set(got) - acknowledged - killed == set(), "from nowhere"
    assert duplicates <= kills * BATCH
    assert status["accepted"] == len(got) == status["delivered"]
    assert (status["pending"], status["dead"]) == (0, 0)
    assert spool.audit()["ok"]


def test_a_killed_bulk_put_is_all_or_nothing(spool, tmp_path):
    lines = "".join(f'{{"namespace":"cvm","metric":"cpu","dimensions":{{"n":"{n}"}},'
                    f'"value":{n}}}\n' for n in range(20_000))
    source = tmp_path / "rows.ndjson"
    source.write_text(lines)
    chance = random.Random(SEED)
    print(f"seed {SEED}")
    outcomes = collections.Counter()
    for _ in range(12):
        before = spool.status()["accepted"]
        process = subprocess.Popen(
            [MONSPOOL, "put", "-f", "ndjson", source], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=environment(MONSPOOL_QUEUE=str(spool.path)))
        try:
            process.wait(chance.uniform(0, 0.2))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        added = spool.status()["accepted"] - before
        outcomes[process.returncode, added] += 1
    assert set(outcomes) <= {(0, 20_000), (-9, 0), (-9, 20_000)}, outcomes
    assert any(code == -9 for code, _ in outcomes)
    leftovers = [path.name for path in spool.path.parent.iterdir()
                 if not path.name.startswith("queue.db")]
    assert spool.audit()["ok"] and leftovers == []
