"""Folders that somebody else has prepared: no link in them leads to a file of the victim, no pipe
blocks a command, and what belongs to others stays."""

import os
import shutil
import stat
from pathlib import Path

import pytest
from conftest import SAMPLE, digest

from rsmi.errors import Failure
from rsmi.store import PartsFolder
from rsmi.store import folder as folders
from rsmi.store.folder import Folder, own_folder

LINE = [*SAMPLE.split(), "--samples", "16", "-o", "out.h5"]
PARTS = Path("out.h5.parts")
SECRET = b"a file of the victim"
RECORDS = ("lock", "lock.exclusive", "job.json", "run.json", "call", "final.tmp")


@pytest.fixture
def prepared(workplace) -> Path:
    """The folder of parts before the first run, and a file of the victim elsewhere."""
    Path("victim").write_bytes(SECRET)
    PARTS.mkdir()
    return PARTS


def ends_well(result) -> bool:
    """Done, or refused with one sentence; in no case is the victim's file another one."""
    assert result.code in (0, 1, 65, 73), result
    assert "Traceback" not in result.err and "defect" not in result.err, result
    assert Path("victim").read_bytes() == SECRET and not Path("victim").is_symlink()
    return result.code == 0


@pytest.mark.parametrize(
    ("name", "locking"),
    [(name, "auto") for name in RECORDS]
    + [("lock", "exclusive"), ("lock.exclusive", "exclusive"), ("lock", "none")],
)
def test_links_in_a_prepared_folder(name, locking, prepared, here, monkeypatch):
    """A link that leads to a file of the victim, and one that leads to a file that is not there."""
    monkeypatch.setenv("RSMI_FILE_LOCKING", locking)
    for target in ("../victim", "../not-there"):
        prepared.mkdir(exist_ok=True)
        (prepared / name).symlink_to(target)
        ends_well(here(*LINE))
        assert not Path("not-there").exists()
        shutil.rmtree(prepared, ignore_errors=True)
        Path("out.h5").unlink(missing_ok=True)


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_pipes_and_folders_in_a_prepared_folder(name, make, prepared, here):
    """Before, the opening of a pipe waited for ever."""
    make(prepared / name)
    ends_well(here(*LINE))
    assert "Traceback" not in here("info", "out.h5.parts").err


def test_a_second_name_of_the_victims_file(prepared, here):
    """The file of the lock is emptied before the holder's name is written into it."""
    os.link("victim", prepared / "lock")
    assert not ends_well(here(*LINE))


def test_parts_that_are_links_or_pipes(workplace, interrupt, here):
    interrupt(LINE, 20)
    Path("victim").write_bytes(SECRET)
    part = next(PARTS.glob("thermalization-*.h5"))
    content = part.read_bytes()
    for make in (os.mkfifo, os.mkdir, lambda path: path.symlink_to("../victim")):
        part.unlink()
        make(part)
        result = here(*LINE)
        assert not ends_well(result) and f"{part}: is no file of this program" in result.sentence
        assert here("info", "out.h5").code == 0
        part.rmdir() if part.is_dir() else part.unlink()
        part.write_bytes(content)
    assert ends_well(here(*LINE))


def test_files_of_others_stay(workplace, interrupt, here):
    """Before, every *.npy and *.tmp in the folder was removed."""
    interrupt(LINE, 20)
    others = ["data.npy", "draft.tmp", "array-1.npy", "chain-0000.tmp", "notes.txt", "final.h5"]
    ours = ["final.0123abcd.tmp", "job.json.0123abcd.tmp", f"array-{'0' * 16}.npy", "final.tmp"]
    for name in others + ours:
        (PARTS / name).write_bytes(SECRET)
    (PARTS / "call.0123abcd.tmp").mkdir()
    assert here(*LINE).code == 0
    assert sorted(os.listdir(PARTS)) == sorted([*others, "call.0123abcd.tmp"])
    assert here(*LINE, "--seed", 3, "--force").code == 0
    assert all((PARTS / name).read_bytes() == SECRET for name in others)


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.symlink_to("elsewhere"),
        lambda path: path.write_bytes(SECRET),
        os.mkfifo,
    ],
    ids=["link", "file", "pipe"],
)
def test_what_is_no_folder(make, workplace, here):
    Path("elsewhere").mkdir()
    make(PARTS)
    result = here(*LINE)
    assert result.code == 1 and f"{PARTS}: is no folder" in result.sentence
    assert os.listdir("elsewhere") == []


