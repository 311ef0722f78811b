"""config show, init, explain: the settings as they are, and as they may be."""
import json
import re
import subprocess

import pytest

from house import MONSPOOL, ROOT, environment


def run(*args, check=None, **env):
    done = subprocess.run([str(MONSPOOL), *map(str, args)], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60, env=environment(**env))
    if check is not None:
        assert done.returncode == check, (args, done.returncode, done.stderr)
    return done


def lines(*args, **env):
    return [json.loads(line) for line in
            run("--json", *args, check=0, **env).stdout.splitlines()]


@pytest.fixture(name="conf")
def _conf(tmp_path):
    def write(text):
        path = tmp_path / "monspool.conf"
        path.write_text(text)
        return path
    return write


# ---- show ----

def shown(*args, **env):
    return {(line["section"], line["name"], line["key"]):
            (line["value"], line["origin"], line["line"])
            for line in lines("config", "show", *args, **env)}


def test_each_value_tells_where_it_came_from(conf):
    path = conf("[queue]\nmax_size = 1G\nreserve = 16M\n\n[batch]\n\nmax_rows = 7\n")
    values = shown("-C", path, MONSPOOL_QUEUE_RESERVE="12M", MONSPOOL_QUEUE="/spool/q.db")
    assert values["queue", None, "max_size"] == ("1G", str(path), 2)
    assert values["queue", None, "reserve"] == ("12M", "MONSPOOL_QUEUE_RESERVE", None)
    assert values["queue", None, "path"] == ("/spool/q.db", "MONSPOOL_QUEUE", None)
    assert values["batch", None, "max_rows"] == ("7", str(path), 7)
    assert values["batch", None, "linger"] == ("200ms", "default", None)
    values = shown("-C", path, "-Q", "/other.db", MONSPOOL_QUEUE="/spool/q.db")
    assert values["queue", None, "path"] == ("/other.db", "--queue", None)


def test_sections_that_repeat_are_all_shown(conf):
    path = conf('[account]\nsecret_id = AKID\n[account "ops"]\nregion = sh\n'
                '[codes]\n1016 = hold\nhttp_503 = hold\n'
                '[namespace "c*"]\nmax_age = 1h\n')
    values = shown("-C", path)
    assert values["account", None, "secret_id"] == ("AKID", str(path), 2)
    assert values["account", "ops", "region"] == ("sh", str(path), 4)
    assert values["account", "ops", "secret_id"] == ("", "default", None)
    assert values["codes", None, "1016"] == ("hold", str(path), 6)
    assert values["codes", None, "http_503"] == ("hold", str(path), 7)
    assert values["namespace", "c*", "max_age"] == ("1h", str(path), 9)
    assert ("namespace", "c*", "late_after") not in values


def test_what_is_shown_is_a_file_again(conf, tmp_path):
    path = conf('[queue]\nmax_size = 1G\n[account]\nsecret_id = AKID\nregion = gz\n'
                '[account "ops"]\nsecret_id = AKIE\nregion = sh\n'
                '[codes]\n1016 = hold\n[namespace "c*"]\nmax_age = 1h\n')
    again = tmp_path / "again.conf"
    again.write_text(re.sub(r"^\w+ =\n", "", run("-C", path, "config", "show",
                                                 check=0).stdout, flags=re.MULTILINE))
    first = {key: value[0] for key, value in shown("-C", path).items()}
    second = {key: value[0] for key, value in shown("-C", again).items()}
    assert first == second


def test_a_person_sees_file_and_line(conf):
    path = conf("[queue]\nmax_size = 1G\n")
    table = run("-C", path, "config", "show", "--origin", check=0).stdout
    assert re.search(rf"^queue\.max_size +1G +{re.escape(str(path))}:2$", table,
                     re.MULTILINE)
    assert re.search(r"^batch\.max_rows +100 +default$", table, re.MULTILINE)


def test_a_faulty_file_is_78(conf):
    done = run("-C", conf("[queue]\nmax_sise = 1G\n"), "config", "show", check=78)
    assert ":2:" in done.stderr and done.stdout == ""


# ---- init ----

def test_the_sample_is_what_is_shipped():
    assert run("config", "init", check=0).stdout == (ROOT / "conf/monspool.conf").read_text()
    assert run("config", "init", "-", check=0).stdout == run("config", "init").stdout


def test_the_sample_sets_nothing_and_can_be_read(tmp_path):
    path = tmp_path / "new.conf"
    run("config", "init", path, check=0)
    assert path.stat().st_mode & 0o777 == 0o644
    run("config", "check", path, check=0)
    assert {value[1] for value in shown("-C", path).values()} == {"default"}
    assert lines("config", "init", tmp_path / "other.conf") == [
        {"file": str(tmp_path / "other.conf")}]


def test_each_key_of_the_sample_may_be_uncommented(tmp_path):
    """With its default: then nothing changes."""
    sample = (ROOT / "conf/monspool.conf").read_text()
    path = tmp_path / "all.conf"
    path.write_text(re.sub(r"^#(\w+ = \S.*)$", r"\1", sample, flags=re.MULTILINE))
    assert path.read_text() != sample
    lines("config", "check", path)
    plain = {key: value[0] for key, value in shown("-C", "/dev/null").items()}
    values = {key: value[0] for key, value in shown("-C", path).items()
              if key[0] != "codes"}
    assert plain == values


def test_an_existing_file_stays(tmp_path):
    path = tmp_path / "mine.conf"
    path.write_text("mine\n")
    run("config", "init", path, check=73)
    assert path.read_text() == "mine\n"
    run("config", "init", tmp_path / "no" / "where.conf", check=73)


# ---- explain ----

def test_explain_and_the_sample_list_the_same_keys():
    sample = run("config", "init").stdout
    section, keys = None, []
    for line in sample.splitlines():
        if found := re.fullmatch(r'#?\[(\w+)(?: "\w+")?\]', line):
            section = found[1]
        elif found := re.fullmatch(r"#(\w+) =.*", line):
            keys.append((section, found[1]))
    explained = [(line["section"], line["key"]) for line in lines("config", "explain")]
    assert [key for key in keys if key[0] != "codes"] == [
        key for key in explained if key[0] != "codes"]
    assert ("codes", "*") in explained


def test_explain_tells_type_default_and_meaning():
    [line] = lines("config", "explain", "queue.max_size")
    assert line["section"] == "queue" and line["key"] == "max_size"
    assert line["default"] == "2G" and "size" in line["type"]
    assert line["variable"] == "MONSPOOL_QUEUE_MAX_SIZE" and line["meaning"]
    assert line["copied_to_queue"] is True
    assert {line["section"] for line in lines("config", "explain", "late")} == {"late"}
    person = run("config", "explain", "late.policy", check=0).stdout
    assert "send|latest-only|dead-letter" in person


def test_what_is_no_key_is_66_with_the_nearest():
    done = run("config", "explain", "queue.max_sise", check=66)
    assert "queue.max_size" in done.stderr
    run("config", "explain", "nonsense", check=66)
