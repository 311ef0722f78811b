"""A marked secret key is sought wherever it must not be (contract.md S4)."""
import glob
import os
import re
import resource
import signal
import subprocess

import pytest

from house import SECRET_ID, environment, need_strace, row, wait_until

CANARY = "cAnArYq7xZ2pLw9KdVb4sTgHn8RfYmJ3"
NEXT = "cAnArYn5tUe6WkPz1XcGv0BhQj4DsLr8"  # after a reload
DEAD = "cvm_prdo"
SHADOW = 1 << 28  # a mapping that large is a sanitizer's


def pieces(key):
    """What is sought: a leak may be cut short."""
    return [key[at:at + 10].encode() for at in (0, 11, 22)]


def leaks(data, key=CANARY):
    data = data if isinstance(data, bytes) else data.encode()
    return [piece for piece in pieces(key) if piece in data]


def files(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*")
            if path.is_file()}


@pytest.fixture
def sink(receiver):
    return receiver(key=CANARY, namespace=["cvm"])


@pytest.fixture
def ahead(spool, sink, forwarder):
    """Rows that will be delivered, and rows that will die; the key is the canary."""
    ahead = forwarder(sink.url, {"dead.max_rows": None})
    ahead.set_key(CANARY)
    spool.put_rows(row(n, namespace=namespace) for n in range(40)
                   for namespace in ("cvm", DEAD))
    return ahead


# ---- a running forwarder ----

def mappings(pid):
    """Its memory: (whether a core has it, the bytes)."""
    start = None
    with open(f"/proc/{pid}/smaps") as smaps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in smaps:
            head = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if head:
                start, end = int(head[1], 16), int(head[2], 16)
            elif re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                start = None
            elif start is not None and line.startswith("VmFlags:"):
                if end - start > SHADOW:
                    continue
                try:
                    memory.seek(start)
                    yield "dd" not in line.split(), memory.read(end - start)
                except OSError:  # of the kernel's
                    pass


def check_process(pid, key, mapped=True):
    """What /proc shows of it.  Who may not look sees nothing at all."""
    with open(f"/proc/{pid}/cmdline", "rb") as cmdline:
        assert leaks(cmdline.read(), key) == []
    with open(f"/proc/{pid}/limits") as limits:
        assert re.search(r"^Max core file size +0 +0 ", limits.read(), re.M)
    try:
        with open(f"/proc/{pid}/environ", "rb") as environ:
            assert leaks(environ.read(), key) == []
        found = [(dumped, leaks(data, key)) for dumped, data in mappings(pid)]
    except PermissionError:
        return  # PR_SET_DUMPABLE
    assert [which for dumped, which in found if dumped and which] == []
    # the search is not blind: what is kept from a core has it
    assert mapped == any(len(which) == 3 for dumped, which in found if not dumped)


@pytest.mark.parametrize("options", [["-v", "-v", "-v"], ["-j", "-v", "-v"], []])
def test_neither_a_process_nor_its_log_shows_it(options, spool, sink, ahead):
    ahead.start(*options)
    wait_until(lambda: spool.status()["delivered"] == 40 and spool.status()["dead"] == 40)
    check_process(ahead.process.pid, CANARY)
    ahead.set_key(NEXT)  # which the receiver does not have
    ahead.reload()
    wait_until(lambda: "reloaded" in ahead.words(), what="the new key is read")
    spool.put_rows([row(99)])
    wait_until(lambda: spool.status()["held"] == 1, what="the new key is refused")
    check_process(ahead.process.pid, CANARY, mapped=False)
    check_process(ahead.process.pid, NEXT)
    ahead.set_key(CANARY + " and more")  # cannot be a key
    ahead.reload()
    wait_until(lambda: "reload_failed" in ahead.words(), what="the file is refused")
    check_process(ahead.process.pid, CANARY, mapped=False)
    ahead.process.send(signal.SIGUSR1)
    assert ahead.stop() == 0
    words = ahead.words()
    assert leaks(words) == leaks(words, NEXT) == []
    assert SECRET_ID not in words
    signatures = [request["signature"] for request in sink.requests()]
    assert len(signatures) > 2
    assert [one for one in signatures if one in words] == []


@pytest.mark.parametrize("source", ["credentials directory", "profile"])
def test_no_copy_is_left_wherever_it_came_from(source, spool, sink, ahead,
                                               tmp_path):
    home = tmp_path / ".tencentcloud"
    home.mkdir(mode=0o700)
    for file, text in [(tmp_path / "secret-key", CANARY), (home / "credentials",
            f"[default]\nsecret_id = {SECRET_ID}\nsecret_key = {CANARY}\n")]:
        file.write_text(text)
        file.chmod(0o600)
    ahead.key.unlink()
    ahead.configure({"account.secret_key_file": None})
    process = ahead.start_process(ahead.command(), tmp_path / "log", env={
        "profile": {"HOME": str(tmp_path)},
        "credentials directory": {"CREDENTIALS_DIRECTORY": str(tmp_path)}}[source])
    wait_until(lambda: spool.status()["delivered"] == 40)
    check_process(process.pid, CANARY)
    assert process.stop() == 0 and leaks(process.words()) == []