# ---- owners --------------------------------------------------------------------------------------


@pytest.fixture
def stranger(monkeypatch):
    """From now on this process belongs to another user than the files that it finds."""
    here = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: here + 1)
    monkeypatch.setattr(folders, "_keeps_owners", lambda parent: True)


def test_a_folder_of_another_user(workplace, interrupt, here, request):
    interrupt(LINE, 20)
    request.getfixturevalue("stranger")
    before = sorted(os.listdir(PARTS))
    for words in (LINE, [*LINE, "--force"]):
        result = here(*words)
        assert result.code == 1 and "belongs to another user" in result.sentence
        assert "choose another output" in result.sentence
    assert here("info", "out.h5").code == 0  # reading is allowed
    assert sorted(os.listdir(PARTS)) == before


def test_a_folder_in_which_everybody_may_write(workplace, interrupt, here):
    interrupt(LINE, 20)
    PARTS.chmod(0o777)
    result = here(*LINE)
    assert result.code == 1 and f"chmod o-w {PARTS}" in result.sentence
    PARTS.chmod(0o775)
    result = here(*LINE)
    assert result.code == 0 and "resuming" in result.err


def test_no_mask_opens_a_new_folder(workplace):
    before = os.umask(0)
    try:
        own_folder(Path("folder"), create=True)
    finally:
        os.umask(before)
    assert not Path("folder").stat().st_mode & stat.S_IWOTH


def test_file_systems_without_owners(workplace, here, monkeypatch):
    """A FAT disk, or a share that shows one owner: every folder looks like a stranger's."""
    monkeypatch.setattr(folders, "_is_private", lambda facts: False)
    assert here(*LINE).code == 0
    assert os.listdir(workplace) == ["out.h5"]


# ---- exchanged in the middle ---------------------------------------------------------------------


def test_a_folder_that_is_exchanged_for_a_link(workplace):
    """The owner of the folder above exchanges ours: parts go to the folder that was opened."""
    folder = PartsFolder(Path("out.h5"))
    folder.acquire()
    folder.set_job({"command": "sample", "parameters": {}, "inputs": []})
    os.rename(PARTS, "moved")
    Path("elsewhere").mkdir()
    PARTS.symlink_to("elsewhere")
    part = folder.commit("task", 0, 1, {}, {})
    assert part.state() == {} and folder.parts("task") == [part]
    folder.sweep()
    folder.clear()
    assert os.listdir("elsewhere") == [] and os.listdir("moved") == ["lock"]
    folder.release()
    assert PARTS.is_symlink()


def test_names_are_listed_by_several_threads(tmp_path):
    """A listing moves the position of its descriptor; each one has its own."""
    folder = Folder(tmp_path)
    folder.write("a", b"1")
    assert folder.names() == folder.names() == ["a"]
    assert folder.read("a") == b"1" and folder.read("a", 0) == b""
    with pytest.raises(FileExistsError):
        folder.create("a")


def test_workers_refuse_the_same_folders(workplace, request):
    folder = PartsFolder(Path("out.h5"))
    folder.acquire()
    folder.set_job({"command": "sample", "parameters": {}, "inputs": []})
    call = folder.call()
    assert PartsFolder(Path("out.h5")).join(folder.token, call)
    request.getfixturevalue("stranger")
    with pytest.raises(Failure, match="another user"):
        PartsFolder(Path("out.h5")).join(folder.token, call)


def test_a_figure_follows_no_link_of_others(workplace, here, pipeline, monkeypatch):
    """The temporary name of a figure was its name and the number of the process."""
    Path("victim").write_bytes(SECRET)
    monkeypatch.setattr("secrets.token_hex", lambda count: "00" * count)
    Path(".figure.svg.00000000.tmp").symlink_to("victim")
    assert here("plot", pipeline / "samples.h5", "-o", "figure.svg").code == 1
    assert Path("victim").read_bytes() == SECRET


def test_a_moved_folder_is_resumed(workplace, interrupt, here):
    """Parts name neither their folder nor their owner: work may be moved by its owner."""
    interrupt(LINE, 20)
    shutil.copytree(PARTS, "copy.h5.parts")
    assert here(*LINE).code == here(*LINE[:-1], "copy.h5").code == 0
    assert digest("out.h5") == digest("copy.h5")
