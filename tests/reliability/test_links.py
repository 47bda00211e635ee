"""Outputs that are symbolic links: the file and its unfinished work lie where the link leads."""

import os
import stat
from pathlib import Path

import pytest
from conftest import SAMPLE, digest

from rsmi.errors import Failure
from rsmi.store import disk

LINE = [*SAMPLE.split(), "--samples", "60", "--seed", "3"]


@pytest.fixture
def link(workplace) -> Path:
    """A link home/out.h5 to scratch/deep/target.h5, by a path that is relative to its folder."""
    Path("home").mkdir()
    Path("scratch/deep").mkdir(parents=True)
    path = Path("home/out.h5")
    path.symlink_to("../scratch/deep/target.h5")
    return path


def test_a_dangling_link_is_followed(link, here):
    result = here(*LINE, "-o", link)
    assert (result.code, result.out.strip()) == (0, str(link))
    assert link.is_symlink() and Path("scratch/deep/target.h5").stat().st_size > 0
    assert [path.name for path in Path("home").iterdir()] == ["out.h5"]
    assert [path.name for path in Path("scratch/deep").iterdir()] == ["target.h5"]


def test_unfinished_work_lies_at_the_target(link, here, interrupt):
    """It is resumed through the link and also under the target's own name."""
    interrupt([*LINE, "-o", link], 3)
    assert Path("scratch/deep/target.h5.parts").is_dir() and not Path("home/out.h5.parts").exists()
    assert "resuming" in here(*LINE, "-o", "scratch/deep/target.h5").err
    assert "complete already" in here(*LINE, "-o", link).err


def test_the_file_at_the_target_is_extended_and_replaced(link, here):
    assert here(*LINE, "-o", link).code == 0
    assert here(*LINE[:-4], "--samples", "90", "--seed", "3", "-o", link).code == 0
    assert here(*LINE[:-4], "--samples", "90", "--seed", "3", "-o", "straight.h5").code == 0
    assert digest(link) == digest("straight.h5")
    assert here(*LINE[:-1], "4", "-o", link).code == 73
    assert here(*LINE[:-1], "4", "--force", "-o", link).code == 0
    assert link.is_symlink()


def test_links_to_links(link, here):
    chain = Path("outer.h5")
    chain.symlink_to(link)
    assert here(*LINE, "-o", chain).code == 0
    assert chain.is_symlink() and link.is_symlink()
    assert digest("scratch/deep/target.h5") == digest(chain)


@pytest.mark.parametrize("command", [LINE, ["plot", "samples.h5"]])
@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("folder", "is a link to the folder"),
        ("loop.svg", "is a link that leads to itself"),
        ("gone/out.svg", "does not exist: create it first"),
    ],
)
def test_links_that_lead_to_no_file(command, target, sentence, workplace, here, pipeline):
    (workplace / "samples.h5").symlink_to(pipeline / "samples.h5")
    Path("folder").mkdir()
    Path("loop.svg").symlink_to(target)
    result = here(*command, "-o", "loop.svg")
    assert result.code == 1
    assert sentence in result.sentence
    assert Path("loop.svg").is_symlink() and not list(Path("folder").iterdir())


def test_a_link_to_an_input_is_refused(workplace, here, pipeline):
    (workplace / "samples.h5").write_bytes((pipeline / "samples.h5").read_bytes())
    Path("out.h5").symlink_to("samples.h5")
    result = here("coarse-grain", "samples.h5", "--rule", "majority", "-o", "out.h5")
    assert (result.code, "is an input of this command" in result.sentence) == (2, True)


def test_a_link_that_somebody_else_has_laid(workplace, here, monkeypatch):
    """In a folder in which everybody may write, such as /tmp; a link of one's own is followed."""
    Path("open").mkdir()
    Path("open").chmod(0o1777)
    Path("open/out.h5").symlink_to("../target.h5")
    assert here(*LINE, "-o", "open/out.h5").code == 0
    Path("target.h5").unlink()
    stranger, facts = os.geteuid() + 1, os.stat("open")
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: stranger)
        patch.setattr(os, "stat", lambda path: with_owner(facts, stranger))
        with pytest.raises(Failure, match="a link of another user"):
            disk.link_target(Path("open/out.h5"))


def with_owner(facts: os.stat_result, owner: int) -> os.stat_result:
    """The facts of a file of another owner."""
    fields = list(facts)
    fields[stat.ST_UID] = owner
    return os.stat_result(fields)


def test_a_figure_follows_its_link(workplace, here, pipeline):
    Path("scratch").mkdir()
    Path("figure.svg").symlink_to("scratch/drawn.svg")
    assert here("plot", pipeline / "samples.h5", "-o", "figure.svg").code == 0
    assert Path("figure.svg").is_symlink()
    assert Path("scratch/drawn.svg").read_text().startswith("<?xml")
