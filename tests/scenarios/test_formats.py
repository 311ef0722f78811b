"""put -f csv, influx, prom: what becomes of each line, and what is refused."""
import json
import subprocess

import pytest

from house import MONSPOOL, PATIENCE, environment, wait_until


def error(done):
    [line] = [line for line in done.stderr.splitlines() if '"error"' in line]
    return json.loads(line)["error"]


def put(spool, form, text, *more):
    return spool.put("-f", form, *more, input=text)


def refused(spool, form, text, *more):
    done = spool.run("--json", "put", "-f", form, *more, input=text)
    assert done.returncode == 65, done.stderr
    assert spool.status()["accepted"] == 0
    return error(done)


def rows(spool):
    return [(line["metric"], line["dimensions"], line["value"])
            for line in spool.lines("list")]


# ---- csv ----

def test_csv_columns_it_does_not_know_are_dimensions(spool):
    put(spool, "csv",
        "namespace,metric,value,region,account,key,observed_at,ip,disk\r\n"
        'cvm,usage,30,gz,other,k1,2026-11-24T10:00:00Z,10.0.0.1,"a, ""b"""\r\n'
        "pc,free,1e3,,,,,,\r\n")
    one, two = spool.lines("list")
    assert (one["namespace"], one["metric"], one["region"], one["account"]) == (
        "cvm", "usage", "gz", "other")
    assert one["observed_at"] == "2026-11-24T10:00:00.000Z"
    assert one["dimensions"] == {"ip": "10.0.0.1", "disk": 'a, "b"'}
    assert (two["namespace"], two["metric"], two["value"]) == ("pc", "free", 1000)
    assert (two["region"], two["account"], two["dimensions"]) == ("", "default", {})
    assert two["observed_at"] is None


def test_csv_keeps_blanks_in_cells_and_drops_them_around_names_and_numbers(spool):
    put(spool, "csv", "\ufeffnamespace, metric ,value, ip\ncvm,a, 5 , x y \n")
    assert rows(spool) == [("a", {"ip": " x y "}, 5)]


def test_csv_without_a_header_is_given_one(spool):
    put(spool, "csv", "cpu,1,a\n", "-n", "cvm", "--csv-columns", "metric,value,ip")
    assert rows(spool) == [("cpu", {"ip": "a"}, 1)]


@pytest.mark.parametrize("number, value", [
    ("+5", 5), (".5", 0.5), ("5.", 5), ("-007.50", -7.5), ("1E3", 1000), ("0", 0)])
def test_csv_numbers_may_be_written_loosely(spool, number, value):
    put(spool, "csv", f"metric,value\nm,{number}\n", "-n", "cvm")
    assert rows(spool) == [("m", {}, value)]


@pytest.mark.parametrize("text, name, line, column", [
    ("metric,value\nm,\n", "missing_member", 2, 3),
    ("metric,value\nm,NaN\n", "bad_value", 2, 3),
    ("metric,value\nm,1e999\n", "bad_value", 2, 3),
    ('metric,ip,value\n\nm,"a,b",0x10\n', "bad_value", 3, 9),
    ("metric,value\nm,1,2\n", "bad_row", 2, 1),
    ("metric,value\nm\n", "bad_row", 2, 1),
    ('metric,value\nm"x,1\n', "bad_row", 2, 2),
    ('metric,value\n"m,1\n', "bad_row", 2, 1),
    ('metric,value\n"m\nn",1\n', "bad_name", 2, 1),
    ("metric,value\n,1\n", "missing_member", 2, 1),
    ("metric,value,metric\nm,1,m\n", "duplicate_member", 1, 14),
    ("metric,value,\nm,1,x\n", "bad_row", 1, 14),
    ("metric,ip\nm,x\n", "missing_member", 1, 1),
    ("value\n1\n", "missing_member", 1, 1),
    ("metric,value,observed_at\nm,1,noon\n", "bad_value", 2, 5),
    ("metric,value\nm\0,1\n", "bad_value", 2, 2),
    ("metric,value,ip\nm,1,a\rb\n", "bad_value", 2, 5),
])
def test_bad_csv_is_refused_with_its_place(spool, text, name, line, column):
    found = refused(spool, "csv", text, "-n", "cvm")
    assert (found["name"], found["line"], found["column"]) == (name, line, column)
    assert found["hint"] and found["file"] == "-"


