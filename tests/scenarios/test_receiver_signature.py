"""monspool-receiver: signatures known from elsewhere."""
import json

import pytest

import oracle
from receiver_fixture import VECTORS, serve  # noqa: F401


FILE = json.loads(VECTORS.read_text())
VECTOR = {v["name"].split()[0]: v for v in FILE["vectors"]}


def keyed(serve, vector, tmp_path):
    key = tmp_path / "vector-key"
    key.touch(0o600)
    key.write_text(vector["secret_key"].rstrip("\n") + "\n")
    return serve("--secret-id", vector["secret_id"], "--secret-key-file",
                 str(key))


def send(receiver, vector, signature):
    """A request of the vector's; a query carries the signature encoded."""
    body = {"Action": "PutMonitorData", "SecretId": vector["secret_id"],
            "Region": vector["region"], "Timestamp": int(vector["timestamp"]),
            "Nonce": int(vector["nonce"]), "Signature": signature,
            "Namespace": "cvm", "Data": [oracle.row()]}
    if vector["method"] == "GET":
        return receiver.get(oracle.query(body))
    return receiver.post(json.dumps(body))


def test_the_oracle_knows_the_vectors():
    assert len(VECTOR) == 6
    for v in VECTOR.values():
        assert v["signature"] == oracle.sign(
            v["method"], v["secret_id"], v["secret_key"], v["region"],
            v["timestamp"], v["nonce"], v["host"], v["path"])


@pytest.mark.parametrize("name", sorted(VECTOR))
def test_accepts_the_known_answers(serve, tmp_path, name):
    vector = VECTOR[name]
    receiver = keyed(serve, vector, tmp_path)
    assert send(receiver, vector, vector["signature"]) == 0


@pytest.mark.parametrize("case", FILE["negative"],
                         ids=lambda c: c["name"].split()[0])
def test_refuses_the_known_mistakes(serve, tmp_path, case):
    receiver = keyed(serve, case, tmp_path)
    assert send(receiver, case, case["wrong_signature"]) == 1011
    assert receiver.seen()[0]["signature_ok"] is False
    assert receiver.rows() == []


def test_there_are_eighteen_known_mistakes():
    assert len(FILE["negative"]) == 18


@pytest.mark.parametrize("wire", FILE["wire"], ids=lambda w: w["method"])
def test_accepts_the_wire_samples(serve, tmp_path, wire):
    receiver = keyed(serve, VECTOR[wire["vector"]], tmp_path)
    answer = receiver.exchange(wire["method"], wire["target"],
                               wire.get("body"))
    assert receiver.code(answer) == 0
    assert receiver.seen()[0]["bytes"] == wire["bytes"]


def test_a_plus_in_a_query_is_a_space_and_percent_2b_a_plus(serve, tmp_path):
    vector = VECTOR["V6"]
    receiver = keyed(serve, vector, tmp_path)
    assert "+" in vector["signature"]
    rest = oracle.query({
        "Action": "PutMonitorData", "SecretId": vector["secret_id"],
        "Region": vector["region"], "Timestamp": vector["timestamp"],
        "Nonce": vector["nonce"], "Namespace": "cvm", "Data": [oracle.row()]})
    for sign, code in ((vector["signature"], 1011),
                       (vector["signature"].replace("+", "%2b"), 0),
                       (vector["signature_urlencoded"], 0),
                       (vector["signature"].replace("+", "%20"), 1011)):
        assert receiver.get(f"{rest}&Signature={sign}") == code
    assert " " in receiver.seen()[0]["signature"]


def test_a_query_may_be_encoded_through_and_through(serve):
    receiver = serve(signed=True)
    query = "&".join(
        "=".join("".join(f"%{b:02x}" for b in part.encode()) for part in pair)
        for pair in ((k, v if isinstance(v, str) else json.dumps(v))
                     for k, v in receiver.body("GET").items()))
    assert receiver.get(query) == 0
    assert receiver.rows()[0]["dimensions"] == {"ip": "10.0.0.1"}


def test_a_get_of_a_hundred_rows_fits(serve):
    receiver = serve()
    rows = [oracle.row("diskusage", 30, diskname="disk1",
                       ip="172.31.58.160")] * 100
    assert receiver.get(data=rows) == 0
    assert receiver.seen()[0]["bytes"] > 15000
    assert len(receiver.rows()) == 100
