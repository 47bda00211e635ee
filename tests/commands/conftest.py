"""Files that several tests of commands read."""

import pytest
from example_files import pipeline as made


@pytest.fixture(scope="session")
def examples(tmp_path_factory):
    """Small files of every kind by name, see `example_files.pipeline`. Read only."""
    return made(tmp_path_factory.mktemp("examples"))