def test_a_csv_header_without_namespace_needs_one(spool):
    assert refused(spool, "csv", "metric,value\nm,1\n")["field"] == "namespace"


def test_each_csv_file_has_a_header_of_its_own(spool, tmp_path):
    (tmp_path / "a.csv").write_text("metric,value\na,1\n")
    (tmp_path / "b.csv").write_text("value,ip,metric\n2,x,b\n")
    spool.put("-f", "csv", "-n", "cvm", tmp_path / "a.csv", tmp_path / "b.csv")
    assert rows(spool) == [("a", {}, 1), ("b", {"ip": "x"}, 2)]


# ---- influx ----

def test_influx_has_a_row_for_each_number_and_boolean(spool):
    put(spool, "influx", "# comment\n"
        "cpu,host=a,zone=b usage=1.5,n=-5i,u=7u,up=t,down=FALSE 1700000000123456789\n"
        "mem v=2\n", "-n", "cvm")
    tags = {"host": "a", "zone": "b"}
    assert rows(spool) == [
        ("cpu_usage", tags, 1.5), ("cpu_n", tags, -5), ("cpu_u", tags, 7),
        ("cpu_up", tags, 1), ("cpu_down", tags, 0), ("mem_v", {}, 2)]
    times = [line["observed_at"] for line in spool.lines("list")]
    assert times == ["2023-11-14T22:13:20.123Z"] * 5 + [None]


def test_influx_escapes(spool):
    put(spool, "influx", r"my\ cpu\,x,h\=o\,st=a\ b\,\=c,p=C:\new f\ 1=1" + "\n",
        "-n", "cvm", "--lenient")
    assert rows(spool) == [
        ("my cpu,x_f 1", {"h=o,st": "a b,=c", "p": "C:\\new"}, 1)]


def test_influx_names_go_by_the_map(spool):
    put(spool, "influx", "cpu value=1\n", "-n", "cvm", "--map", "metric={measurement}")
    put(spool, "influx", "cpu value=1\n", "-n", "cvm", "--map", "metric=x_{field}_{field}")
    assert [row[0] for row in rows(spool)] == ["cpu", "x_value_value"]


@pytest.mark.parametrize("text, name, column", [
    ('m t="a b"\n', "bad_value", 5), ("m f=1,t=\"x\"\n", "bad_value", 9),
    ("m\n", "bad_row", 2), ("m,a f=1\n", "bad_row", 3), ("m,a= f=1\n", "bad_row", 3),
    ("m,a=b=c f=1\n", "bad_row", 3), ("m f\n", "bad_row", 3), ("m f=\n", "bad_value", 5),
    ("m f=5x\n", "bad_value", 5), ("m f=-5u\n", "bad_value", 5),
    ("m f=1.5i\n", "bad_value", 5), ("m f=NaN\n", "bad_value", 5),
    ("m f=1 soon\n", "bad_row", 7), ("m f=1 1 2\n", "bad_row", 7),
    ("m f=1 -5\n", "bad_row", 7), ("m f=1 9223372036854775808\n", "bad_row", 7),
    (",a=b f=1\n", "bad_row", 1), ("m,a=1,a=2 f=1\n", "duplicate_member", 7),
    ("m\0 f=1\n", "bad_value", 2),
    ("m,a=\x1b f=1\n", "bad_value", 3),
])
def test_bad_influx_is_refused_with_its_place(spool, text, name, column):
    found = refused(spool, "influx", "ok v=1\n" + text, "-n", "cvm")
    assert (found["name"], found["line"], found["column"]) == (name, 2, column)
    assert found["hint"]


