"""Small disks: a tmpfs of so many MiB, and what fills it."""
import contextlib
import errno
import os
import subprocess

import pytest

PROVED = "C7 is proved by full_vfs"


@contextlib.contextmanager
def small_disk(folder, mib):
    """A disk of that size; root, or the root of a user namespace, may mount one."""
    folder.mkdir()
    if os.getuid() != 0 or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=700", "tmpfs", folder],
            capture_output=True, check=False).returncode != 0:
        pytest.skip(f"needs the right to mount a small disk; {PROVED}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def occupy(disk, leave=0):
    """Take the room there is but for so many bytes."""
    with open(disk / "filler", "ab", buffering=0) as filler:
        for size in (1 << 16, 1 << 12):
            try:
                while filler.write(b"x" * size) == size:
                    pass
            except OSError as full:
                assert full.errno == errno.ENOSPC
        filler.truncate(filler.tell() - leave)


def free_bytes(disk):
    fs = os.statvfs(disk)
    return fs.f_bavail * fs.f_frsize
