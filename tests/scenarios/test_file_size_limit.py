"""ulimit -f: no program is killed by it; the write fails, and that is said."""
import json
import resource
import signal
import subprocess

import pytest

from house import MONSPOOL, environment, row

LIMIT = 300 * 1024
COUNT = 20_000


def limited(spool, *args, limit=LIMIT, **how):
    return subprocess.run(
        [str(MONSPOOL), *map(str, args)], capture_output=True, text=True, timeout=60,
        env=environment(MONSPOOL_QUEUE=str(spool.path)),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)), **how)


def lines(count):
    return "".join(json.dumps(row(n)) + "\n" for n in range(count))


def test_a_bulk_put_over_the_limit_is_an_error_and_stores_nothing(spool):
    done = limited(spool, "--json", "put", "-", input=lines(COUNT))
    assert done.returncode == 74, done
    error = json.loads(done.stderr)["error"]
    assert error["name"] in ("io_error", "outcome_unknown")
    assert "limit" in error["why"] or "large" in error["why"]
    assert spool.audit()["ok"]
    assert spool.status()["accepted"] in (0, COUNT if error["name"] == "outcome_unknown" else 0)


def test_puts_go_on_until_the_limit_and_again_without_it(spool):
    stored = 0
    for number in range(2000):
        done = limited(spool, "put", "-n", "cvm", "-m", "cpu", str(number))
        if done.returncode != 0:
            break
        stored += 1
    assert done.returncode == 74 and "ulimit -f" in done.stderr, done
    assert stored > 0
    spool.put("-n", "cvm", "-m", "cpu", "1")
    assert spool.status()["accepted"] in (stored + 1, stored + 2)
    assert spool.audit()["ok"]


def test_no_bytes_at_all_are_allowed(spool):
    done = limited(spool, "put", "-n", "cvm", "-m", "cpu", "1", limit=0)
    assert done.returncode == 74 and done.stderr, done
    spool.put("-n", "cvm", "-m", "cpu", "1")
    assert spool.audit()["ok"]


@pytest.mark.parametrize("ignored", [False, True])
def test_a_job_gets_the_signal_as_it_was(spool, ignored):
    done = subprocess.run(
        [str(MONSPOOL), "run", "-n", "cvm", "-m", "job", "--",
         "grep", "SigIgn", "/proc/self/status"],
        capture_output=True, text=True, timeout=60,
        env=environment(MONSPOOL_QUEUE=str(spool.path)),
        preexec_fn=(lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN)) if ignored else None)
    mask = int(done.stdout.split()[1], 16)
    assert bool(mask >> (signal.SIGXFSZ - 1) & 1) == ignored


def test_the_forwarder_says_it_and_lives(spool, receiver, forwarder):
    spool.put_rows(row(n) for n in range(50))
    ahead = forwarder(receiver().url)
    done = subprocess.run(
        list(map(str, ahead.command("--once"))), capture_output=True, text=True, timeout=60,
        env=environment(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)))
    assert done.returncode > 0, done
    ahead.drain()
    assert spool.status()["pending"] == 0 and spool.audit()["ok"]
