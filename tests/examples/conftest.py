"""What the tests of the examples share."""

import shlex

import fork_client
import pytest


@pytest.fixture
def forked(workplace, monkeypatch):
    """An empty folder in which the commands of the scripts of data/ are forked processes."""
    monkeypatch.setenv("RSMI", shlex.join([*fork_client.PROGRAM, "processes"]))
    with fork_client.serving("processes"):
        yield
