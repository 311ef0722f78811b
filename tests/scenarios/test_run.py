"""monspool run: a job is reported, and never disturbed."""
import json
import os
import pty
import signal
import subprocess
import sys

import pytest

from house import MONSPOOL, environment, wait_until


def run(spool, *command, options=(), **how):
    return spool.run("run", "-n", "cvm", "-m", "job", *options, "--", *command, **how)


def reported(spool):
    return {line["metric"]: line["value"] for line in spool.lines("list")}


@pytest.fixture
def background(spool):
    """background(COMMAND...): under monspool run; ended whatever happens."""
    started = []

    def start(*command, **how):
        started.append(subprocess.Popen(
            [str(MONSPOOL), "run", "-n", "cvm", "-m", "job", "--", *map(str, command)],
            env=environment(MONSPOOL_QUEUE=str(spool.path)), **how))
        return started[-1]
    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def test_exit_code_and_time_are_queued(spool):
    done = run(spool, "sh", "-c", "exit 3", options=["-d", "host=a", "-r", "gz"])
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "")
    lines = spool.lines("list")
    assert [line["metric"] for line in lines] == ["job_exit", "job_seconds"]
    assert {line["region"] for line in lines} == {"gz"}
    assert all(line["dimensions"] == {"host": "a"} for line in lines)
    assert lines[0]["value"] == 3 and 0 <= lines[1]["value"] < 60


def test_streams_and_arguments_are_the_commands_own(spool):
    script = "import sys; print(sys.argv[1:], sys.stdin.read()); print('e', file=sys.stderr)"
    words = ["-n", "--json", "--", "$(id)", "a b", ""]
    done = run(spool, sys.executable, "-c", script, *words, input="what comes in")
    assert done.stdout == f"{words} what comes in\n"
    assert done.stderr == "e\n"
    assert reported(spool)["job_exit"] == 0


@pytest.mark.parametrize("command, code", [
    (["/no/such/thing"], 127), (["surely-no-such-command"], 127), (["/etc"], 126),
    (["sh", "-c", "kill -KILL $$"], 137), (["sh", "-c", "kill -TERM $$"], 143)])
def test_it_exits_as_a_shell_would(spool, command, code):
    assert run(spool, *command).returncode == code
    assert reported(spool)["job_exit"] == code


def test_no_shell_stands_in_for_what_cannot_be_executed(spool, tmp_path):
    script = tmp_path / "script"
    script.write_text("echo a shell ran\n")
    script.chmod(0o755)
    done = run(spool, script)
    assert done.returncode == 126 and done.stdout == ""


@pytest.mark.parametrize("options", [
    ["-Q", "/nowhere/queue.db"], ["-m", "job"], ["-d", "=x"], ["-k", ""]])
def test_a_bad_command_line_runs_nothing(spool, tmp_path, options):
    if options[0] == "-Q":
        args = ["run", "-n", "cvm", "--", "touch", tmp_path / "ran"]
    else:
        args = ["run", "-n", "cvm", "-m", "job", *options, "--", "touch", tmp_path / "ran"]
    assert spool.run(*args).returncode == 64
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("between", [[], ["--"]])
def test_options_of_the_command_are_its_own(spool, between):
    done = spool.run("run", "-n", "cvm", "-m", "job", *between, "echo", "-n", "-j", "-v", "-Q",
                     "/none", "--", "--help")
    assert (done.returncode, done.stdout) == (0, "-j -v -Q /none -- --help")
    assert [line["metric"] for line in spool.lines("list")] == ["job_exit", "job_seconds"]
    done = spool.run("run", "-n", "cvm", "-m", "a b", *between, "true", "-j")
    assert done.stderr.startswith("monspool: run: ")


def test_the_command_is_needed(spool):
    assert spool.run("run", "-n", "cvm", "-m", "job").returncode == 64


@pytest.mark.parametrize("break_it, word", [
    (lambda spool: ["-Q", spool.path.parent / "none"], "no queue"),
    (lambda spool: ["-d", "a=\x1b"], "control"),
    (lambda spool: ["-C", "/no/such/file", "-Q", "/no/queue"], "no queue"),
])
def test_a_queue_that_fails_changes_nothing_for_the_job(spool, break_it, word):
    done = run(spool, "sh", "-c", "echo done; exit 4", options=break_it(spool))
    assert (done.returncode, done.stdout) == (4, "done\n")
    assert word in done.stderr and done.stderr.startswith("monspool: run: ")
    assert spool.status()["accepted"] == 0


