"""Every row of protocol.md's tables, as the real receiver's answer: what becomes
of the rows and of their lane, whom else it concerns, what is counted of it, and
that it passes."""
import datetime
import math
import re

import pytest

from house import SECRET_ID, SECRET_KEY, row, wait_until

ROWS, SERIES = 6, 3
OTHER_ID, OTHER_KEY = "AKIDDuYW5ilcFO1bakwWTF7og1wCl8ugEY", "tsfzPHxrffaGNmHZDjNSsBm23Ewdm"

RETRY, HOLD, DIE = "waiting", "held", "dead"
# Who waits, is held or is slowed down with the lane.
ALONE, ACCOUNT, ALL, PACE = "alone", "account", "all", "pace"
NO, MAYBE = False, True  # may the receiver have kept the rows?
# All rows guilty: the most requests that are made of a bisection.
BY_ROW, BY_SERIES = 2 * ROWS - 1, 2 * SERIES - 1

CODES = {
    1000: (HOLD, ALL, NO, 1), 1001: (HOLD, ALL, NO, 1),
    1002: (RETRY, ALONE, NO, None), 1003: (RETRY, ALONE, MAYBE, None),
    1004: (HOLD, ALONE, NO, BY_ROW + 1), 1005: (HOLD, ALONE, NO, BY_ROW),
    1006: (RETRY, PACE, NO, None), 1007: (RETRY, ALONE, NO, None),
    1008: (HOLD, ACCOUNT, NO, 1), 1009: (HOLD, ALONE, NO, BY_ROW),
    1010: (HOLD, ALONE, NO, BY_ROW), 1011: (HOLD, ACCOUNT, NO, 1),
    1012: (HOLD, ALL, NO, 1), 1013: (HOLD, ALONE, NO, BY_ROW),
    1014: (HOLD, ALONE, NO, 3), 1015: (DIE, ALONE, NO, 2 * ROWS),
    1016: (DIE, ALONE, NO, 2), 1017: (DIE, ALONE, NO, BY_SERIES),
    1018: (RETRY, PACE, NO, 1), 1019: (HOLD, ALONE, NO, BY_ROW),
    1020: (DIE, ALONE, NO, BY_SERIES), 1021: (HOLD, ALL, NO, 1),
    4000: (HOLD, ALONE, NO, BY_ROW), 4100: (HOLD, ACCOUNT, NO, 1),
    4200: (HOLD, ALL, NO, 1), 4300: (HOLD, ACCOUNT, NO, 1),
    4400: (RETRY, PACE, NO, None), 4500: (HOLD, ALL, NO, 1),
    4600: (HOLD, ALL, NO, 1), 5000: (HOLD, ALL, NO, 1),
    5100: (RETRY, ALONE, MAYBE, None), 5400: (HOLD, ALL, MAYBE, 1),
    6000: (RETRY, ALONE, MAYBE, None), 6100: (HOLD, ALL, NO, 1),
    6200: (RETRY, ALONE, MAYBE, None),
    # Unknown ones: retried, and held after eight in a row.
    5200: (HOLD, ALL, MAYBE, 8), 5300: (HOLD, ALL, MAYBE, 8),
    5500: (HOLD, ALL, MAYBE, 8), 7777: (HOLD, ALL, MAYBE, 8),
}
STATUSES = {
    **{status: (HOLD, ALL, MAYBE, 8) for status in (201, 204, 206)},
    **{status: (HOLD, ALL, NO, 1) for status in (
        301, 302, 307, 308, 400, 401, 403, 404, 405, 407, 411, 415, 417, 418, 431, 451,
        501, 505, 511)},
    413: (HOLD, ALONE, NO, 4), 414: (HOLD, ALONE, NO, 4),
    429: (RETRY, PACE, NO, None),
    **{status: (RETRY, ALONE, MAYBE, None) for status in (
        408, 425, 500, 502, 503, 504, 507, 599)},
}
TRANSFERS = {
    "reset": (RETRY, ALONE, MAYBE, None), "hang": (RETRY, ALONE, MAYBE, None),
    "close-before-reply": (RETRY, ALONE, MAYBE, None),
    "truncate": (RETRY, ALONE, MAYBE, None), "garbage": (HOLD, ALL, MAYBE, 8),
}
CASES = {**{f"code={code}": case for code, case in CODES.items()},
         **{f"http={status}": case for status, case in STATUSES.items()}, **TRANSFERS}