def test_times_that_look_like_seconds_are_noted_once(spool):
    done = spool.run("put", "-f", "influx", "-n", "cvm", check=0,
                     input="m f=1 1700000000\nm f=2 1700000001\n")
    assert done.stderr.count("nanoseconds") == 1


# ---- prom ----

def test_prom_labels_are_dimensions(spool):
    put(spool, "prom", "# HELP requests_total The total.\n"
        "# TYPE requests_total counter\n"
        'requests_total{method="post",code="200",} 1027 1395066363000\n'
        'latency_bucket{le="+Inf"} 144320\n'
        "latency_sum 53423\n\n"
        '  odd { a = "x\\\\y\\"z" , none = "" } 1e-3\n'
        "# EOF\n", "-n", "cvm")
    assert rows(spool) == [
        ("requests_total", {"method": "post", "code": "200"}, 1027),
        ("latency_bucket", {"le": "+Inf"}, 144320),
        ("latency_sum", {}, 53423),
        ("odd", {"a": 'x\\y"z'}, 0.001)]
    times = [line["observed_at"] for line in spool.lines("list")]
    assert times == ["2014-03-17T14:26:03.000Z", None, None, None]


@pytest.mark.parametrize("text, name, column", [
    ("m NaN\n", "bad_value", 3), ("m +Inf\n", "bad_value", 3), ("m -Inf\n", "bad_value", 3),
    ("m\n", "bad_row", 2), ('m{a="b"}\n', "bad_row", 9), ("1m 1\n", "bad_row", 1),
    ("m{a=b} 1\n", "bad_row", 5), ('m{a="b} 1\n', "bad_row", 3),
    ('m{a="b" c="d"} 1\n', "bad_row", 9), ('m{="b"} 1\n', "bad_row", 3),
    ('m{a="b"\n', "bad_row", 8), ("m 1 1.5\n", "bad_row", 5), ("m 1 2 3\n", "bad_row", 5),
    ('m{a="x\\ny"} 1\n', "bad_value", 3), ("m\0 1\n", "bad_value", 2),
    ('m{a="1",a="2"} 1\n', "duplicate_member", 9),
])
def test_bad_prom_is_refused_with_its_place(spool, text, name, column):
    found = refused(spool, "prom", "ok 1\n" + text, "-n", "cvm")
    assert (found["name"], found["line"], found["column"]) == (name, 2, column)
    assert found["hint"]


# ---- all of them ----

TEXTS = {
    "csv": "metric,value\ncpu,1\n",
    "influx": "cpu value=1\n",
    "prom": "cpu 1\n",
}


@pytest.mark.parametrize("form", TEXTS)
def test_rows_get_what_they_lack(spool, form):
    put(spool, form, TEXTS[form], "-n", "cvm", "-r", "gz", "-a", "x", "-D", "host=h",
        "--observed", "@1", "--max-age", "1h")
    [line] = spool.lines("list")
    assert (line["namespace"], line["region"], line["account"]) == ("cvm", "gz", "x")
    assert line["dimensions"] == {"host": "h"}
    assert line["observed_at"] == "1970-01-01T00:00:01.000Z" and line["expires_at"]


@pytest.mark.parametrize("form", TEXTS)
def test_a_format_is_never_guessed(spool, form):
    done = spool.run("--json", "put", "-n", "cvm", input=TEXTS[form])
    assert done.returncode == 65 and f"{form}" in error(done)["hint"]


@pytest.mark.parametrize("form", TEXTS)
def test_empty_input_queues_nothing(spool, form):
    assert put(spool, form, "", "-n", "cvm")["queued"] == 0


@pytest.mark.parametrize("form", [*TEXTS, "ndjson", "auto", "api"])
def test_a_byte_order_mark_is_no_part_of_the_text(spool, tmp_path, form):
    text = TEXTS.get(form, json.dumps(
        {"namespace": "cvm", "metric": "m", "dimensions": {}, "value": 1}))
    if form == "api":
        text = '[{"dimensions":{},"metricName":"m","value":1}]'
    file = tmp_path / "text"
    file.write_text(text, encoding="utf-8-sig")
    assert spool.put("-f", form, "-n", "cvm", file)["queued"] == 1
    file.write_text("\n\ufeff" + text)
    assert spool.run("put", "-f", form, "-n", "cvm", file).returncode == 65


