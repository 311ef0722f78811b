"""monspool-receiver: where it listens, wrong arguments, the rest."""
import contextlib
import http.client
import json
import socket
import subprocess
import time

import pytest

import oracle
from receiver_fixture import (  # noqa: F401
    BINARY, DEADLINE, KEY, await_that, descriptors, run, serve)


# ---- where it listens ----

@pytest.mark.parametrize("address", ["127.0.0.1:0", "127.0.0.1", "127.1.2.3:0"])
def test_listens_on_loopback(serve, address):
    receiver = serve("--listen", address)
    receiver.host = address.split(":")[0]
    assert receiver.post() == 0


@pytest.mark.parametrize("address", ["[::1]:0", "::1", "[::1]"])
def test_listens_on_ipv6_loopback(serve, address):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    assert serve("--listen", address).post() == 0


@pytest.mark.parametrize("address", [
    "0.0.0.0:0", "192.0.2.1:80", "[::]:0", "::", "localhost:0", "", ":0",
    "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1", "[::1",
    "[::1]x", "[::1]0", "::ffff:127.0.0.1"])
def test_other_addresses_are_64(address):
    assert run("--listen", address).returncode == 64


def test_an_address_in_use_is_69(serve):
    receiver = serve()
    done = run("--listen", f"127.0.0.1:{receiver.port}", "--print-port")
    assert done.returncode == 69
    assert done.stdout == b"" and b"hint: " in done.stderr


def test_a_port_can_be_chosen(serve):
    port = serve().port
    serve_again = serve()
    serve_again.stop()
    assert serve("--listen", f"127.0.0.1:{serve_again.port}").port == \
        serve_again.port != port


def test_the_port_file_appears_whole(serve, tmp_path):
    path = tmp_path / "port"
    path.write_text("old")
    receiver = serve("--port-file", str(path))
    assert path.read_text() == f"{receiver.port}\n"
    assert [p.name for p in tmp_path.glob("port*")] == ["port"]


def test_another_path_is_served_when_told(serve):
    receiver = serve("--path", "/x")
    assert receiver.post(target="/x") == 0
    assert receiver.post() == 1001


# ---- wrong arguments ----

WRONG = [
    ["--lisen", "127.0.0.1:0"], ["--list"], ["--listen"], ["word"], ["--", "x"],
    ["--print-port=yes"], ["-x"], ["--skew", "soon"], ["--max-body", "big"],
    ["--max-name", "-1"], ["--rate", "fast"], ["--rate", "5"],
    ["--rows-per-minute", "1.5"], ["--seed", "x"], ["--seed", "-1"],
    ["--secret-id", "A"], ["--secret-key-file", "/dev/null"],
    ["--namespace", ""], ["--namespace", ":m"], ["--namespace", "a,b"],
    ["--namespace", "n:"], ["--namespace", "n:m,,k"], ["--namespace", "n:m:"],
    ["--namespace", "n:m:d:e"], ["--clock-offset", "soon"], ["--clock-offset", "--1s"],
    ["--tls-cert", "/dev/null"], ["--tls-key", "/dev/null"], ["--path", "/a", "--path", "/b"],
    *(["--fault", spec] for spec in (
        "", ",", "boom", "code", "code=", "code=x", "code=-1", "http=99",
        "http=600", "refuse=1", "reset=1", "hang=1", "delay", "delay=x",
        "delay=2s..1s", "slow=100", "slow=0B/s", "slow=B/s", "outage",
        "outage=5m/30s", "outage=0", "truncate=1", "garbage=1",
        "close-before-reply=1", "code=1,p", "code=1,p=2", "code=1,p=x",
        "code=1,every=0", "code=1,after=-1", "code=1,count=0",
        "code=1,min-rows=0", "code=1,accept=no", "code=1,namespace=",
        "code=1,retry-after=1", "refuse,namespace=x", "refuse,accept=yes",
        "outage=1s,metric=x", "refuse,min-rows=1", "code=1,evry=2")),
]


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_wrong_arguments_are_64(arguments):
    done = run(*arguments)
    assert done.returncode == 64
    assert done.stdout == b""
    lines = done.stderr.decode().splitlines()
    assert 2 <= len(lines) <= 3
    assert lines[0].startswith("monspool-receiver: ")
    assert lines[-1].startswith("hint: ")


@pytest.mark.parametrize("word,meant", [
    ("--lisen", "--listen"), ("--print-prot", "--print-port"),
    ("--falt", "--fault"), ("--secretid", "--secret-id")])
def test_the_nearest_option_is_suggested(word, meant):
    assert f"{meant}?" in run(word).stderr.decode()


@pytest.mark.parametrize("spec,meant", [
    ("rest", "reset"), ("dealy=1s", "delay"), ("code=1,evry=2", "every")])
def test_the_nearest_fault_is_suggested(spec, meant):
    assert f"{meant}?" in run("--fault", spec).stderr.decode()


