"""Long work says how far it is when SIGUSR1 asks, and is not ended by it."""
import json
import re
import signal
import subprocess
import threading

import pytest

from house import MONSPOOL, environment, row, wait_until

ROWS = 30_000


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "dead.ndjson"
    path.write_text("".join(json.dumps({**row(n), "code": 1016}) + "\n" for n in range(ROWS)))
    return path


@pytest.fixture
def many(spool, source):
    spool.json("dead", "import", source)
    return spool


def ask(spool, *args):
    """Run it, asking all the time once it has begun; what it said on stderr."""
    child = subprocess.Popen([str(MONSPOOL), *map(str, args)], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                             env=environment(MONSPOOL_QUEUE=str(spool.path)))
    words = []
    reader = threading.Thread(target=lambda: words.extend(child.stderr))
    reader.start()
    status = f"/proc/{child.pid}/status"

    def hears():
        """It handles or ignores the signal, which would end it before."""
        try:
            masks = dict(re.findall(r"Sig(Cgt|Ign):\s*(\w+)", open(status).read()))
        except FileNotFoundError:
            return True
        bit = 1 << (signal.SIGUSR1 - 1)
        return child.poll() is not None or any(int(mask, 16) & bit for mask in masks.values())
    wait_until(hears, what="it hears the signal")

    def is_over():
        child.send_signal(signal.SIGUSR1)
        return child.poll() is not None
    wait_until(is_over, what="it is over")
    reader.join()
    assert child.returncode == 0, words
    return "".join(words)


@pytest.mark.parametrize("what, args", [
    ("edited", ["dead", "edit", "--all", "--set", "namespace=other", "--yes"]),
    ("purged", ["dead", "purge", "--all", "--no-backup", "--yes"]),
    ("recorded", ["dead", "replay", "--all", "--yes"]),
    ("replayed", ["dead", "replay", "--all", "--no-canary", "--yes"]),
])
def test_a_bulk_change_answers_sigusr1_and_goes_on(what, args, many):
    words = ask(many, *args)
    assert re.search(rf"^monspool: {args[0]} {args[1]}: [0-9,]+ of 30,000 rows {what}$",
                     words, re.MULTILINE), words
    assert many.audit()["ok"]


def test_exports_and_imports_answer_sigusr1_and_go_on(many, source, tmp_path):
    assert re.search(r"read [0-9,]+ rows$", ask(many, "dead", "export", tmp_path / "all"),
                     re.MULTILINE)
    assert " of 30,000 rows stored\n" in ask(many, "dead", "import", source)
    words = ask(many, "dead", "purge", "--all", "--export", tmp_path / "purged", "--yes")
    assert " of 60,000 rows exported\n" in words
    assert len((tmp_path / "purged").read_text().splitlines()) == 2 * ROWS
