"""The page of rsmi report in a browser without a window: ``pytest -m browser`` (apt install
chromium)."""

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess

import pytest
from conftest import run_here

pytestmark = pytest.mark.browser

STUDY = ("samples.h5", "lambda.h5", "flow.h5", "exponent.h5", "crossing.h5", "spectrum.h5")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# What a reader does: sorts a table, enlarges a figure, and reduces it again.
VISIT = """
const texts = (table, column) =>
  [...table.tBodies[0].rows].map((row) => row.cells[column].textContent.trim());
const table = document.querySelector("table[aria-labelledby=values]");
const column = [...table.tHead.rows[0].cells].findIndex((one) => one.textContent === "measured");
const title = table.tHead.rows[0].cells[column], orders = [texts(table, column)], sorted = [];
for (let i = 0; i < 3; i++) {
  title.querySelector("button").click();
  orders.push(texts(table, column));
  sorted.push(title.getAttribute("aria-sort"));
}
const drawings = [...document.querySelectorAll(".drawing")];
const drawing = drawings[1], size = () => drawing.querySelector("svg").getBoundingClientRect();
const key = (name) => drawing.dispatchEvent(new KeyboardEvent("keydown", { key: name }));
const before = size().width;
drawing.click();
const large = [size().width, size().height, drawing.getAttribute("aria-expanded")];
key("Escape");
const after = size().width;
key("Enter");
const again = size().width;
key("Enter");
const wide = [...document.querySelectorAll("body *")].filter(
  (one) => !one.closest(".wide, svg, pre") && one.getBoundingClientRect().right > innerWidth + 1
);
const found = {
  orders, sorted, before, large, after, again,
  window: [innerWidth, innerHeight, document.documentElement.scrollWidth],
  figures: drawings.length,
  unlabelled: drawings.filter((one) => !one.querySelector("svg[role=img][aria-label]")).length,
  requests: performance.getEntriesByType("resource").map((one) => one.name),
  wide: wide.map((one) => one.outerHTML.slice(0, 80)),
};
const place = document.createElement("pre");
place.id = "found";
place.textContent = JSON.stringify(found);
document.body.append(place);
"""


@pytest.fixture(scope="module")
def browser():
    """A function that runs the browser and returns what it wrote, and what it complained of."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert program, f"none of {', '.join(BROWSERS)} is installed"

    def call(folder, page, *options) -> tuple[str, list[str]]:
        quiet = ("--no-first-run", "--disable-background-networking", "--disable-component-update")
        done = subprocess.run(
            [
                *(program, "--headless", "--no-sandbox", "--disable-gpu", *quiet),
                *("--enable-logging=stderr", f"--user-data-dir={folder / 'profile'}"),
                *(*options, page.as_uri()),
            ],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout, re.findall(r"CONSOLE.*", done.stderr)

    return call


@pytest.fixture(scope="module")
def page(pipeline, tmp_path_factory):
    output = tmp_path_factory.mktemp("page") / "report.html"
    result = run_here("report", *(pipeline / name for name in STUDY), "-o", output)
    assert result.code == 0, result.err
    return output


def visited(page, folder):
    """A copy of the page with the script of the visit, which its policy must allow by name."""
    digest = base64.b64encode(hashlib.sha256(VISIT.encode()).digest()).decode()
    text = page.read_text().replace("script-src ", f"script-src 'sha256-{digest}' ", 1)
    copy = folder / "visited.html"
    copy.write_text(text.replace("</body>", f"<script>{VISIT}</script></body>"))
    return copy


def in_order(texts, falling=False):
    """Whether numbers stand in order, and after them what has no value."""
    numbers = [float(re.match(r"[-+]?[\d.]+", one)[0]) for one in texts if one != "-"]
    return numbers == sorted(numbers, reverse=falling) and "-" not in texts[: len(numbers)]


@pytest.mark.parametrize("width", [1200, 500])
def test_tables_sort_and_figures_enlarge(browser, page, tmp_path, width):
    """On a desktop and on a phone, without a complaint on the console and without a request; no
    text but wide tables is wider than the window."""
    size = f"--window-size={width},900"
    shown, complaints = browser(tmp_path, visited(page, tmp_path), size, "--dump-dom")
    assert complaints == []
    found = json.loads(html.unescape(re.search(r'<pre id="found">(.*?)</pre>', shown, re.S)[1]))
    first, rising, falling, last = found["orders"]
    assert found["sorted"] == ["ascending", "descending", None]
    assert first == last and sorted(first) == sorted(rising) == sorted(falling)
    assert in_order(rising) and in_order(falling, True) and not in_order(first)
    assert found["large"][0] > max(found["before"], 760) and found["large"][1] > 400
    assert found["large"][2] == "true"
    assert found["after"] == found["before"] and found["again"] == found["large"][0]
    assert (found["figures"], found["unlabelled"]) == (len(STUDY), 0)
    assert found["requests"] == [] and found["wide"] == []
    assert found["window"][2] <= found["window"][0] == width


def test_nothing_is_refused_on_the_page_itself(browser, page, tmp_path):
    """The policy of the page allows its own script and styles, and nobody else's."""
    shown, complaints = browser(tmp_path, page, "--dump-dom")
    assert complaints == [] and 'role="button"' in shown
    injected = tmp_path / "injected.html"
    evil = '<script>document.title = "evil"</script><img src="https://example.org/x.png">'
    injected.write_text(page.read_text().replace("</body>", f"{evil}</body>"))
    shown, complaints = browser(tmp_path, injected, "--dump-dom")
    assert len(complaints) >= 2 and "<title>evil" not in shown


def test_the_page_is_printed(browser, page, tmp_path):
    """On several sheets of paper."""
    paper = tmp_path / "page.pdf"
    _, complaints = browser(tmp_path, page, f"--print-to-pdf={paper}")
    content = paper.read_bytes()
    assert complaints == [] and content.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", content)) >= 4
