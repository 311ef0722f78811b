"""HTTPS: who cannot be trusted gets no byte of a request (contract.md S5)."""
import http.server
import ssl
import subprocess
import threading

import pytest

from house import row, wait_until

CA_CONFIG = """\
[ca]
default_ca = here
[here]
dir = {folder}
database = $dir/index
serial = $dir/serial
new_certs_dir = $dir
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
"""


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


class Authority:
    """A certificate authority in a folder of its own."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder, self.certificate = folder, folder / "ca.pem"
        self.key, self.config = folder / "ca.key", folder / "ca.conf"
        self.config.write_text(CA_CONFIG.format(folder=folder))
        (folder / "index").touch()
        (folder / "serial").write_text("01\n")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", self.key,
                "-out", self.certificate, "-days", "2", "-subj", "/CN=test authority")

    def issue(self, host, expired=False):
        """A certificate and its key, in one file."""
        key, request, out = (self.folder / f"{host}-{expired}.{end}"
                             for end in ("key", "req", "pem"))
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
                "-out", request, "-subj", f"/CN={host}",
                "-addext", f"subjectAltName=DNS:{host}")
        dates = (["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"]
                 if expired else ["-days", "2"])
        openssl("ca", "-batch", "-notext", "-config", self.config,
                "-cert", self.certificate, "-keyfile", self.key,
                "-in", request, "-out", out, *dates)
        with open(out, "a") as both:
            both.write(key.read_text())
        return out


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls") / "ca")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append(body)
        answer = b'{"code":0}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    """Answers 0 to whoever gets through the handshake."""

    def __init__(self, certificate, newest=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies, self.handshakes = [], 0
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        if newest is not None:
            self.context.set_ciphers("ALL:@SECLEVEL=0")
            self.context.minimum_version = self.context.maximum_version = newest
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def get_request(self):
        connection, peer = super().get_request()
        self.handshakes += 1
        connection.settimeout(10)
        return self.context.wrap_socket(connection, server_side=True), peer

    @property
    def url(self):
        return f"https://localhost:{self.server_port}/v2/index.php"


@pytest.fixture
def server():
    started = []

    def start(*args, **how):
        started.append(Server(*args, **how))
        return started[-1]
    yield start
    for one in started:
        one.shutdown()
        one.server_close()


def test_a_trusted_receiver_is_sent_to(spool, forwarder, authority, server):
    spool.put_rows([row(1)])
    sink = server(authority.issue("localhost"))
    forwarder(sink.url, {"receiver.ca_file": authority.certificate}).once(check=0)
    assert len(sink.bodies) == 1


CASES = {
    "unknown authority": ({}, {}, False),
    "wrong host": ({"host": "elsewhere.example"}, {}, True),
    "expired": ({"expired": True}, {}, True),
    "TLS 1.1": ({}, {"newest": ssl.TLSVersion.TLSv1_1}, True),
}


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_sent_to(case, spool, forwarder, authority, server):
    certificate, how, trusted = CASES[case]
    sink = server(authority.issue(**{"host": "localhost", **certificate}), **how)
    settings = {"receiver.ca_file": authority.certificate} if trusted else {}
    ahead = forwarder(sink.url, settings).start()
    spool.put_rows([row(1)])
    lane = wait_until(
        lambda: (lane := spool.status()["lanes"][0])["state"] != "ready" and lane,
        what="the lane waits or is held")
    assert ahead.stop() == 0
    assert sink.handshakes > 0 and sink.bodies == []
    assert lane["state"] == ("waiting" if case == "TLS 1.1" else "held")
    [left] = spool.lines("list")
    assert left["attempts"] == 0
    assert spool.status()["dead"] == 0


def test_a_missing_ca_file_holds(spool, forwarder, authority, server, tmp_path):
    spool.put_rows([row(1)])
    sink = server(authority.issue("localhost"))
    ahead = forwarder(sink.url, {"receiver.ca_file": tmp_path / "none"})
    done = ahead.once(check=69)
    assert "ca_file" in done.stderr
    assert sink.bodies == [] and spool.status()["held"] == 1


# ---- against the emulator ----

@pytest.fixture
def emulator(receiver):
    """The emulator by https, under a name that its certificate may have."""
    def start(certificate, **options):
        place = receiver(tls_cert=certificate, tls_key=certificate, **options)
        place.url = f"https://localhost:{place.port}/v2/index.php"
        return place
    return start


def test_rows_reach_the_emulator_by_https(spool, forwarder, authority, emulator):
    place = emulator(authority.issue("localhost"))
    spool.put_rows([row(i) for i in range(250)])
    forwarder(place.url, {"receiver.ca_file": authority.certificate}).once(check=0)
    assert len(place.records()) == 250 and len(place.requests()) == 3
    assert all(request["signature_ok"] for request in place.requests())


@pytest.mark.parametrize("case", [case for case in CASES if "TLS" not in case])
def test_the_emulator_sees_nothing_until_it_is_trusted(
        case, spool, receiver, forwarder, authority, emulator):
    certificate, _, trusted = CASES[case]
    place = emulator(authority.issue(**{"host": "localhost", **certificate}))
    settings = {"receiver.ca_file": authority.certificate} if trusted else {}
    ahead = forwarder(place.url, settings).start()
    spool.put_rows([row(1)])
    wait_until(lambda: spool.status()["held"] == 1)
    assert place.requests() == [] and spool.lines("list")[0]["attempts"] == 0
    # The cure, a reload, and the row goes.
    port = place.port
    place.stop()
    cured = emulator(authority.issue("localhost"), port=port)
    ahead.configure({"receiver.ca_file": authority.certificate})
    ahead.reload()
    wait_until(lambda: spool.status()["delivered"] == 1)
    assert len(cured.requests()) == 1
    assert ahead.stop() == 0


def test_a_cut_under_https_is_retried(spool, forwarder, authority, emulator):
    place = emulator(authority.issue("localhost"), fault="reset,count=2")
    spool.put_rows([row(1)])
    forwarder(place.url, {"receiver.ca_file": authority.certificate}).drain(check=0)
    assert [request["code"] for request in place.requests()][-1] == 0
    status = spool.status()
    assert status["delivered"] == 1 and status["ambiguous"] == 2
