"""What was put is what arrives: every bit of a value, every character of a text."""
import collections
import csv
import ctypes
import io
import json
import math
import os
import random
import re
import struct
import unicodedata

import pytest

from house import BUILD

SEED = int(os.environ.get("MONSPOOL_SEED", "0")) or random.SystemRandom().randrange(2**31)
COUNT = 10_000


def random_double(chance):
    """Any finite one: all patterns of 64 bits are alike."""
    while True:
        [value] = struct.unpack("<d", struct.pack("<Q", chance.getrandbits(64)))
        if math.isfinite(value):
            return value


def doubles():
    chance = random.Random(SEED)
    edges = [0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 2.225073858507201e-308,
             1.7976931348623157e308, -1.7976931348623157e308, 0.1, 1e21, 1e22, 1e23,
             9007199254740993.0, 0.30000000000000004, 123456789012345680.0, 1e-7, 9.5e-8]
    return edges + [random_double(chance) for _ in range(COUNT - len(edges))]


def may_be_sent(char):
    return unicodedata.category(char) not in ("Cc", "Cs") and \
        unicodedata.bidirectional(char) not in (
            "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def texts():
    """Some characters of each plane, and those that formats trip over."""
    chance = random.Random(SEED + 1)
    found = ['a"b', "a\\b", "a,b", "a=b", "a/b~c", "{}", " a  b ", "é", "e\u0301", "#", "'",
             "</script>", "%00", "\\u0041", "\\n", "+1", "null", "\U0010fffd"]
    for plane in range(17):
        chars = [char for char in map(chr, range(plane << 16, (plane + 1) << 16))
                 if may_be_sent(char) and char.isprintable()] or \
            [chr((plane << 16) + at) for at in (0, 1, 0x100, 0xfffd)]
        for length in [15] * 4 + [40] * 4:
            found.append("".join(chance.choice(chars) for _ in range(length)))
    return found


def longest():
    return {"namespace": "n" * 32, "metric": "M" * 64, "region": "r" * 32,
            "dimensions": {"\u5b57" * 21 + f"{i}": "\U0001f600" * 64 for i in range(5)},
            "value": 1.5}


def all_rows():
    rows = [{"namespace": "cvm", "metric": f"m{n % 50}", "dimensions": {"ip": "10.0.0.1"},
             "value": value} for n, value in enumerate(doubles())]
    rows += [{"namespace": "cvm", "metric": "text", "dimensions": {"text": text}, "value": n}
             for n, text in enumerate(texts())]
    rows += [{"namespace": "cvm", "metric": "name", "dimensions": {text: "x"}, "value": n}
             for n, text in enumerate(texts())
             # CSV takes blanks around a column's name away
             if len(text.encode()) <= 64 and text.strip() == text]
    return rows + [longest()]


def through_ndjson(spool, rows):
    spool.put("-f", "ndjson", input="".join(
        json.dumps(row, ensure_ascii=len(row["metric"]) % 2 == 0) + "\n" for row in rows))


def through_csv(spool, rows):
    """Rows of one set of dimensions are a file."""
    files = collections.defaultdict(list)
    for row in rows:
        files[tuple(row["dimensions"])].append(row)
    for names, some in files.items():
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(["namespace", "region", "metric", "value", *names])
        for row in some:
            writer.writerow([row["namespace"], row.get("region", ""), row["metric"],
                             repr(row["value"]), *row["dimensions"].values()])
        spool.put("-f", "csv", input=out.getvalue())


class Dim(ctypes.Structure):
    _fields_ = [("key", ctypes.c_char_p), ("value", ctypes.c_char_p)]


class Metric(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("ns", ctypes.c_char_p),
                ("metric", ctypes.c_char_p), ("dims", ctypes.POINTER(Dim)),
                ("ndims", ctypes.c_size_t), ("value", ctypes.c_double),
                ("region", ctypes.c_char_p), ("account", ctypes.c_char_p),
                ("key", ctypes.c_char_p), ("observed", ctypes.c_int64),
                ("max_age", ctypes.c_uint32)]


class Options(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("path", ctypes.c_char_p),
                ("busy_timeout_ms", ctypes.c_uint), ("flags", ctypes.c_uint)]


def as_metric(row):
    dims = (Dim * len(row["dimensions"]))(
        *[Dim(key.encode(), value.encode()) for key, value in row["dimensions"].items()])
    return Metric(ctypes.sizeof(Metric), row["namespace"].encode(), row["metric"].encode(),
                  dims, len(dims), row["value"],
                  row["region"].encode() if "region" in row else None)


def through_the_library(spool, rows):
    path = BUILD / "libmonspool.so.0"
    if not path.exists():
        pytest.skip("libmonspool is not built")
    if re.search(rb"lib[at]san\.so", path.read_bytes()):
        pytest.skip("a sanitizer's library ends a Python that did not begin with it")
    library = ctypes.CDLL(str(path))
    queue = ctypes.c_void_p()
    options = Options(ctypes.sizeof(Options), str(spool.path).encode(), 5000, 0)
    assert library.msp_open(ctypes.byref(options), ctypes.byref(queue), None) == 0
    metrics = (Metric * len(rows))(*map(as_metric, rows))
    assert library.msp_put_batch(queue, metrics, ctypes.c_size_t(len(rows)), 0, None, None) == 0
    library.msp_close(queue)


def identity(row, namespace, metric, region):
    """A row, as something that is equal to itself bit for bit alone."""
    return (row[namespace], row[metric], row[region],
            tuple(sorted(row["dimensions"].items())), struct.pack("<d", row["value"]))


@pytest.mark.parametrize("way", [through_ndjson, through_csv, through_the_library])
def test_what_was_put_arrives(spool, receiver, forwarder, way):
    print(f"seed {SEED}")
    sink = receiver()
    ahead = forwarder(sink.url, {"batch.linger": "0"})
    rows = all_rows()
    way(spool, rows)
    assert spool.status()["pending"] == len(rows)
    ahead.once(check=0)
    arrived = [json.loads(line, parse_int=float)
               for line in sink.record.read_text().splitlines()]
    wanted = collections.Counter(
        identity({"region": "gz", **row}, "namespace", "metric", "region") for row in rows)
    got = collections.Counter(
        identity(row, "namespace", "metricName", "region") for row in arrived)
    assert got == wanted, (list((got - wanted).items())[:3], list((wanted - got).items())[:3])