KEEPS_THEM = ("close-before-reply", "truncate", "garbage")  # the answer is lost on the way


@pytest.fixture
def far(tmp_path, receiver, forwarder):
    """Receivers that know two accounts, and a forwarder that has both."""
    keys, key = tmp_path / "keys", tmp_path / "far.key"
    for path, text in ((keys, f"{SECRET_ID} {SECRET_KEY}\n{OTHER_ID} {OTHER_KEY}\n"),
                       (key, OTHER_KEY + "\n")):
        path.write_text(text)
        path.chmod(0o600)

    class Far:
        @staticmethod
        def receiver(**options):
            return receiver(key=None, keys=keys, **options)

        @staticmethod
        def forwarder(url, settings=None):
            return forwarder(url, {
                "retry.base": "5ms", "retry.max": "20ms", "batch.linger": "0",
                "retry.hold_probe": "2h..2h", "retry.blocked_probe": "5h..5h",
                "receiver.timeout": "200ms", 'account "far".secret_id': OTHER_ID,
                'account "far".region': "sh", 'account "far".secret_key_file': key,
                **(settings or {})})
    return Far()


def lane(spool, namespace):
    [one] = [lane for lane in spool.status()["lanes"] if lane["namespace"] == namespace]
    return one


def has_come(spool, end):
    if end == DIE:
        return spool.status()["dead"] == ROWS
    return lane(spool, "sick")["state"] == end


def check_lane(spool, fault, end):
    """What the lane says of itself: the state, why, and when it is tried again."""
    one = lane(spool, "sick")
    if end == DIE:
        assert (one["state"], one["pending"]) == ("ready", 0)
        return
    kind, _, number = fault.partition("=")
    assert one["pending"] == ROWS
    assert one["code"] == (int(number) if kind == "code" else None)
    assert one["reason"]
    if kind == "http":
        assert f"HTTP {number}" in one["reason"]
    if end == HOLD:
        hours = 5 if number in ("1008", "4300") else 2
        assert hours * 3600 - 60 < one["wake_in_seconds"] <= hours * 3600


def check_others(spool, fault, end, scope):
    """A lane of the same account and one of another, which had nothing to send."""
    spool.put_rows([row(n, namespace="kin") for n in range(2)])
    spool.put("-n", "far", "-m", "cpu", "-a", "far", "1")
    held = {"kin": end == HOLD and scope in (ACCOUNT, ALL),
            "far": end == HOLD and scope == ALL}
    for namespace, is_held in held.items():
        if scope == PACE and namespace == "kin":
            continue
        wait_until(lambda: lane(spool, namespace)["state"] == "held" if is_held else
                   lane(spool, namespace)["pending"] == 0,
                   what=f"{fault}: {namespace} is {'held' if is_held else 'delivered'}")
        if is_held:
            assert lane(spool, namespace)["code"] == lane(spool, "sick")["code"]
    if fault == "code=1018":  # a pause of a minute at least, for the account
        assert lane(spool, "kin")["pending"] == 2


def check_counts(spool, bad, end, stored, most):
    """When the forwarder has stopped: each row knows how often it went."""
    sent = [request for request in bad.requests() if request["namespace"] == "sick"]
    dead = spool.dead()
    assert len(dead) == (ROWS if end == DIE else 0)
    attempts = sum(line["attempts"] for line in
                   spool.lines("list", "--namespace", "sick") + dead)
    assert attempts == sum(request["rows"] for request in sent)
    assert spool.status()["ambiguous"] == (len(sent) if stored == MAYBE else 0)
    assert most is None or 1 <= len(sent) <= most
    if most in (1, 8):
        assert len(sent) == most


def check_death(spool, fault):
    code = int(fault.partition("=")[2])
    for line in spool.dead():
        assert line["code"] == code
        assert line["cause"] == ("oversize" if code == 1015 else "code")
        [shown] = spool.lines("dead", "show", line["id"])
        assert shown["evidence"]["alone"] and shown["message"]
        assert str(code) in spool.run("dead", "show", line["id"], check=0).stdout


