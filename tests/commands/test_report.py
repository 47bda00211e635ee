"""rsmi report: one page for a study, the same bytes for the same files, safe against its names."""

import html.parser
import json
import re
import shutil
import sys

import pytest
from conftest import PIPELINE, run_here

from rsmi.pages.grid import grid_of
from rsmi.reports.blocks import blocks_of
from rsmi.statistics.notation import fields, table

# One file of every kind but theta and spectrum, whose figures are slow to draw and no other here.
STUDY = ("samples.h5", "lambda.h5", "flow.h5", "exponent.h5", "shard-0.h5", "imported.h5")
HOSTILE = "<script>alert('&lt;')</script> \"'--> $(touch x).h5"
VOID = {"meta", "br", "path", "use"}


class Page(html.parser.HTMLParser):
    """A page in which every element is closed by its own end: its identifiers, links and texts."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.ids += [value for name, value in attrs if name == "id"]
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.texts)


@pytest.fixture(scope="module")
def made(pipeline, tmp_path_factory):
    """The page of some files of the pipeline."""
    output = tmp_path_factory.mktemp("page") / "report.html"
    result = run_here("report", *(pipeline / name for name in STUDY), "-o", output)
    assert (result.code, result.out) == (0, f"{output}\n"), result.err
    return output


@pytest.fixture(scope="module")
def page(made):
    return Page(made.read_text())


def test_every_file_has_its_section(page, made):
    """With its numbers, its figure, and a text for it; a shard has a sentence in place of one."""
    assert [f"file-{number}" in page.ids for number in range(1, 8)] == [True] * 6 + [False]
    for name in STUDY:
        assert name in page.texts
    assert made.read_text().count("<figure>") == 5 == page.attributes.count(("svg", "role", "img"))
    assert "There is no figure" in page.text and "rsmi merge" in page.text
    for number in ("15/8 = 1.875", "I(H:E), held-out bound", "energy per site"):
        assert number in page.texts


def test_links_lead_into_the_page(page):
    """No name is used twice, and nothing is fetched: references are to names of the page or
    data."""
    assert len(set(page.ids)) == len(page.ids)
    used = [value for _, name, value in page.attributes if name in ("href", "src", "xlink:href")]
    assert any(value.startswith("#") for value in used)
    for value in used:
        assert value.startswith("data:image/png;base64,") or value[1:] in page.ids
    values = [value or "" for _, name, value in page.attributes if name != "content"]
    for value in values:
        for name in re.findall(r"url\(([^)]*)\)", value):
            assert name[1:] in page.ids
    assert not any("//" in value for value in values if not value.startswith("data:"))


def test_the_same_files_give_the_same_page(made, pipeline, tmp_path, monkeypatch):
    """From another folder, too: there is no path and no name of a machine on it."""
    for name in STUDY:
        shutil.copy(pipeline / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert run_here("report", *STUDY, "-o", "report.html").code == 0
    assert (tmp_path / "report.html").read_bytes() == made.read_bytes()
    assert str(pipeline) not in made.read_text() and ">host<" not in made.read_text()


def test_hostile_names_are_text(pipeline, tmp_path):
    """A name that would end its element, and a title with a script, are shown as they are; in the
    commands the shell sees one word."""
    file = tmp_path / HOSTILE.replace("/", "")
    shutil.copy(pipeline / "shard-0.h5", file)
    output = tmp_path / "page.html"
    title = "<img src=x onerror=alert(1)>"
    assert run_here("report", file, "-o", output, "--title", title).code == 0
    hostile = Page(output.read_text())
    assert hostile.texts.count(title) == 2 and file.name in hostile.texts
    assert [one for one in hostile.attributes if one[0] == "img" or one[1].startswith("on")] == []
    assert output.read_text().count("<script") == 1
    assert "'<script>" in hostile.text


def test_lines_are_those_of_the_commands(page):
    """Every option of the pipeline that is not the default is in the line of its file."""
    lines = page.text.replace(" \\\n    ", " ").split("\n")
    for name in ("samples.h5", "lambda.h5", "flow.h5", "exponent.h5"):
        (line,) = (one for one in lines if one.endswith(f" -o {name}"))
        words, wanted = line.split(), PIPELINE[name].split()
        assert words[:2] == ["rsmi", wanted[0]]
        if "theta.h5" in wanted:  # not among the files of the page: named by its digest
            wanted[wanted.index("theta.h5")] = words[words.index("--theta") + 1]
        wanted = [
            f"{one}x{one}" if wanted[i - 1] == "--size" else one for i, one in enumerate(wanted)
        ]
        assert {*wanted} - {"--temperature", "Tc", "other.h5"} <= {*words}
    assert any(line.endswith("-o imported.h5") and "FILE-7f815c2d" in line for line in lines)
    assert "names that begin with FILE stand for them" in page.text


def test_the_page_is_whole_or_as_it_was(pipeline, tmp_path, monkeypatch):
    """It follows a link of its owner, none that lies at the temporary name, and a failure leaves
    the page that was there."""
    (tmp_path / "page.html").symlink_to("target.html")
    (tmp_path / "target.html").write_text("before")
    line = ("report", pipeline / "shard-0.h5", "-o", tmp_path / "page.html")
    with monkeypatch.context() as patch:
        patch.setattr("secrets.token_hex", lambda count: "00" * count)
        trap = tmp_path / ".target.html.00000000.tmp"
        trap.symlink_to("victim")
        (tmp_path / "victim").write_text("kept")
        assert run_here(*line).code == 1
        assert (tmp_path / "victim").read_text() == "kept"
    assert (tmp_path / "target.html").read_text() == "before"
    assert run_here(*line).code == 0 and (tmp_path / "page.html").is_symlink()
    assert (tmp_path / "target.html").read_text().startswith("<!DOCTYPE html>")


def test_warnings_are_shown_in_full(pipeline, tmp_path):
    """At the head of the page, with a link to the file, and in its section; a study without any
    says so."""
    output = tmp_path / "page.html"
    assert run_here("report", pipeline / "other.h5", "-o", output).code == 0
    warned = Page(output.read_text())
    said = "12 steps of 8 chains are too few to measure it"
    assert sum(said in text for text in warned.texts) == 2
    assert ("a", "href", "#file-1") in warned.attributes
    assert run_here("report", pipeline / "shard-0.h5", "-o", output).code == 0
    assert "The files carry no warnings." in output.read_text()


def test_equal_contents_are_one_section(pipeline, tmp_path):
    """A merged file is that of a single process; equal names in two folders are told apart."""
    (tmp_path / "shard-0.h5").symlink_to(pipeline / "shard-1.h5")
    names = [pipeline / "shard-0.h5", tmp_path / "shard-0.h5", tmp_path / "twin.h5"]
    names[2].symlink_to(pipeline / "shard-0.h5")
    output = tmp_path / "page.html"
    assert run_here("report", *names, "-o", output).code == 0
    text = output.read_text()
    assert text.count('class="file"') == 2 and "; the same content as twin.h5" in text
    assert len(set(re.findall(r"-o ([0-9a-f]{8}-shard-0.h5)", text))) == 2


def test_lines_become_tables():
    """Titles are rows without numbers, units are a second row of them, and what stands above a
    table is its caption; notes and paragraphs stay text."""
    lines = [
        *fields([("model", "ising"), ("steps", "3")]),
        "",
        "  couplings",
        "",
        *table([["T", "step 0"], ["", "L = 8"], ["1.0", "0.44(2)"], ["1.1", "-"]]),
        *table([["", "2.5", "-1.0"], ["", "0.5", "1.0"]]),
        *fields([("", "measured"), ("y_t", "1.0(1)")]),
        "  warning: the chains are short",
        "  a sentence that goes on",
        "  in the next line.",
        "  unit 1     2.0     3.0",
        "  unit 2     2.0     3.0",
    ]
    facts, couplings, weights, measured, note, text = blocks_of(lines)
    assert (facts.of_fields, facts.head, facts.sortable) == (True, (), False)
    assert couplings.caption == ("couplings",) and couplings.sortable
    assert couplings.head == (("T", "step 0"), ("", "L = 8")) and len(couplings.rows) == 2
    assert (weights.head, weights.caption, weights.sortable) == ((), (), False)
    assert measured.head == (("", "measured"),)
    assert (note.level, note.sentence) == ("warning", "the chains are short")
    assert text.aligned and len(text.lines) == 4
    (paragraph,) = blocks_of(["", "  a sentence that goes on", "  in the next line.", "  New"])
    assert paragraph.lines == ("a sentence that goes on in the next line.", "New")


def test_grids_say_once_what_is_always_the_same():
    """Columns without a value are left out, and those with one value stand above the table."""
    rows = [("a", "2x2", "-", "1.0"), ("b", "2x2", "", "2.0"), ("c", "2x2", "-", "2.0")]
    grid = grid_of(("rule", "block", "exact", "I"), rows)
    assert grid.titles == ("rule", "I") and grid.rows[1] == ("b", "2.0")
    assert grid.common == [("block", "2x2")]
    assert grid_of(("rule", "block"), [("a", "2x2"), ("b", "2x2")]).common == []


def test_options(pipeline, tmp_path):
    """The name of a page, an output that is an input, JSON, and paths on stdin."""
    file, output = pipeline / "shard-0.h5", tmp_path / "page.htm"
    result = run_here("report", "-", "-o", output, "--json", stdin=f"{file}\n")
    assert json.loads(result.out) == {"file": str(output)}
    result = run_here("report", file, "-o", "page.pdf")
    assert result.code == 2 and "ends in .html or .htm" in result.err
    twin = tmp_path / "twin.html"
    shutil.copy(file, twin)
    before = twin.read_bytes()
    result = run_here("report", twin, "-o", twin)
    assert result.code == 2 and "is an input" in result.err and twin.read_bytes() == before
    assert run_here("report", tmp_path / "none.h5", "-o", output).code == 2
    assert run_here("report", file, "-o", tmp_path / "no" / "page.html").code == 1
    (tmp_path / "text.h5").write_text("no HDF5")
    assert run_here("report", tmp_path / "text.h5", "-o", output).code == 65
    assert sorted(one.name for one in tmp_path.iterdir()) == ["page.htm", "text.h5", "twin.html"]


def test_without_jinja2(pipeline, tmp_path, monkeypatch):
    """A sentence says what to install; nothing else of rsmi needs it."""
    monkeypatch.delattr("rsmi.pages.page", raising=False)
    monkeypatch.delitem(sys.modules, "rsmi.pages.page", raising=False)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    result = run_here("report", pipeline / "samples.h5", "-o", tmp_path / "page.html")
    assert result.code == 1
    assert "a report needs jinja2: pip install 'rsmi[plot]'" in result.err
