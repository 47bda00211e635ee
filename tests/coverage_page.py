"""Write tests/COVERAGE.md: how much of the Python code the tests run, what they leave out, and why.

coverage json -o coverage.json && python tests/coverage_page.py coverage.json "the default run"
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

PAGE = Path(__file__).with_name("COVERAGE.md")
# Why lines of a module are left out; the reasons of whole modules come before those of their lines.
MODULES: dict[str, str] = {
    "rsmi/__main__.py": "new interpreters run it, and tests fork processes instead",
    "rsmi/store/schema/__main__.py": "it prints SCHEMA.md; a test compares the function behind it",
    "rsmi/engine/dask_workers.py": "it needs dask: `pytest -m dask`",
}
# Why a line is left out, by what it or the line before it contains.
LINES: dict[str, str] = {
    "if TYPE_CHECKING": "types are imported for mypy only",
    "...": "the method of a protocol has no body",
    "os._exit": "the process ends here, before its lines are counted",
    "except OSError": "an error of the operating system that no default test provokes",
    "except FileNotFoundError": "another process has to remove the file at this moment",
    "raise DataError": "a refusal of a file that no default test provokes",
    "raise UsageError": "a refusal of a command line that no default test provokes",
    "raise Failure": "a failure of the machine that no default test provokes",
    "raise ValueError": "a refusal of arguments that no default test provokes",
    "log.": "a remark that no default test provokes",
}
NO_REASON = "no reason is known: a test is missing, or the line is not needed"


def main(report: Path, what: str) -> None:
    """Write the page from a JSON report of coverage."""
    files = json.loads(report.read_text())["files"]
    PAGE.write_text("\n".join([*_head(what), *_rooms(files), *_left_out(files), ""]))


def _head(what: str) -> list[str]:
    return [
        "# What the tests run of the Python code",
        "",
        f"Written by `make coverage` ({what}); not by hand. A branch is a jump from one line to",
        "another. Compiled code (`.pyx`, `csrc`) is not counted.",
        "",
    ]


def _rooms(files: dict) -> list[str]:
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * 4)
    names = ("covered_lines", "num_statements", "covered_branches", "num_branches")
    for path, entry in files.items():
        parts = Path(path).parts
        for room in (parts[1] if len(parts) > 2 else "rsmi itself", "all"):
            for place, name in enumerate(names):
                counts[room][place] += entry["summary"][name]
    rows = ["| room | statements | run | branches | taken |", "| --- | ---: | ---: | ---: | ---: |"]
    for room in sorted(counts, key=lambda room: (room == "all", room)):
        lines, statements, taken, branches = counts[room]
        if not statements:
            continue
        share = [
            f"{part / max(1, whole):.1%}"
            for part, whole in ((lines, statements), (taken, branches))
        ]
        rows.append(f"| {room} | {statements} | {share[0]} | {branches} | {share[1]} |")
    return [*rows, ""]


def _left_out(files: dict) -> list[str]:
    """A section for every reason, with the lines to which it applies."""
    sections: dict[str, list[str]] = defaultdict(list)
    for path, entry in sorted(files.items()):
        places: dict[str, list[str]] = defaultdict(list)
        text = Path(path).read_text().splitlines()
        for line in entry["missing_lines"]:
            places[_reason(path, text, line)].append(str(line))
        missing = set(entry["missing_lines"])
        for source, target in entry.get("missing_branches", []):
            if source not in missing and target not in missing:
                end = "end" if target < 0 else target
                places[_reason(path, text, source)].append(f"{source}->{end}")
        for reason, lines in places.items():
            sections[reason].append(f"- `{path}`: {', '.join(lines)}")
    lines = ["## What is left out, and why", ""]
    for reason in sorted(sections, key=lambda reason: (reason == NO_REASON, reason)):
        lines += [f"### {reason[0].upper()}{reason[1:]}", "", *sections[reason], ""]
    return lines[:-1]


def _reason(path: str, text: list[str], line: int) -> str:
    if path in MODULES:
        return MODULES[path]
    for place in (line, line - 1, line - 2):
        for words, reason in LINES.items():
            if 0 < place <= len(text) and words in text[place - 1]:
                return reason
    return NO_REASON


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