@pytest.mark.parametrize("fault", CASES)
def test_all_rows_of_a_lane_are_answered(fault, spool, far):
    end, scope, stored, most = CASES[fault]
    spool.put_rows([row(number, namespace="sick", disk=str(number % SERIES))
                    for number in range(ROWS)])
    bad = far.receiver(fault=f"{fault},namespace=sick")
    ahead = far.forwarder(bad.url).start()
    if fault == "code=1014":  # it is given as long as a held lane, but not of an operator
        wait_until(lambda: lane(spool, "sick")["state"] == RETRY, what="the lane waits")
        assert 7000 < lane(spool, "sick")["wake_in_seconds"] <= 7200
        spool.lines("hold", "probe", "sick")
    wait_until(lambda: has_come(spool, end), what=f"{fault} ends as {end}")
    check_lane(spool, fault, end)
    check_others(spool, fault, end, scope)
    assert ahead.stop() == 0
    check_counts(spool, bad, end, stored, most)
    if end == DIE:
        check_death(spool, fault)
    kept = [record for record in bad.records() if record["namespace"] == "sick"]
    assert bool(kept) == (fault in KEEPS_THEM)

    bad.stop()
    good = far.receiver(port=bad.port)
    ahead.start()
    ahead.reload()  # whatever is held or waits is tried anew
    innocent = 0 if end == DIE else ROWS
    # the minute's pause after 1018 outlives the process, and the reload
    wait_until(lambda: spool.status()["delivered"] == innocent + 3,
               timeout=100 if fault == "code=1018" else 30,
               what="the innocent are delivered")
    assert sum(record["namespace"] == "sick" for record in good.records()) == innocent
    assert spool.audit()["ok"]
    assert ahead.stop() == 0


@pytest.mark.parametrize("url", [
    "http://127.0.0.1:9/v2/index.php", "http://nowhere.invalid:8080/v2/index.php"])
def test_what_never_left_is_no_attempt(url, spool, far):
    spool.put_rows([row(number, namespace="sick") for number in range(ROWS)])
    ahead = far.forwarder(url, {"receiver.connect_timeout": "200ms"}).start()
    wait_until(lambda: lane(spool, "sick")["state"] == RETRY, what="the lane waits")
    assert ahead.stop() == 0
    assert [line["attempts"] for line in spool.lines("list")] == [0] * ROWS
    status = spool.status()
    assert (status["ambiguous"], status["dead"]) == (0, 0)


# ---- the guilty among the good ----

CONTRAST = {f"code={code}": ROWS for code in (1004, 1005, 1009, 1010, 1013, 1019, 4000)}
SHAPE = {"code=1017": SERIES, "code=1020": SERIES}
SIZE = {"code=1015": None, "http=413": None, "http=414": None}


@pytest.mark.parametrize("fault", [*CONTRAST, *SHAPE, *SIZE])
def test_only_the_guilty_rows_die(fault, spool, far):
    """Two of twenty-four, of one series; a refused one is the longest, too."""
    long = {f"d{n}": "x" * 250 for n in range(5)}
    rows = [row(n, namespace="sick", disk=str(n % SERIES)) for n in range(24)]
    for place in (5, 17):
        rows[place] = row(place, metric="bad", namespace="sick", **long)
    first = spool.put_rows(rows)["first_id"]
    bad = far.receiver(fault=f"{fault},metric=bad")
    ahead = far.forwarder(bad.url).start()
    ahead.wait_empty()
    assert ahead.stop() == 0
    dead = spool.dead()
    assert [line["id"] for line in dead] == [first + 5, first + 17]
    assert sorted(record["value"] for record in bad.records()) == [
        n for n in range(24) if n not in (5, 17)]
    sent = bad.requests()
    for line in dead:
        [shown] = spool.lines("dead", "show", line["id"])
        assert shown["evidence"]["alone"]
        told = re.search(r"(?:row (\d+)|rows, (\d+) to (\d+),) accepted",
                         shown["evidence"]["contrast"])
        ids = {int(number) for number in told.groups() if number is not None}
        assert ids and not ids & {first + 5, first + 17}
        assert all(first <= number < first + 24 for number in ids)
        assert line["cause"] == ("oversize" if fault in SIZE else "code")
    # The requests of group testing, and the one retry of 1004.
    units, guilty = (24, 2) if fault in CONTRAST else (SERIES + 1, 1)
    if fault not in SIZE:
        assert len(sent) <= 1 + 2 * guilty * (math.log2(units / guilty) + 2)
    assert lane(spool, "sick")["state"] == "ready"
    assert spool.audit()["ok"]


