"""Known answers: what a right PutMonitorData request looks like.

Made from the document of the API alone, with Python's hmac; it shares no code
with the programs under test.
"""
import base64
import hashlib
import hmac
import json
import urllib.parse

HOST = "receiver.monitor.tencentyun.com"
PATH = "/v2/index.php"


def sign(method, secret_id, key, region, ts, nonce, host=HOST, path=PATH,
         action="PutMonitorData"):
    """The base64 signature, as it stands in a JSON body."""
    text = (f"{method}{host}{path}?Action={action}&Nonce={nonce}"
            f"&Region={region}&SecretId={secret_id}&Timestamp={ts}")
    digest = hmac.new(key.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def row(metric="diskusage", value=30, **dimensions):
    """One item of Data."""
    return {"dimensions": dimensions or {"ip": "10.0.0.1"},
            "metricName": metric, "value": value}


def envelope(method, secret_id, key, ts, nonce, region="gz", namespace="cvm",
             data=None, host=HOST, path=PATH):
    """The eight parameters, signed."""
    return {
        "Action": "PutMonitorData", "SecretId": secret_id, "Region": region,
        "Timestamp": ts, "Nonce": nonce,
        "Signature": sign(method, secret_id, key, region, ts, nonce, host,
                          path),
        "Namespace": namespace, "Data": [row()] if data is None else data,
    }


def query(parameters):
    """A request target for a GET; Data as compact JSON text."""
    pairs = []
    for name, value in parameters.items():
        if name == "Data" and not isinstance(value, str):
            value = json.dumps(value, separators=(",", ":"))
        pairs.append(f"{name}={urllib.parse.quote(str(value), safe='-._~')}")
    return "&".join(pairs)