def test_errors_are_json_when_asked_for():
    for arguments in (["--json", "--lisen"], ["--lisen", "--json"],
                      ["-qj", "--lisen"]):
        done = run(*arguments)
        error = json.loads(done.stderr)["error"]
        assert (error["name"], error["exit"]) == ("usage", 64)
        assert "--listen" in error["hint"] and done.returncode == 64


def test_what_came_from_outside_is_escaped():
    for arguments in (["a\x1b[1m"], ["--\x1b"], ["--fault", "\x1b"],
                      ["--namespace", "\x1b:"], ["--listen", "\x1b"],
                      ["--rate", "\x1b"]):
        done = run(*arguments)
        assert done.returncode == 64 and b"\x1b" not in done.stderr


def test_values_follow_as_a_word_or_an_equals_sign(serve):
    receiver = serve("--path=/a=b", "--max-body", "99999")
    assert receiver.post(target="/a=b") == 0


def keyfile(tmp_path, text, mode=0o400):
    path = tmp_path / "some-key"
    path.write_bytes(text)
    path.chmod(mode)
    return ["--secret-id", "A", "--secret-key-file", str(path)]


@pytest.mark.parametrize("text", [b"", b"\n", b"a b\n", b"a\n\n", b"a\nb\n",
                                  b" a\n", b"a\tb"])
def test_a_bad_key_is_78(tmp_path, text):
    assert run(*keyfile(tmp_path, text)).returncode == 78


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o644, 0o620])
def test_a_key_file_for_others_is_77(tmp_path, mode):
    done = run(*keyfile(tmp_path, b"key\n", mode))
    assert done.returncode == 77 and b"hint: chmod" in done.stderr
    assert b"key\n" not in done.stdout


def test_a_missing_key_file_is_66(tmp_path):
    assert run("--secret-id", "A", "--secret-key-file",
               str(tmp_path / "none")).returncode == 66


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_one_line_end_of_the_key_is_stripped(serve, tmp_path, end):
    receiver = serve(*keyfile(tmp_path, KEY.encode() + end))
    now = int(time.time())
    body = oracle.envelope("POST", "A", KEY, now, 5)
    assert receiver.post(json.dumps(body)) == 0


@pytest.mark.parametrize("option", ["--record", "--requests", "--port-file"])
def test_a_file_that_cannot_be_made_is_73(tmp_path, option):
    done = run(option, str(tmp_path / "no/such/folder"))
    assert done.returncode == 73 and b"hint: " in done.stderr


def test_a_record_that_cannot_be_written_ends_it_unanswered():
    with subprocess.Popen([BINARY, "--print-port", "--record", "/dev/full"],
                          stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        port = int(process.stdout.readline())
        client = http.client.HTTPConnection("127.0.0.1", port,
                                            timeout=DEADLINE)
        body = oracle.envelope("POST", "A", KEY, int(time.time()), 5)
        client.request("POST", oracle.PATH, json.dumps(body))
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            client.getresponse()
        assert process.wait(DEADLINE) == 74
        assert b"/dev/full" in process.stderr.read()


# ---- the rest ----

def test_help_names_every_option():
    done = run("--help")
    assert done.returncode == 0 and done.stderr == b""
    text = done.stdout.decode()
    for name in ("listen path print-port port-file secret-id secret-key-file "
                 "sign-host sign-path namespace max-body max-name rate "
                 "rows-per-minute skew fault seed record requests quiet json "
                 "help version").split():
        assert f"--{name}" in text
    assert run("-h").stdout == done.stdout
    assert max(map(len, text.splitlines())) <= 100


def test_version_in_both_forms():
    assert run("--version").stdout.startswith(b"monspool-receiver 0.")
    told = json.loads(run("-V", "--json").stdout)
    assert set(told) == {"monspool", "cjson", "libmicrohttpd", "openssl"}


def test_help_to_a_full_disk_is_74():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BINARY, "--help"], stdout=full,
                              stderr=subprocess.PIPE, check=False)
    assert done.returncode == 74


def test_survives_nonsense(serve):
    receiver = serve()
    before = descriptors(receiver)
    for text in (b"\r\n\r\n", b"x", b"GET", b"\0" * 100, b"GET / HTTP/9.9\r\n",
                 b"POST /v2/index.php HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                 b"POST /v2/index.php HTTP/1.1\r\nContent-Length: 9\r\n\r\nx",
                 b"GET /" + b"x" * 200000 + b" HTTP/1.1\r\n\r\n"):
        with receiver.connect() as client:
            with contextlib.suppress(ConnectionError):
                client.sendall(text)
                assert receiver.post() == 0
    await_that(lambda: descriptors(receiver) == before, "all let go")


def test_a_chunked_body_is_read(serve):
    receiver = serve()
    text = json.dumps(receiver.body()).encode()
    answer = receiver.exchange("POST", oracle.PATH, iter([text[:9], text[9:]]),
                               {"Transfer-Encoding": "chunked"})
    assert receiver.code(answer) == 0
    assert receiver.seen()[0]["bytes"] == len(text)
