"""monspool-receiver: every code, and the order of the checks."""
import itertools
import json
import time

import pytest

import oracle
from receiver_fixture import (  # noqa: F401
    KEY, SECRET_ID, await_that, codes, serve)


# ---- codes ----

def test_accepts_a_right_request_in_both_forms(serve):
    receiver = serve(signed=True)
    assert receiver.post() == 0
    assert receiver.get() == 0
    assert [r["signature_ok"] for r in receiver.seen()] == [True, True]


def test_answers_ok_to_the_letter(serve):
    receiver = serve()
    _, _, body = receiver.exchange("POST", oracle.PATH,
                                   json.dumps(receiver.body()))
    assert body == b'{"code":0,"message":"OK"}'


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_1000(serve, method):
    receiver = serve()
    answer = receiver.exchange(method, oracle.PATH,
                               json.dumps(receiver.body()))
    assert receiver.code(answer) == 1000


@pytest.mark.parametrize("path", ["/", "/report.cgi", "/v2/index.phpx",
                                  "/v2/index.ph", "/v2//index.php"])
def test_other_paths_are_1001(serve, path):
    receiver = serve()
    assert receiver.post(target=path) == 1001
    assert receiver.get(path=path) == 1001


def test_a_post_ignores_its_query(serve):
    receiver = serve()
    assert receiver.post(target=oracle.PATH + "?Action=Other&Data=") == 0


def test_a_get_ignores_its_body(serve):
    receiver = serve()
    target = f"{oracle.PATH}?{oracle.query(receiver.body('GET'))}"
    assert receiver.code(receiver.exchange("GET", target, "{}")) == 0


def test_takes_the_absolute_form_a_proxy_gets(serve):
    receiver = serve()
    assert receiver.post(target="http://x:8080" + oracle.PATH) == 0


def test_bodies_beyond_max_body_are_1015(serve):
    receiver = serve("--max-body", "1K")
    body = json.dumps(receiver.body())
    assert receiver.post(body + " " * (1024 - len(body))) == 0
    assert receiver.post(body + " " * (1025 - len(body))) == 1015
    assert receiver.get(Padding="x" * 1024) == 1015


def test_a_body_no_setting_allows_is_1015(serve):
    receiver = serve()
    assert receiver.post(" " * (64 * 1024 * 1024 + 1)) == 1015
    assert receiver.seen()[0]["bytes"] == 64 * 1024 * 1024 + 1


def test_no_content_is_1004(serve):
    receiver = serve()
    assert receiver.post("") == 1004
    assert receiver.code(receiver.exchange("GET", oracle.PATH)) == 1004
    assert receiver.get("") == 1004


@pytest.mark.parametrize("body", [
    b"x", b"{", b"[]", b"1", b"null", b'{"a":1}x', b'{"a":1,"a":2}',
    b'{"a":"\xff"}', b"Action=PutMonitorData"])
def test_what_is_no_json_object_is_1005(serve, body):
    assert serve().post(body) == 1005


def test_data_of_a_query_that_is_no_json_is_1005(serve):
    receiver = serve()
    assert receiver.get(Data="[{") == 1005
    assert receiver.get(Data="") == 1005


NAMES = ["Action", "Nonce", "Region", "SecretId", "Timestamp", "Signature",
         "Namespace", "Data"]


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_parameter_is_1009(serve, name):
    receiver = serve()
    assert receiver.post(**{name: None}) == 1009
    assert receiver.get(**{name: None}) == 1009


def test_names_of_parameters_are_exact(serve):
    receiver = serve()
    assert receiver.post(Nonce=None, nonce=5) == 1009
    assert receiver.get(Nonce=None, nonce=5) == 1009


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [True, {}, 1.5])
def test_a_parameter_of_the_wrong_type_is_1010(serve, name, value):
    assert serve().post(**{name: value}) == 1010


@pytest.mark.parametrize("name", ["Timestamp", "Nonce"])
@pytest.mark.parametrize("value", ["1408704141", "", [1], -1])
def test_time_and_nonce_must_be_whole_numbers(serve, name, value):
    assert serve().post(**{name: value}) == 1010


@pytest.mark.parametrize("text", ["1e9", "1.0", "1" * 19])
def test_time_must_be_written_in_digits(serve, text):
    receiver = serve()
    body = json.dumps(receiver.body(Timestamp=77)).replace("77", text, 1)
    assert receiver.post(body) == 1010


@pytest.mark.parametrize("name", ["Timestamp", "Nonce"])
@pytest.mark.parametrize("value", ["", "x", "1.5", "-1", "+1", " 1"])
def test_time_and_nonce_of_a_query_must_be_digits(serve, name, value):
    assert serve().get(**{name: value}) == 1010


