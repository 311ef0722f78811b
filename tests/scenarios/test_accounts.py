"""Rows of several accounts; when they were measured; how long they may wait."""
import pytest

from house import SECRET_ID, row, wait_until

OTHER_ID = "AKIDDuYW5ilcFO1bakwWTF7og1wCl8ugEY"
OTHER_KEY = "tsfzPHxrffaGNmHZDjNSsBm23Ewdm"


@pytest.fixture
def two(tmp_path, forwarder):
    """two(url, settings): a forwarder with an account "ops" besides the default."""
    def make(url, settings=None):
        key = tmp_path / "ops.key"
        key.write_text(OTHER_KEY + "\n")
        key.chmod(0o600)
        return forwarder(url, {
            'account "ops".secret_id': OTHER_ID, 'account "ops".region': "sh",
            'account "ops".secret_key_file': key, **(settings or {})})
    return make


def test_each_account_signs_its_own_rows(spool, receiver, two):
    both = receiver(key=None)
    one = two(both.url)
    spool.put("-n", "cvm", "-m", "cpu", "1")
    spool.put("-n", "cvm", "-m", "cpu", "-a", "ops", "2")
    spool.put("-f", "ndjson", "-a", "ops", input=(
        '{"namespace":"cvm","metric":"cpu","dimensions":{},"value":3}\n'
        '{"namespace":"cvm","metric":"cpu","dimensions":{},"value":4,"account":"default"}\n'))
    assert one.once().returncode == 0
    seen = {record["value"]: (record["secret_id"], record["region"])
            for record in both.records()}
    assert seen == {1: (SECRET_ID, "gz"), 4: (SECRET_ID, "gz"),
                    2: (OTHER_ID, "sh"), 3: (OTHER_ID, "sh")}
    assert [lane["account"] for lane in spool.status()["lanes"]] == ["default", "ops"]


def test_the_signature_is_that_of_the_accounts_own_key(spool, receiver, two):
    """Only the default account's credentials are known: ops alone is held."""
    strict = receiver()
    one = two(strict.url)
    spool.put_rows([row(1)])
    spool.put("-n", "cvm", "-m", "cpu", "-a", "ops", "2")
    assert one.once().returncode == 75
    held = [lane for lane in spool.status()["lanes"] if lane["state"] == "held"]
    assert [(lane["account"], lane["code"]) for lane in held] == [("ops", 1011)]
    assert [record["value"] for record in strict.records()] == [1]


def test_each_account_has_its_own_pace(spool, receiver, two):
    """The receiver counts by SecretId: what one learns does not slow the other."""
    both = receiver(key=None, fault="code=1006,namespace=slow")
    one = two(both.url)
    spool.put_rows([row(1, namespace="slow"), row(1)])
    spool.put("-n", "cvm", "-m", "cpu", "-a", "ops", "2")
    one.start()
    wait_until(lambda: any(r["secret_id"] == OTHER_ID for r in both.records()))
    assert one.stop() == 0
    assert all(record["namespace"] == "cvm" for record in both.records())


def test_an_account_nobody_knows_holds_its_lane_only(spool, receiver, two):
    both = receiver(key=None)
    one = two(both.url)
    spool.put("-n", "cvm", "-m", "cpu", "-a", "nobody", "1")
    spool.put("-n", "cvm", "-m", "cpu", "2")
    assert one.once().returncode == 75
    [held] = [lane for lane in spool.status()["lanes"] if lane["state"] == "held"]
    assert held["account"] == "nobody" and "nobody" in held["reason"]
    # An operator's release cannot help: the next word is the same.
    spool.lines("hold", "release", "cvm/-/nobody")
    assert one.once().returncode == 75
    [held] = spool.lines("hold", "list")
    assert held["by"] == "forwarder"


def test_when_it_was_measured_is_kept_and_not_sent(spool, receiver, two):
    both = receiver(key=None)
    spool.put("-n", "cvm", "-m", "cpu", "--observed", "2026-01-02T03:04:05Z", "1")
    spool.put("-f", "ndjson", "--observed", "@1700000000", input=(
        '{"namespace":"cvm","metric":"cpu","dimensions":{},"value":3}\n'
        '{"namespace":"cvm","metric":"cpu","dimensions":{},"value":4,'
        '"observed_at":"2026-01-02T03:04:05Z"}\n'))
    assert [line["observed_at"] for line in spool.lines("list")] == [
        "2026-01-02T03:04:05.000Z", "2023-11-14T22:13:20.000Z",
        "2026-01-02T03:04:05.000Z"]
    assert two(both.url).once().returncode == 0
    assert all("2026" not in str(record["dimensions"]) for record in both.records())
    assert spool.run("put", "-n", "cvm", "-m", "cpu", "--observed", "whenever",
                     "1").returncode == 64


def test_a_row_that_may_not_wait_expires(spool, receiver, two):
    both = receiver(key=None)
    spool.put("-n", "cvm", "-m", "cpu", "--max-age", "50ms", "1")
    spool.put("-n", "cvm", "-m", "cpu", "--max-age", "1h", "2")
    [first, second] = spool.lines("list")
    assert first["expires_at"] and second["expires_at"] > first["expires_at"]
    wait_until(lambda: spool.status()["oldest_pending_age_seconds"] >= 1)
    assert two(both.url).once().returncode == 0
    status = spool.status()
    assert (status["expired"], status["delivered"]) == (1, 1)
    assert [record["value"] for record in both.records()] == [2]
    assert spool.run("put", "-n", "cvm", "-m", "cpu", "--max-age", "0",
                     "1").returncode == 65
