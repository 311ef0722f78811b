"""A running monspool-receiver, and clients of it."""
import contextlib
import http.client
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import time

import pytest

import oracle

REPO = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MONSPOOL_BUILD", REPO / "build/debug"))
BINARY = BUILD / "cli/monspool-receiver"
VECTORS = REPO / "tests/unit/data/signature-vectors.json"

SECRET_ID = "AKIDEXAMPLE"
KEY = "keyEXAMPLEkeyEXAMPLE"
DEADLINE = 20


def await_that(condition, what, deadline=DEADLINE):
    """Ask again and again, never longer than the deadline."""
    end = time.monotonic() + deadline
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < end, f"never came true: {what}"
        select.select([], [], [], 0.005)


def run(*arguments, **keywords):
    """Run it to its end; for command lines that do not serve."""
    return subprocess.run([BINARY, *arguments], capture_output=True,
                          timeout=DEADLINE, check=False, **keywords)


class Receiver:
    """One process, and what it wrote."""

    def __init__(self, tmp, *arguments, signed=False, skew="0"):
        self.record = tmp / "record.ndjson"
        self.requests = tmp / "requests.ndjson"
        self.command = [str(BINARY), "--print-port", "--record",
                        str(self.record), "--requests", str(self.requests)]
        if skew is not None:
            self.command += ["--skew", skew]
        if signed:
            key = tmp / "key"
            key.touch(0o600)
            key.write_text(KEY + "\n")
            self.command += ["--secret-id", SECRET_ID, "--secret-key-file",
                             str(key)]
        arguments = [str(argument) for argument in arguments]
        self.command += arguments
        self.log = open(tmp / "stderr", "wb+")
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE,
                                        stderr=self.log)
        line = self.process.stdout.readline()
        assert line.endswith(b"\n"), self.stderr()
        self.port = int(line)
        self.host = "::1" if any("::1" in a for a in arguments) \
            else "127.0.0.1"
        self.nonce = 1000

    def stderr(self):
        self.log.seek(0)
        return self.log.read().decode()

    def stop(self, number=signal.SIGTERM):
        """End it; return what it had said on stderr."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(DEADLINE)
        self.process.stdout.close()
        text = self.stderr()
        self.log.close()
        return text

    def lines(self, path):
        return [json.loads(line) for line in path.read_text().splitlines()]

    def rows(self):
        return self.lines(self.record)

    def seen(self):
        return self.lines(self.requests)

    # ---- clients ----

    def connect(self):
        return socket.create_connection((self.host, self.port), DEADLINE)

    def exchange(self, method, target, body=None, headers=()):
        """One request on its own connection: status, headers, body."""
        client = http.client.HTTPConnection(self.host, self.port,
                                            timeout=DEADLINE)
        with contextlib.closing(client):
            client.request(method, target, body, dict(headers),
                           encode_chunked="Transfer-Encoding" in headers)
            answer = client.getresponse()
            return answer.status, answer.headers, answer.read()

    def body(self, method="POST", **changes):
        """A right request; a change to None leaves the parameter out."""
        self.nonce += 1
        named = {k: changes.pop(k) for k in ("namespace", "region", "data")
                 if k in changes}
        parameters = oracle.envelope(method, SECRET_ID, KEY,
                                     changes.pop("ts", int(time.time())),
                                     self.nonce, **named)
        parameters.update(changes)
        return {k: v for k, v in parameters.items() if v is not None}

    def post(self, body=None, target=oracle.PATH, **changes):
        """POST; return the code."""
        if body is None:
            body = json.dumps(self.body(**changes))
        return self.code(self.exchange("POST", target, body))

    def get(self, query=None, path=oracle.PATH, **changes):
        if query is None:
            query = oracle.query(self.body("GET", **changes))
        return self.code(self.exchange("GET", f"{path}?{query}"))

    @staticmethod
    def code(answer):
        status, headers, body = answer
        assert status == 200
        assert headers["Content-Type"] == "application/octet-stream"
        assert headers["Date"]
        parsed = json.loads(body)
        assert set(parsed) == {"code", "message"}
        return parsed["code"]

    def raw(self, body=None):
        """A connection on which a whole POST was sent."""
        text = json.dumps(self.body() if body is None else body).encode()
        client = self.connect()
        client.sendall(b"POST /v2/index.php HTTP/1.1\r\nHost: x\r\n"
                       b"Content-Length: %d\r\n\r\n%s" % (len(text), text))
        return client


def codes(receiver, count, **changes):
    """The codes of so many POSTs, one after the other."""
    return [receiver.post(**changes) for _ in range(count)]


def at_end(client):
    """All that comes, and how it ended: 'closed' or 'reset'."""
    got = b""
    while True:
        try:
            piece = client.recv(65536)
        except ConnectionResetError:
            return got, "reset"
        if not piece:
            return got, "closed"
        got += piece


def descriptors(receiver):
    """How many files and sockets it has open."""
    return len(os.listdir(f"/proc/{receiver.process.pid}/fd"))


@pytest.fixture
def serve(tmp_path):
    """Start receivers, each in a folder of its own; all end with the test."""
    started = []

    def start(*arguments, **keywords):
        folder = tmp_path / str(len(started))
        folder.mkdir()
        started.append(Receiver(folder, *arguments, **keywords))
        return started[-1]

    yield start
    for receiver in started:
        if not receiver.log.closed:
            receiver.stop()
    for receiver in started:
        assert receiver.process.returncode == 0, receiver.command