@pytest.mark.parametrize("query", ["%ff", "%00"])
def test_a_query_must_be_text(serve, query):
    receiver = serve()
    rest = oracle.query(receiver.body("GET", Namespace=None))
    assert receiver.get(f"{rest}&Namespace={query}") == 1010
    assert receiver.seen()[0]["namespace"] is None


def test_data_as_text_in_a_body_is_1010(serve):
    receiver = serve()
    assert receiver.post(Data="[]") == 1010
    assert receiver.get(Data="{}") == 1010


def test_another_action_is_1012(serve):
    receiver = serve()
    assert receiver.post(Action="DescribeMetric") == 1012
    assert receiver.get(Action="putmonitordata") == 1012


def test_a_wrong_signature_or_id_is_1011(serve):
    receiver = serve(signed=True)
    assert receiver.post(Signature="A" * 27 + "=") == 1011
    assert receiver.post(Signature="") == 1011
    assert receiver.post(SecretId="OTHER") == 1011
    now = int(time.time())
    right = oracle.sign("POST", "OTHER", KEY, "gz", now, 7)
    assert receiver.post(SecretId="OTHER", Timestamp=now, Nonce=7,
                         Signature=right) == 1011
    assert [r["signature_ok"] for r in receiver.seen()] == [False] * 4
    assert receiver.rows() == []


def test_signs_other_hosts_and_paths_when_told(serve):
    receiver = serve("--sign-host", "h.example", "--sign-path", "/p",
                     signed=True)
    now = int(time.time())
    body = oracle.envelope("POST", SECRET_ID, KEY, now, 5, host="h.example",
                           path="/p")
    assert receiver.post(json.dumps(body)) == 0
    assert receiver.post() == 1011


def test_a_time_beyond_the_skew_is_1021(serve):
    receiver = serve(skew="100s")
    for ahead, code in ((-102, 1021), (-98, 0), (98, 0), (102, 1021)):
        assert receiver.post(ts=int(time.time()) + ahead) == code
    assert receiver.post(Timestamp=10 ** 17) == 1021


def test_the_skew_is_300_seconds_by_default(serve):
    receiver = serve(skew=None)
    assert receiver.post(ts=int(time.time()) - 298) == 0
    assert receiver.post(ts=int(time.time()) - 302) == 1021


@pytest.mark.parametrize("region", ["", "GZ", "gz_1", "gz 1", "g\u00e9"])
def test_a_strange_region_is_1013(serve, region):
    assert serve().post(Region=region) == 1013


def test_an_unknown_namespace_is_1016(serve):
    receiver = serve("--namespace", "cvm", "--namespace", "pc")
    assert receiver.post(namespace="pc") == 0
    assert receiver.post(namespace="cvm") == 0
    assert receiver.post(namespace="cvm_prdo") == 1016
    assert receiver.post(namespace="cv") == 1016


def test_all_namespaces_but_the_empty_are_known_at_first(serve):
    receiver = serve()
    assert receiver.post(namespace="anything") == 0
    assert receiver.post(namespace="") == 1016


def test_no_data_is_1019(serve):
    receiver = serve()
    assert receiver.post(data=[]) == 1019
    assert receiver.get(data=[]) == 1019


@pytest.mark.parametrize("name", ["dimensions", "metricName", "value"])
def test_a_missing_member_of_a_row_is_1009(serve, name):
    bad = oracle.row()
    del bad[name]
    assert serve().post(data=[oracle.row(), bad]) == 1009


@pytest.mark.parametrize("change", [
    {"dimensions": []}, {"dimensions": "x"}, {"dimensions": {"ip": 1}},
    {"dimensions": {"ip": None}}, {"metricName": 1}, {"value": "30"},
    {"value": True}, {"value": None}])
def test_a_member_of_the_wrong_type_is_1010(serve, change):
    assert serve().post(data=[oracle.row(), oracle.row() | change]) == 1010


def test_a_row_that_is_no_object_is_1010(serve):
    receiver = serve()
    for item in (1, "x", [], None):
        assert receiver.post(data=[item]) == 1010


def test_a_name_beyond_max_name_is_1020(serve):
    receiver = serve("--max-name", "8")
    assert receiver.post(data=[oracle.row("m" * 8, 1, k2345678="x" * 99)]) == 0
    assert receiver.post(data=[oracle.row("m" * 9)]) == 1020
    assert receiver.post(data=[oracle.row("m", 1, k23456789="v")]) == 1020


