"""A file is on the disk before it has its name, and the name is on the disk before the command goes
on.

The tests of commands do not wait for the disk (`without_sync` of `conftest.py`). So this test holds
where a command forces files to it.
"""

import os

import pytest
from conftest import SAMPLE, run_here


@pytest.fixture
def events(monkeypatch):
    """What is synced and renamed, in order: ("sync", file) and ("rename", file, folder), where
    files and folders are known by their inodes."""
    found, replace = [], os.replace

    def sync(descriptor):
        found.append(("sync", os.fstat(descriptor).st_ino))

    def rename(source, target, *, src_dir_fd=None, dst_dir_fd=None):
        file = os.stat(source, dir_fd=src_dir_fd).st_ino
        folder = os.path.dirname(target) or "."
        found.append(("rename", file, os.stat(folder, dir_fd=dst_dir_fd).st_ino))
        replace(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", rename)
    return found


@pytest.mark.parametrize(
    "line", [f"{SAMPLE} --samples 16 --threads 1", f"{SAMPLE} --samples 16 --shard 0/2 --threads 1"]
)
def test_every_name_is_given_to_what_is_on_the_disk(line, workplace, events):
    """Catches a part, a record of the work or a result that is renamed before it is synced, or
    whose folder is not synced afterwards: a power cut could then lose what was reported as done."""
    assert run_here(*line.split(), "-o", "out.h5").code == 0
    renames = [number for number, event in enumerate(events) if event[0] == "rename"]
    assert len(renames) > 8  # the record of the work, parts, and the result
    for number in renames:
        _, file, folder = events[number]
        assert events[number - 1] == ("sync", file)
        assert events[number + 1] == ("sync", folder)
