"""monspool-receiver: several keys, a schema, a script, a clock that is off, https."""
import contextlib
import email.utils
import http.client
import json
import signal
import ssl
import time

import pytest

import oracle
from receiver_fixture import KEY, SECRET_ID, await_that, run, serve  # noqa: F401
from test_tls import Authority


@pytest.fixture
def write(tmp_path):
    def write(name, text, mode=0o600):
        path = tmp_path / name
        path.touch(0o600)
        path.write_bytes(text.encode())
        path.chmod(mode)
        return path
    return write


# ---- --keys ----

def signed(secret_id, key):
    return json.dumps(oracle.envelope("POST", secret_id, key, int(time.time()), 7))


def test_each_key_signs_for_its_id(serve, write):
    keys = write("keys", f"# who may send\n\n{SECRET_ID} {KEY}\nAKIDB\t keyB\r\nAKIDC keyC")
    receiver = serve("--keys", keys)
    assert receiver.post(signed(SECRET_ID, KEY)) == 0
    assert receiver.post(signed("AKIDB", "keyB")) == 0
    assert receiver.post(signed("AKIDC", "keyC")) == 0
    assert receiver.post(signed("AKIDB", "keyC")) == 1011
    assert receiver.post(signed("AKIDX", "keyB")) == 1011
    assert [line["signature_ok"] for line in receiver.seen()] == [
        True, True, True, False, False]


def test_keys_add_to_the_one_of_the_command_line(serve, write):
    receiver = serve("--keys", write("keys", "AKIDB keyB\n"), signed=True)
    assert receiver.post() == 0
    assert receiver.post(signed("AKIDB", "keyB")) == 0


@pytest.mark.parametrize("text,line", [
    ("AKIDB\n", 1), ("AKIDB keyB more\n", 1), ("AKIDA keyA\n AKIDB keyB\n", 2)])
def test_a_bad_line_of_keys_is_78(write, text, line):
    keys = write("keys", text)
    done = run("--keys", keys)
    assert done.returncode == 78
    assert f"{keys}:{line}:".encode() in done.stderr
    assert b"keyB" not in done.stderr


def test_keys_that_others_may_read_are_77(write):
    assert run("--keys", write("keys", "A B\n", 0o640)).returncode == 77
    assert run("--keys", "/nonexistent").returncode == 66
    assert run("--keys", write("empty", "# none\n")).returncode == 78


# ---- --schema ----

SCHEMA = {"cvm": {"diskusage": ["diskname", "ip"], "cpu": None, "plain": []},
          "pc": None, "bare": {}}


def data(metric, **dimensions):
    return [{"metricName": metric, "dimensions": dimensions, "value": 1}]


def test_a_schema_says_what_is_known(serve, write):
    receiver = serve("--schema", write("schema", json.dumps(SCHEMA)))
    known = [("cvm", "diskusage", {"diskname": "a", "ip": "b"}), ("cvm", "cpu", {"x": "y"}),
             ("cvm", "plain", {}), ("pc", "anything", {"k": "v"})]
    for namespace, metric, keys in known:
        assert receiver.post(namespace=namespace, data=data(metric, **keys)) == 0
    for namespace, metric, keys, code in [
            ("cvm", "diskusage", {"ip": "b"}, 1017), ("cvm", "other", {}, 1017),
            ("cvm", "plain", {"k": "v"}, 1017), ("bare", "any", {}, 1017),
            ("lb", "cpu", {}, 1016)]:
        assert receiver.post(namespace=namespace, data=data(metric, **keys)) == code


@pytest.mark.parametrize("text", [
    "", "[]", "{}", '{"cvm":1}', '{"cvm":{"m":1}}', '{"cvm":{"m":[1]}}',
    '{"a,b":null}', '{"cvm":{"m:n":[]}}', '{"cvm":null,"cvm":null}', '{"cvm":nul}'])
def test_a_bad_schema_is_78(write, text):
    done = run("--schema", write("schema", text))
    assert done.returncode == 78, done.stderr
    assert b"schema" in done.stderr


def test_hup_reads_the_schema_anew_and_keeps_it_if_it_is_bad(serve, write):
    schema = write("schema", '{"cvm":null}')
    receiver = serve("--schema", schema, "--namespace", "always")
    assert receiver.post(namespace="pc") == 1016
    schema.write_text('{"pc":null}')
    receiver.process.send_signal(signal.SIGHUP)
    await_that(lambda: receiver.post(namespace="pc") == 0, "pc is known")
    assert receiver.post(namespace="cvm") == 1016
    assert receiver.post(namespace="always") == 0
    schema.write_text('{"pc":')
    receiver.process.send_signal(signal.SIGHUP)
    await_that(lambda: "reload_failed" in receiver.stderr(), "it complains")
    assert receiver.post(namespace="pc") == 0


# ---- --script ----

