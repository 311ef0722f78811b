"""Fixtures: a queue, and factories of receivers and forwarders for it."""
import itertools

import pytest

from house import Forwarder, Process, Receiver, Spool
from liar import Liar


@pytest.fixture
def processes():
    """Processes to be ended, whatever becomes of the test."""
    started = []
    yield started
    for process in reversed(started):
        if process.running():
            process.kill()


@pytest.fixture
def start(processes):
    """start(args, log): a program in the background."""
    def start(args, log, **how):
        process = Process(args, log, **how)
        processes.append(process)
        return process
    return start


@pytest.fixture
def spool(tmp_path):
    folder = tmp_path / "spool"
    folder.mkdir(mode=0o700)
    return Spool(folder)


@pytest.fixture
def receiver(tmp_path, processes):
    """receiver(port=, key=, OPTION=VALUE or [VALUE...]): start one."""
    numbers = itertools.count(1)

    def start(port=0, folder=None, **options):
        how = {"key": options.pop("key")} if "key" in options else {}
        folder = folder or tmp_path / f"receiver-{next(numbers)}"
        process = Receiver(folder, port=port, options=options, **how)
        processes.append(process)
        return process
    return start


@pytest.fixture
def forwarder(tmp_path, spool, start):
    """forwarder(url, {"section.key": value}): configure one."""
    numbers = itertools.count(1)

    def make(url, settings=None):
        folder = tmp_path / f"forwarder-{next(numbers)}"
        return Forwarder(folder, spool, url, settings or {}, start)
    return make


@pytest.fixture
def liar():
    """liar(answer): a server that answers everything with these bytes."""
    started = []

    def start(answer):
        started.append(Liar(answer))
        return started[-1]
    yield start
    for one in started:
        one.close()