def test_a_metric_or_dimensions_not_registered_are_1017(serve):
    receiver = serve("--namespace", "cvm:diskusage,df:diskname,ip",
                     "--namespace", "cvm:load", "--namespace", "pc")
    good = oracle.row("df", 1, ip="1", diskname="a")
    assert receiver.post(data=[good]) == 0
    assert receiver.post(data=[oracle.row("load", 1, any="x")]) == 0
    assert receiver.post(namespace="pc", data=[oracle.row("any")]) == 0
    for bad in (oracle.row("df", 1, ip="1"),
                oracle.row("df", 1, ip="1", diskname="a", more="x"),
                oracle.row("df", 1, ip="1", disk="a"),
                oracle.row("dfx", 1, ip="1", diskname="a"),
                oracle.row("d", 1, ip="1", diskname="a"),
                oracle.row("")):
        assert receiver.post(data=[good, bad]) == 1017


def test_too_many_requests_are_1006(serve):
    receiver = serve("--rate", "1/m")
    assert codes(receiver, 3) == [0, 1006, 1006]
    assert receiver.post(SecretId="another") == 0


def test_requests_come_through_again_at_the_rate(serve):
    receiver = serve("--rate", "20/s")
    first = codes(receiver, 60)
    assert first[:20] == [0] * 20 and 1006 in first
    await_that(lambda: receiver.post() == 0, "a token")


def test_no_more_than_a_second_s_worth_is_saved_up(serve):
    receiver = serve("--rate", "100/s")
    assert receiver.post() == 0
    later = time.monotonic() + 1.2
    await_that(lambda: time.monotonic() > later, "time passed")
    began = time.monotonic()
    accepted = codes(receiver, 300).count(0)
    assert 100 <= accepted <= 101 + 100 * (time.monotonic() - began)


def test_too_many_rows_a_minute_are_1018(serve):
    receiver = serve("--rows-per-minute", "10")
    rows = [oracle.row()] * 4
    assert codes(receiver, 3, data=rows) == [0, 0, 1018]
    assert receiver.post(data=rows[:2]) == 0
    assert receiver.post() == 1018
    assert receiver.post(SecretId="another", data=rows) == 0


# ---- the order of checks ----

# Each makes a right request fail one check more; in the order of the checks.
FAILURES = [
    (1005, {"body": "x"}), (1009, {"Signature": None}), (1010, {"Nonce": "x"}),
    (1012, {"Action": "x"}), (1011, {"SecretId": "x"}), (1021, {"ts": 1}),
    (1013, {"region": "GZ"}), (1016, {"namespace": "nowhere"}),
    (1019, {"data": []}), (1020, {"data": [oracle.row("m" * 50)]}),
]


@pytest.mark.parametrize("first,second",
                         itertools.combinations(FAILURES, 2))
def test_the_first_check_that_fails_decides(serve, first, second):
    receiver = serve("--namespace", "cvm", "--max-name", "40", signed=True,
                     skew="60s")
    changes = first[1] | {k: v for k, v in second[1].items()
                          if k not in first[1]}
    assert receiver.post(**changes) == first[0]
    assert receiver.rows() == []


def test_method_path_and_size_come_before_the_content(serve):
    receiver = serve("--max-body", "10")
    long = "x" * 11
    assert receiver.code(receiver.exchange("PUT", "/no", long)) == 1000
    assert receiver.code(receiver.exchange("POST", "/no", long)) == 1001
    assert receiver.post(long) == 1015
    assert receiver.code(receiver.exchange("PUT", oracle.PATH)) == 1000
    assert receiver.code(receiver.exchange("GET", "/no")) == 1001


def test_a_bad_time_costs_no_token_and_a_bad_region_does(serve):
    receiver = serve("--rate", "1/m", skew="60s")
    assert receiver.post(ts=1) == 1021
    assert receiver.post(region="GZ") == 1013
    assert receiver.post(region="GZ") == 1006


def test_rows_are_judged_one_by_one(serve):
    receiver = serve("--max-name", "8", "--namespace", "cvm:load")
    long, unknown = oracle.row("m" * 9), oracle.row("x")
    typed = oracle.row("load", "1")
    assert receiver.post(data=[unknown, long, typed]) == 1017
    assert receiver.post(data=[long, typed, unknown]) == 1020
    assert receiver.post(data=[typed, unknown, long]) == 1010
    assert receiver.post(data=[oracle.row("m" * 9, "1")]) == 1010


def test_faults_come_before_all_checks(serve):
    receiver = serve("--fault", "code=1003")
    assert receiver.code(receiver.exchange("PUT", "/no")) == 1003