def test_a_closed_input_is_said_to_be_so(spool):
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" --json put - <&-', str(MONSPOOL)], text=True,
        env=environment(MONSPOOL_QUEUE=str(spool.path)), capture_output=True, timeout=60)
    assert done.returncode == 74 and "closed" in error(done)["hint"]


@pytest.mark.parametrize("form, text", [
    ("csv", "metric,value\nm,-1e400\n"), ("influx", "m v=1e400\n"), ("prom", "m 007e308\n")])
def test_a_number_too_large_is_told_from_none(spool, form, text):
    fault = refused(spool, form, text, "-n", "cvm")
    assert "beyond the range" in fault["message"]


@pytest.mark.parametrize("header, word", [
    ("metric;value;ip", "commas"), ("metric\tvalue", "commas"), ("Metric,value", "lower case")])
def test_what_other_csv_looks_like_is_explained(spool, header, word):
    fault = refused(spool, "csv", header + "\nm;1;a\n", "-n", "cvm")
    assert fault["name"] == "missing_member" and word in fault["hint"]


@pytest.mark.parametrize("form", TEXTS)
def test_check_writes_nothing(spool, form):
    answer = put(spool, form, TEXTS[form], "-n", "cvm", "--check")
    assert (answer["valid"], answer["queued"]) == (1, 0)
    assert spool.status()["accepted"] == 0


@pytest.mark.parametrize("args", [
    ["-f", "ndjson", "--csv-columns", "a"], ["-f", "csv", "--map", "metric={field}"],
    ["-f", "influx", "--map", "metric={tag}"], ["-f", "influx", "--map", "name={field}"],
    ["-f", "influx", "--map", "metric="], ["-f", "csv", "--csv-columns", "metric,ip"],
    ["-f", "csv", "--csv-columns", 'metric,value,"x'], ["-f", "csv", "--csv-columns", ""],
])
def test_a_bad_option_of_a_format_is_64(spool, args):
    done = spool.run("--json", "put", "-n", "cvm", *args, "-", input="a,1\n")
    assert (done.returncode, error(done)["name"]) == (64, "usage")
    assert spool.status()["accepted"] == 0


def peak_kib(pid):
    """Of this program alone: what rusage tells begins with its parent's."""
    [line] = [line for line in open(f"/proc/{pid}/status") if line.startswith("VmHWM")]
    return int(line.split()[1])


MANY = 60_000
LINES = {
    "csv": lambda n: f"cpu{n},{n},{'v' * 100}\n",
    "influx": lambda n: f"cpu{n},host={'v' * 100} a={n}\n",
    "prom": lambda n: f'cpu{n}{{host="{"v" * 100}"}} {n}\n',
}


@pytest.mark.skipif(PATIENCE > 1, reason="sanitizers have memory of their own")
@pytest.mark.parametrize("form", LINES)
def test_memory_stays_flat(spool, tmp_path, form):
    """A stream of many series; its end is withheld until the peak is known."""
    path = tmp_path / "rows"
    with open(path, "w") as file:
        file.write("metric,value,host\n" if form == "csv" else "")
        file.writelines(LINES[form](n) for n in range(MANY))
    assert path.stat().st_size > 6 << 20
    process = subprocess.Popen(
        [MONSPOOL, "-q", "put", "-n", "cvm", "-f", form, "-l", "--max-errors", "0", path, "-"],
        stdin=subprocess.PIPE, env=environment(MONSPOOL_QUEUE=str(spool.path)))
    try:
        wait_until(lambda: spool.status()["accepted"] == MANY, what="all lines are queued")
        assert PATIENCE > 1 or peak_kib(process.pid) < 32 * 1024
    finally:
        process.stdin.close()
        assert process.wait(60) == 0