def test_faults_come_and_go_by_the_clock(serve, write):
    receiver = serve("--fault", "code=1002", "--script", write(
        "script", "# a story\n+0s code=1003,namespace=pc\n\n+1s clear\n+2s code=1014\n"))
    assert receiver.post() == 1002
    await_that(lambda: receiver.post() == 0, "all faults are cleared")
    assert receiver.post(namespace="pc") == 0
    await_that(lambda: receiver.post() == 1014, "the last step")


def test_hup_begins_the_script_again(serve, write):
    script = write("script", "+0s clear\n")
    receiver = serve("--fault", "code=1002", "--script", script)
    await_that(lambda: receiver.post() == 0, "the fault is cleared")
    script.write_text("+600s clear\n")
    receiver.process.send_signal(signal.SIGHUP)
    await_that(lambda: receiver.post() == 1002, "as at the start")
    script.write_text("nonsense\n")
    receiver.process.send_signal(signal.SIGHUP)
    await_that(lambda: "reload_failed" in receiver.stderr(), "it complains")
    assert receiver.post() == 1002
    script.write_text("+0s code=1003\n")
    receiver.process.send_signal(signal.SIGHUP)
    await_that(lambda: "reloaded script=1" in receiver.stderr().splitlines()[-1] or
               receiver.stderr().count("reloaded") >= 2, "it is read")
    assert receiver.post() == 1002  # the first that matches wins


def test_a_request_outlives_the_fault_that_struck_it(serve, write):
    receiver = serve("--script", write("script", "+0s delay=1500ms\n+1s clear\n"))
    await_that(lambda: "script" in receiver.stderr() and
               "delay" in receiver.stderr(), "the fault is on")
    assert receiver.post() == 0
    assert receiver.seen()[0]["fault"] == "delay=1500ms"


@pytest.mark.parametrize("text,line", [
    ("12s code=1\n", 1), ("+x code=1\n", 1), ("+1s\n", 1), ("+1s boom\n", 1),
    ("+2s clear\n+1s clear\n", 2), ("# a\n\n+1s code=x\n", 3)])
def test_a_bad_script_is_78(write, text, line):
    script = write("script", text)
    done = run("--script", script)
    assert done.returncode == 78
    assert f"{script}:{line}:".encode() in done.stderr


# ---- --clock-offset ----

@pytest.mark.parametrize("offset,seconds", [("+1h", 3600), ("-90s", -90), ("10m", 600)])
def test_the_clock_is_off_by_so_much(serve, offset, seconds):
    receiver = serve("--clock-offset", offset, skew="30s")
    body = json.dumps(receiver.body(ts=int(time.time()) + seconds))
    _, headers, _ = receiver.exchange("POST", oracle.PATH, body)
    date = email.utils.parsedate_to_datetime(headers["Date"]).timestamp()
    assert abs(date - time.time() - seconds) < 5
    assert receiver.post(ts=int(time.time()) + seconds) == 0
    assert receiver.post(ts=int(time.time())) == 1021


# ---- --tls-cert, --tls-key ----

@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("tls") / "ca")
    return authority, authority.issue("localhost"), authority.issue("other")


def test_https_is_served(serve, pem):
    authority, both, _ = pem
    receiver = serve("--tls-cert", both, "--tls-key", both)
    context = ssl.create_default_context(cafile=authority.certificate)
    client = http.client.HTTPSConnection("localhost", receiver.port, timeout=20,
                                         context=context)
    with contextlib.closing(client):
        client.request("POST", oracle.PATH, json.dumps(receiver.body()))
        assert json.loads(client.getresponse().read())["code"] == 0
    assert len(receiver.rows()) == 1


@pytest.mark.parametrize("fault", ["reset", "close-before-reply", "truncate", "garbage"])
def test_faults_strike_under_tls_too(serve, pem, fault):
    authority, both, _ = pem
    receiver = serve("--tls-cert", both, "--tls-key", both, "--fault", fault)
    context = ssl.create_default_context(cafile=authority.certificate)
    client = http.client.HTTPSConnection("localhost", receiver.port, timeout=20,
                                         context=context)
    with contextlib.closing(client):
        client.request("POST", oracle.PATH, json.dumps(receiver.body()))
        with pytest.raises((OSError, http.client.HTTPException, ValueError)):
            json.loads(client.getresponse().read())


def test_a_certificate_without_its_key_is_78(pem, tmp_path):
    _, both, other = pem
    key = tmp_path / "other.key"
    text = other.read_text()
    key.write_text(text[text.index("-----BEGIN PRIVATE KEY"):])
    assert run("--tls-cert", both, "--tls-key", key).returncode == 78
    assert run("--tls-cert", "/dev/null", "--tls-key", "/dev/null").returncode == 78
    assert run("--tls-cert", "/nonexistent", "--tls-key", both).returncode == 66