def test_a_size_that_was_taken_before_is_not_why_a_row_is_refused(spool, far):
    spool.put_rows([row(n, namespace="sick") for n in range(ROWS)])
    bad = far.receiver(fault="code=1015,metric=bad")
    ahead = far.forwarder(bad.url).start()
    ahead.wait_empty()
    spool.put_rows([row(9, metric="bad", namespace="sick")])
    wait_until(lambda: lane(spool, "sick")["state"] == HOLD, what="the lane is held")
    assert spool.status()["dead"] == 0
    assert ahead.stop() == 0


@pytest.mark.parametrize("code", [1014, 1016])
def test_a_one_row_check_follows_its_own_answer(code, spool, far):
    """The batch is refused as of an unknown namespace, its rows alone are taken."""
    spool.put_rows([row(n, namespace="sick") for n in range(ROWS)])
    odd = far.receiver(fault=f"code={code},min-rows=2")
    ahead = far.forwarder(odd.url, {"retry.hold_probe": "10ms..20ms"}).start()
    ahead.wait_empty()
    assert ahead.stop() == 0
    assert [record["value"] for record in odd.records()] == list(range(ROWS))
    assert spool.status()["dead"] == 0
    assert len(odd.requests()) <= 3 * ROWS


@pytest.mark.parametrize("code", [1004, 1014])
def test_some_codes_are_retried_once_before_anybody_is_blamed(code, spool, far):
    spool.put_rows([row(n, namespace="sick") for n in range(ROWS)])
    once = far.receiver(fault=f"code={code},count=1")
    ahead = far.forwarder(once.url, {"retry.hold_probe": "10ms..20ms"}).start()
    ahead.wait_empty()
    assert ahead.stop() == 0
    assert [(request["rows"], request["code"]) for request in once.requests()] == [
        (ROWS, code), (ROWS, 0)]


@pytest.mark.parametrize("offset", ["+1h", "-1h", "+8h"])
def test_a_clock_is_corrected_once_and_what_was_refused_goes_at_once(offset, spool, far):
    spool.put_rows([row(n, namespace="sick") for n in range(ROWS)])
    early = far.receiver(clock_offset=offset)
    ahead = far.forwarder(early.url).start()
    ahead.wait_empty()
    assert ahead.stop() == 0
    assert [request["code"] for request in early.requests()] == [1021, 0]
    assert ahead.words().count(" clock_corrected ") == 1
    first, second = early.requests()
    assert first["nonce"] != second["nonce"]
    assert spool.lines("list") == [] and spool.status()["dead"] == 0


@pytest.mark.parametrize("settings, requests", [({}, 2), ({"receiver.clock_correction": "30m"}, 1)])
def test_a_clock_that_cannot_be_corrected_holds(settings, requests, spool, far):
    """A second 1021 after the correction; a correction above the bound."""
    spool.put_rows([row(n, namespace="sick") for n in range(ROWS)])
    early = far.receiver(clock_offset="+1h", fault="code=1021")
    ahead = far.forwarder(early.url, settings).start()
    wait_until(lambda: lane(spool, "sick")["state"] == HOLD, what="the lane is held")
    assert ahead.stop() == 0
    assert len(early.requests()) == requests


@pytest.mark.parametrize("fault", ["http=429", "http=503", "http=408"])
def test_retry_after_is_honoured(fault, spool, far):
    spool.put_rows([row(n, namespace="sick") for n in range(ROWS)])
    busy = far.receiver(fault=f"{fault},retry-after=2,count=1")
    ahead = far.forwarder(busy.url).start()
    ahead.wait_empty()
    assert ahead.stop() == 0
    first, second = [datetime.datetime.fromisoformat(
        request["received_at"].replace("Z", "+00:00")) for request in busy.requests()]
    assert (second - first).total_seconds() >= 2


# ---- the outcome is unknown ----

