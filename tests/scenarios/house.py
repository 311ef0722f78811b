"""What the scenarios do to the real programs: queues, receivers, forwarders.

Nothing here sleeps for a fixed time and hopes; whoever waits says for what,
in wait_until().  Every process started is ended by its pid.
"""
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("MONSPOOL_BUILD", ROOT / "build/debug"))
MONSPOOL = BUILD / "cli/monspool"
MONSPOOLD = BUILD / "cli/monspoold"
RECEIVER = BUILD / "cli/monspool-receiver"

SECRET_ID = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3gnPhESA"
SECRET_KEY = "Gu5t9xGARNpq86cd98joQYCN3Cozk1qA"

# Sanitizers and valgrind make everything slower; a deadline is no measurement.
PATIENCE = float(os.environ.get("MONSPOOL_PATIENCE", "1"))


def environment(**extra):
    """The caller's environment, less what would steer the programs."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(("MONSPOOL_", "TENCENTCLOUD_", "CREDENTIALS_"))
           and not k.lower().endswith("_proxy")}
    env.update(LC_ALL="C.UTF-8", HOME="/nonexistent", TERM="dumb")
    env.pop("XDG_CONFIG_HOME", None)
    env.update(extra)
    return env


def torture():
    """Whether the large counts are asked for, as bench_torture() says."""
    return os.environ.get("MONSPOOL_TORTURE") == "1"


def may_trace():
    """Whether strace may start a program here."""
    return shutil.which("strace") is not None and subprocess.run(
        ["strace", "-qq", "-e", "trace=none", "true"], capture_output=True,
        check=False).returncode == 0


def need_strace(name, proof):
    """Or skip: NAME cannot run, and what it shows is shown by PROOF."""
    if not may_trace():
        pytest.skip(f"SKIP {name}: strace may not trace here; {proof}")


def killed_at(trace, call, when, args, lived=0, **env):
    """Run ARGS, killed as its so many-eth CALL begins.  Whether it was; if it
    lived on, it ended with LIVED."""
    done = subprocess.run(
        ["strace", "-f", "-qq", "-o", trace, "-e", f"trace={call}",
         "-e", f"inject={call}:signal=KILL:when={when}", *map(str, args)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        timeout=120 * PATIENCE, env=environment(ASAN_OPTIONS="detect_leaks=0", **env))
    killed = done.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)
    assert killed or done.returncode == lived, done.stderr
    return killed


def wait_until(condition, timeout=30, what=None):
    """Wait until condition() is true, and return what it returned."""
    deadline = time.monotonic() + timeout * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what or condition}")
        time.sleep(0.01)


def read_lines(path):
    """The whole JSON lines of a file that may still be growing."""
    if not path.exists():
        return []
    text = path.read_text()
    return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]


class Process:
    """A program in the background; its words are in a file."""

    def __init__(self, args, log, env=None):
        self.log = log
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(
                [str(arg) for arg in args], stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, env=environment(**(env or {})))
        self.pid = self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def send(self, number):
        self.popen.send_signal(number)

    def wait(self, timeout=30):
        return self.popen.wait(timeout * PATIENCE)

    def stop(self, number=signal.SIGTERM, timeout=30):
        """End it, and return its exit status."""
        if self.running():
            self.send(number)
        return self.wait(timeout)

    def kill(self):
        self.stop(signal.SIGKILL)

    def words(self):
        return self.log.read_text(errors="replace")


class Spool:
    """A queue, and `monspool` on it."""

    def __init__(self, folder):
        self.path = folder / "queue.db"
        self.run("init", self.path, check=0)

    def run(self, *args, check=None, input=None, timeout=120, env=None):
        done = subprocess.run(
            [str(MONSPOOL), *map(str, args)], text=True, timeout=timeout * PATIENCE,
            input=input, stdin=subprocess.DEVNULL if input is None else None,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=environment(**{"MONSPOOL_QUEUE": str(self.path), **(env or {})}))
        if check is not None:
            assert done.returncode == check, (args, done.returncode, done.stderr)
        return done

    def lines(self, *args, **how):
        how.setdefault("check", 0)
        return [json.loads(line) for line in
                self.run("--json", *args, **how).stdout.splitlines()]

    def json(self, *args, **how):
        [answer] = self.lines(*args, **how)
        return answer

    def put(self, *args, input=None):
        return self.json("put", *args, input=input)

    def put_rows(self, rows):
        return self.put("-f", "ndjson", input="".join(
            json.dumps(row, ensure_ascii=False) + "\n" for row in rows))

    def status(self):
        return self.json("status")

    def audit(self):
        return self.json("audit", "--deep")

    def dead(self):
        return self.lines("dead", "list", "--limit", "0")


def row(number, metric="cpu", namespace="cvm", value=None, **dimensions):
    return {"namespace": namespace, "metric": metric,
            "dimensions": dimensions or {"ip": "10.0.0.1"},
            "value": number if value is None else value}


class Receiver(Process):
    """`monspool-receiver` on a port of its own, or on one it had before."""

    def __init__(self, folder, port=0, key=SECRET_KEY, options=None):
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.record, self.request_log = folder / "record", folder / "requests"
        self.port_file = folder / "port"
        self.port_file.unlink(missing_ok=True)
        args = [RECEIVER, "-q", "--listen", f"127.0.0.1:{port}", "--port-file",
                self.port_file, "--record", self.record,
                "--requests", self.request_log]
        if key is not None:
            (folder / "key").write_text(key + "\n")
            (folder / "key").chmod(0o600)
            args += ["--secret-id", SECRET_ID, "--secret-key-file", folder / "key"]
        for name, value in (options or {}).items():
            for one in value if isinstance(value, list) else [value]:
                args += ["--" + name.replace("_", "-"), one]
        super().__init__(args, folder / "log")
        wait_until(lambda: self.port_file.exists() or not self.running(),
                   what="the receiver listens")
        assert self.running(), self.words()
        self.port = int(self.port_file.read_text())
        self.url = f"http://127.0.0.1:{self.port}/v2/index.php"

    def records(self):
        return read_lines(self.record)

    def requests(self):
        return read_lines(self.request_log)


class Forwarder:
    """A configuration, a key, and `monspoold` run with them."""

    # Fast enough for a test; whoever tests a default sets it back to None.
    SETTINGS = {
        "account.secret_id": SECRET_ID, "account.region": "gz",
        "rate.requests_per_second": "0",
        "retry.base": "20ms", "retry.max": "200ms",
        "retry.hold_probe": "100ms..400ms",
        "queue.reserve": "0",
        "receiver.timeout": "5s",
    }

    def __init__(self, folder, spool, url, settings, start):
        folder.mkdir(exist_ok=True)
        self.folder, self.spool, self.start_process = folder, spool, start
        self.config, self.key = folder / "monspool.conf", folder / "secret.key"
        self.process = None
        self.settings = dict(self.SETTINGS)
        self.settings.update({
            "queue.path": spool.path, "receiver.url": url,
            "account.secret_key_file": self.key})
        self.set_key(SECRET_KEY)
        self.configure(settings)

    def set_key(self, text):
        self.key.write_text(text + "\n")
        self.key.chmod(0o600)

    def configure(self, settings):
        """Change settings ("section.key"; None: the default)."""
        self.settings.update(settings)
        sections = {}
        for name, value in self.settings.items():
            section, key = name.split(".", 1)
            if value is not None:
                sections.setdefault(section, []).append(f"{key} = {value}\n")
        self.config.write_text("".join(
            f"[{section}]\n{''.join(lines)}" for section, lines in sections.items()))

    def command(self, *args):
        return [MONSPOOLD, "-C", self.config, *args]

    def run(self, *args, timeout=120, check=None, env=None):
        """Run to completion."""
        done = subprocess.run(
            [str(arg) for arg in self.command(*args)], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=timeout * PATIENCE,
            env=environment(**(env or {})))
        if check is not None:
            assert done.returncode == check, (args, done.returncode, done.stderr)
        return done

    def once(self, **how):
        return self.run("--once", **how)

    def drain(self, span="30s", **how):
        return self.run(f"--drain={span}", **how)

    def start(self, *args):
        """In the background; return once it has the lock."""
        self.process = self.start_process(self.command(*args), self.folder / "log")
        wait_until(lambda: not self.process.running() or
                   self.spool.status()["forwarder"]["running"],
                   what="the forwarder runs")
        assert self.process.running(), self.words()
        return self

    def stop(self):
        return self.process.stop()

    def kill(self):
        self.process.kill()

    def reload(self):
        self.process.send(signal.SIGHUP)

    def words(self):
        return self.process.words()

    def wait_empty(self, timeout=60):
        wait_until(lambda: self.spool.status()["pending"] == 0, timeout,
                   "nothing pends any more")