def test_nothing_on_the_disk_has_it(spool, sink, ahead, tmp_path):
    ahead.once(check=0)
    ahead.set_key(NEXT)
    spool.put_rows([row(99)])
    ahead.run("--once")
    spool.run("dead", "export", "--all", tmp_path / "exported", check=0)
    spool.run("dead", "purge", "--all", "--export", tmp_path / "purged", "--yes", check=0)
    spool.run("dead", "import", tmp_path / "purged", check=0)
    found = files(spool.path.parent)
    assert {"queue.db", "queue.db-wal"} <= set(found)
    found |= files(sink.folder) | {name: (tmp_path / name).read_bytes()
                                   for name in ("exported", "purged")}
    key = found.pop("key")  # the receiver's own
    assert leaks(key) == pieces(CANARY)
    assert {name for name, data in found.items() if leaks(data) or leaks(data, NEXT)} == set()
    signed = [request["signature"].encode() for request in sink.requests()]
    del found["requests"]  # in which the receiver notes them
    assert {name for name, data in found.items() for one in signed if one in data} == set()


COMMANDS = [["status"], ["list"], ["dead"], ["dead", "list"], ["dead", "show", "2"],
            ["dead", "explain", "2"], ["show", "81"], ["config", "check"],
            ["config", "show", "--origin"], ["config", "explain"], ["audit"]]


@pytest.mark.parametrize("json", [[], ["--json"]])
def test_no_command_shows_it(json, spool, sink, ahead):
    ahead.once(check=0)
    spool.put_rows([row(99)])
    for command in COMMANDS:
        done = spool.run("-C", ahead.config, *json, *command)
        assert done.stdout + done.stderr
        assert leaks(done.stdout + done.stderr) == [], command
    for mode in ["--check-config", "--print"]:
        done = ahead.run(*json, mode)
        assert leaks(done.stdout + done.stderr) == [], mode
    assert "SecretId" in done.stdout and SECRET_ID not in done.stdout


# ---- faults ----

def fault_of_mode(ahead):
    ahead.key.chmod(0o644)


def fault_of_space(ahead):
    ahead.key.write_text(f"{CANARY[:16]} {CANARY[16:]}\n")


def fault_of_length(ahead):
    ahead.key.write_text(CANARY * 200)


def fault_of_pasting(ahead):
    ahead.configure({"account.secret_key": CANARY})


def fault_of_place(ahead):
    """The key in a line of its own."""
    ahead.config.write_text(ahead.config.read_text().replace(
        "[account]\n", f"[account]\n{CANARY}\n"))


@pytest.mark.parametrize("spoil", [fault_of_mode, fault_of_space, fault_of_length,
                                   fault_of_pasting, fault_of_place])
def test_no_complaint_shows_it(spoil, spool, ahead):
    spoil(ahead)
    for args in (["--once"], ["--once", "-j"], ["--check-config"]):
        done = ahead.run(*args)
        assert done.returncode in (77, 78) and done.stderr
        assert leaks(done.stdout + done.stderr) == []
    for args in (["config", "check", ahead.config], ["-C", ahead.config, "status"],
                 ["-j", "config", "check", ahead.config]):
        done = spool.run(*args)
        assert leaks(done.stdout + done.stderr) == []


# ---- the end of a process ----

def run_to_abort(command, folder):
    """With cores of any size allowed, and the folder to write them in."""
    def allow():
        most = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (most, most))
    with open(folder / "words", "wb") as words:
        return subprocess.Popen([str(word) for word in command], cwd=folder, stdout=words,
                                stderr=words, stdin=subprocess.DEVNULL, preexec_fn=allow,
                                env=environment())


def test_an_abort_leaves_no_core(spool, sink, ahead, processes, tmp_path):
    folder = tmp_path / "core"
    folder.mkdir()
    shell = run_to_abort(["sh", "-c", "kill -ABRT $$"], folder)
    if shell.wait() != -signal.SIGABRT or not glob.glob(f"{folder}/core*"):
        pytest.skip("SKIP secret_canary: no core files are written here;"
                    " S4 is proved by test_neither_a_process_nor_its_log_shows_it")
    for core in glob.glob(f"{folder}/core*"):
        os.unlink(core)
    process = run_to_abort(ahead.command("-v"), folder)
    try:
        wait_until(lambda: spool.status()["delivered"] == 40)
        process.send_signal(signal.SIGABRT)
        assert process.wait(30) == -signal.SIGABRT
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    assert glob.glob(f"{folder}/core*") == []
    assert {name for name, data in files(folder).items() if leaks(data)} == set()


def test_nothing_that_leaves_a_process_has_it(spool, sink, ahead, tmp_path):
    """Every byte that is written, sent, or handed to another program."""
    proof = "S4 is proved by test_nothing_on_the_disk_has_it"
    need_strace("secret_canary", proof)
    if os.geteuid() != 0:  # PR_SET_DUMPABLE hides it from strace, too
        pytest.skip(f"SKIP secret_canary: only root sees what it writes; {proof}")
    trace = tmp_path / "trace"
    subprocess.run(
        ["strace", "-f", "-qq", "-s", "1000000", "-o", trace, "-e",
         "trace=write,writev,pwrite64,pwritev,sendto,sendmsg,sendmmsg,execve,connect,openat",
         *map(str, ahead.command("--once", "-v", "-v"))], env=environment(
             ASAN_OPTIONS="detect_leaks=0"), check=True, capture_output=True)
    text = trace.read_bytes()
    assert b'"cvm"' in text.replace(b"\\", b"") and b"Signature" in text  # it sees the requests
    assert leaks(text) == []
    assert spool.status()["delivered"] == 40