@pytest.mark.parametrize("fault", [case for case in CASES if CASES[case][2] == MAYBE])
def test_rows_in_doubt_die_at_once_where_told_to(fault, spool, far):
    """Better lost, and known to be, than perhaps twice: one request, and no other."""
    spool.put_rows([row(n, namespace="sick") for n in range(ROWS)])
    bad = far.receiver(fault=fault)
    ahead = far.forwarder(bad.url, {"receiver.on_ambiguous": "dead-letter"}).start()
    wait_until(lambda: has_come(spool, DIE), what="the rows are dead")
    assert ahead.stop() == 0
    assert [request["rows"] for request in bad.requests()] == [ROWS]
    assert {(line["cause"], line["attempts"]) for line in spool.dead()} == {("ambiguous", 1)}
    assert spool.status()["ambiguous"] == 1
    shown = spool.run("dead", "show", spool.dead()[0]["id"], check=0).stdout
    [evidence] = [line for line in shown.splitlines() if "evidence" in line]
    assert f"{ROWS} rows" in evidence and "\\\\" not in evidence
    assert ("no answer: " in evidence) == (fault in ("reset", "hang", "close-before-reply"))
    [shown] = spool.lines("dead", "explain", spool.dead()[0]["id"])
    assert "unknown" in shown["summary"]


# ---- verdicts of one's own ----

@pytest.mark.parametrize("fault, verdict, end", [
    ("code=1016", "hold", HOLD), ("code=1016", "retry", RETRY),
    ("code=1017", "hold", HOLD), ("code=1011", "retry", RETRY),
    ("code=1003", "hold", HOLD), ("code=1003", "dead-letter", DIE),
    ("code=1014", "dead-letter", DIE), ("code=1010", "dead-letter", DIE),
    ("code=1010", "throttle-requests", RETRY), ("code=1006", "hold", HOLD),
    ("code=7777", "dead-letter", DIE), ("code=5300", "hold", HOLD),
    ("http=503", "hold", HOLD), ("http=404", "retry", RETRY),
    ("http=503", "dead-letter", DIE), ("http=500", "isolate", HOLD),
])
def test_codes_may_be_judged_otherwise(fault, verdict, end, spool, far):
    kind, _, number = fault.partition("=")
    key = f"codes.http_{number}" if kind == "http" else f"codes.{number}"
    spool.put_rows([row(number, namespace="sick", disk=str(number % SERIES))
                    for number in range(ROWS)])
    bad = far.receiver(fault=f"{fault},namespace=sick")
    ahead = far.forwarder(bad.url, {key: verdict}).start()
    wait_until(lambda: has_come(spool, end), what=f"{fault} = {verdict} ends as {end}")
    assert ahead.stop() == 0
    assert spool.status()["dead"] == (ROWS if end == DIE else 0)
    assert spool.audit()["ok"]


@pytest.mark.parametrize("fault", ["code=1016", "code=1017", "code=1020", "code=1015"])
def test_nothing_dies_in_soft_mode(fault, spool, far):
    spool.put_rows([row(number, namespace="sick", disk=str(number % SERIES))
                    for number in range(ROWS)])
    bad = far.receiver(fault=f"{fault},namespace=sick")
    ahead = far.forwarder(bad.url, {"dead.soft": "yes"}).start()
    wait_until(lambda: has_come(spool, HOLD), what="the lane is held")
    assert lane(spool, "sick")["code"] == int(fault.partition("=")[2])
    assert ahead.stop() == 0
    assert spool.status()["dead"] == 0


# ---- what is learned ----

def test_the_pace_that_a_receiver_allows_is_found(spool, receiver, forwarder):
    spool.put_rows([row(number) for number in range(2000)])
    sink = receiver(rate="10/s")
    forwarder(sink.url, {"batch.max_rows": "20"}).drain("60s", check=0)
    requests = sink.requests()
    throttled = sum(request["code"] == 1006 for request in requests)
    assert len(sink.records()) == 2000
    assert throttled <= 40
    assert spool.status()["dead"] == 0


def test_an_unknown_limit_of_size_is_learned(spool, receiver, forwarder):
    spool.put_rows([row(number) for number in range(1000)])
    sink = receiver(max_body="2000")
    forwarder(sink.url).drain(check=0)
    refused = sum(request["code"] == 1015 for request in sink.requests())
    assert len(sink.records()) == 1000
    assert refused <= 12
    assert spool.status()["dead"] == 0