def test_both_metrics_are_queued_or_none(spool):
    name = "n" * 57  # with _exit it fits, with _seconds it does not
    done = spool.run("run", "-n", "cvm", "-m", name, "--", "true")
    assert done.returncode == 0 and "at most 64" in done.stderr
    assert spool.status()["accepted"] == 0


def test_a_known_key_queues_nothing_and_runs_all_the_same(spool, tmp_path):
    for expected in (2, 2):
        done = run(spool, "sh", "-c", f"echo x >> {tmp_path}/ran", options=["-k", "today"])
        assert done.returncode == 0 and spool.status()["accepted"] == expected
    assert (tmp_path / "ran").read_text() == "x\nx\n"


@pytest.mark.parametrize("number", [
    signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1])
def test_signals_are_passed_on(spool, tmp_path, background, number):
    ready = tmp_path / "ready"
    script = ("import signal, sys, pathlib\n"
              f"signal.signal({int(number)}, lambda n, f: sys.exit(9))\n"
              f"pathlib.Path({str(ready)!r}).touch()\n"
              "while True: signal.pause()\n")
    process = background(sys.executable, "-c", script)
    wait_until(ready.exists, what="the job runs")
    process.send_signal(number)
    assert process.wait(30) == 9
    assert reported(spool)["job_exit"] == 9


def test_a_signal_that_ends_the_job_is_told(spool, tmp_path, background):
    ready = tmp_path / "ready"
    process = background("sh", "-c", f"touch {ready}; exec sleep 1000")
    wait_until(ready.exists, what="the job runs")
    process.terminate()
    assert process.wait(30) == 143 and reported(spool)["job_exit"] == 143


def test_the_terminals_signals_come_once(spool, tmp_path):
    """Ctrl-C goes to the whole group: nothing is passed on besides."""
    ready, counted = tmp_path / "ready", tmp_path / "counted"
    script = ("import signal, pathlib\n"
              "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGALRM])\n"
              f"pathlib.Path({str(ready)!r}).touch()\n"
              "count = 0\n"
              "signal.setitimer(signal.ITIMER_REAL, 5)\n"
              "while signal.sigwait([signal.SIGINT, signal.SIGALRM]) == signal.SIGINT:\n"
              "    count += 1\n"
              "    signal.setitimer(signal.ITIMER_REAL, 0.3)\n"
              f"pathlib.Path({str(counted)!r}).write_text(str(count))\n")
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(str(MONSPOOL), [str(MONSPOOL), "run", "-n", "cvm", "-m", "job", "--",
                                  sys.executable, "-c", script],
                  environment(MONSPOOL_QUEUE=str(spool.path)))
    try:
        wait_until(ready.exists, what="the job runs")
        os.write(terminal, b"\x03")
        _, status = os.waitpid(pid, 0)
    finally:
        os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    assert counted.read_text() == "1"
    assert reported(spool)["job_exit"] == 0


def dispositions(words):
    [ignored] = [line.split()[1] for line in words.splitlines() if line.startswith("SigIgn")]
    [blocked] = [line.split()[1] for line in words.splitlines() if line.startswith("SigBlk")]
    # 32 and 33 are the C library's own; its threads set them as they need.
    return int(ignored, 16) & ~(3 << 31), int(blocked, 16)


def test_what_is_ignored_or_blocked_stays_so(spool):
    def prepare():
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    command = ["cat", "/proc/self/status"]
    under = [MONSPOOL, "run", "-n", "cvm", "-m", "job", "--", *command]
    env = environment(MONSPOOL_QUEUE=str(spool.path))
    seen = [subprocess.run(words, env=env, preexec_fn=prepare, restore_signals=False,
                           capture_output=True, text=True, timeout=60).stdout
            for words in (command, under)]
    assert dispositions(seen[0]) == dispositions(seen[1])


def test_a_closed_stderr_does_not_change_the_exit_code(spool):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [MONSPOOL, "-Q", "/no/queue", "run", "-n", "cvm", "-m", "job", "--", "sh", "-c",
         "exit 5"], stderr=writer, env=environment(), timeout=60)
    os.close(writer)
    assert done.returncode == 5


def test_its_words_are_json_when_asked(spool):
    done = spool.run("--json", "-Q", "/no/queue", "run", "-n", "cvm", "-m", "job", "--", "true")
    assert done.returncode == 0 and done.stdout == ""
    assert json.loads(done.stderr)["error"]["name"] == "queue_missing"
