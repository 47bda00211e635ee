"""rsmi info: the numbers of every kind of file, as text and as JSON, and the digest."""

import csv
import importlib
import io
import json
import shutil
from pathlib import Path

import h5py
import pytest
from example_files import FILTERS, command, numbers_of, text_of

from rsmi import models
from rsmi.reports.files import REPORTS
from rsmi.reports.training import cosine_to_uniform
from rsmi.samples.files import open_file
from rsmi.statistics.notation import table, with_error
from rsmi.store import reader
from rsmi.store.schema import KINDS


@pytest.fixture
def files(examples):
    return examples


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (1.00327, 0.00702, "1.0033(70)"),
        (0.98591, 0.01555, "0.986(16)"),
        (47.563, 4.679, "47.6(4.7)"),
        (47.563, 12.3, "48(12)"),
        (1.0, 0.0996, "1.00(10)"),
        (-1.42217, 0.00292613, "-1.4222(29)"),
        (0.25, 0.996, "0.2(1.0)"),
        (2.5, None, "2.5"),
        (2.5, 0.0, "2.5"),
        (None, None, "-"),
    ],
)
def test_value_with_error(value, error, text):
    assert with_error(value, error) == text


def test_no_critical_temperature_in_one_dimension():
    ratio = models.get("ising").relative_temperature
    assert ratio({"shape": (8,), "coupling": 0.5}) is None
    assert ratio({"shape": (8, 8)}) is None
    assert ratio({"shape": (8, 8), "coupling": 0.44068679350977147}) == pytest.approx(1)


def test_table_is_aligned():
    assert table([["a", "long"], ["bc", "1"]]) == ["  a    long", "  bc      1"]


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("critical", "sample"),
        ("coarse", "sample"),
        ("flow", "flow.summary"),
        ("exponent", "exponent"),
        ("theta", "training.theta"),
        ("lambda", "training.rule_numbers"),
    ],
)
def test_json_is_the_stage_summary_and_the_kind(files, capsys, name, module):
    assert command("info", files[name], "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found.pop("kind") == {"critical": "samples", "coarse": "samples"}.get(name, name)
    with open_file(files[name]) as file:
        assert found == importlib.import_module(f"rsmi.stages.{module}").summary(file)


def test_samples_beside_the_exact_energy(files):
    """Kaufman's 16x16 torus at T_c: -1.453065 J per site."""
    text, numbers = text_of(files["critical"]), numbers_of(files["critical"])
    assert with_error(numbers["energy"], numbers["energy_error"]) in text
    assert "exact -1.453065 on 16x16" in text
    assert "T = 2.26919 J/k_B, K = 0.440687, T/T_c = 1.0000" in text
    assert "swendsen-wang, 8 chains, thermalization 50 sweeps, interval 4 sweeps" in text


def test_coarse_samples_keep_the_original_energy(files):
    text = text_of(files["coarse"])
    assert "8x8 ising" in text
    assert "1 step from 16x16" in text
    assert "exact -1.453065 on 16x16" in text


def test_theta(files):
    text = text_of(files["theta"])
    for words in (
        "24 visible, 20 hidden",
        "4 visible, 8 hidden",
        "-7.250(30)",
        "10 epochs, reconstruction error 0.3000 to 0.2100",
        "0.01250(40)",
        "ring of width 1: 20 sites",
    ):
        assert words in text


def test_lambda(files):
    text = text_of(files["lambda"])
    for words in (
        "0.3900(40)",
        "0.3975(45)",
        "0.39890(30)",
        "0.5246",
        "proxy by pairs, restart 2 of 2 kept",
    ):
        assert words in text
    rows = [line.split() for line in text.splitlines()]
    first = rows.index(["2.5000", "2.2500"])
    assert rows[first + 1] == ["-0.1250", "2.0000"]
    assert f"cosine to the uniform filter {cosine_to_uniform(FILTERS[0]):.4f}" in text
    assert numbers_of(files["lambda"])["filters"] == FILTERS.reshape(2, 2, 2).tolist()


def test_flow_table(files):
    """One line per temperature, one column per step; the 2x2 lattice of step 3 is marked."""
    lines = text_of(files["flow"]).splitlines()
    lines = lines[
        : next(number for number, line in enumerate(lines) if "couplings of the coarse" in line)
    ]
    rows = [line.split() for line in lines if line.startswith(("  1.05", "  1.00", "  0.95"))]
    assert [row[0] for row in rows] == ["1.0500", "1.0000", "0.9500"]
    assert all(len(row) == 6 and row[5].endswith("*") and not row[4].endswith("*") for row in rows)
    assert any("operators wrap around" in line for line in lines)


def test_coupling_tables(files):
    """A line per temperature and step of all four couplings, each with its error; the sets of fewer
    operators at T_c; what is too small."""
    text, found = text_of(files["flow"]), numbers_of(files["flow"])["flows"]
    lines = text[text.index("couplings of the coarse systems") :].splitlines()
    assert [row["operators"] for row in found[0]["interactions"][:3]] == [
        ["nn", "nnn", "third", "four-spin"],
        ["nn"],
        ["nn", "nnn"],
    ]
    for flow in found:
        row = flow["interactions"][5]
        assert row["step"] == 1
        assert any(
            all(with_error(v, e) in line for v, e in zip(row["values"], row["errors"]))
            for line in lines
        )
    assert any("with fewer operators, T/T_c = 1.0000" in line for line in lines)
    assert any(line.startswith("  -  step 3, ") for line in lines)
    assert any(line.startswith("  +  ") for line in lines)


def test_files_without_histograms_say_so():
    path = Path(__file__).parents[1] / "data/format-1.0/flow.h5"
    assert numbers_of(path)["flows"][0]["interactions"] is None
    assert "no couplings: files of format 1.0" in text_of(path)


def test_exponent_headline_sequence_and_reasons(files):
    text, found = text_of(files["exponent"]), numbers_of(files["exponent"])
    for name, operators in (("y_t", 10), ("y_h", 6)):
        headline = found["headline"][name]
        assert with_error(headline["value"], headline["error"]) in text
        assert f"step 2, {operators} operators" in text
    assert "15/8 = 1.875" in text
    assert "2.269185" in text
    assert found["nu_remark"] in text
    reasons = {row["reason"] for row in found["y_t"] + found["T_c_sequence"] if row["reason"]}
    assert all(reason in text for reason in reasons)


def test_tree(files, capsys):
    assert command("info", files["exponent"], "--tree", "--json") == 0
    parts = json.loads(capsys.readouterr().out)
    assert [ancestor["command"] for ancestor in parts["ancestors"]] == ["sample"] * 3 + ["flow"]
    assert parts["datasets"]["/sequence/y_t"] == {"shape": [3, 10], "dtype": "float64"}
    assert command("info", files["exponent"], "--tree") == 0
    text = capsys.readouterr().out
    assert parts["digest"] in text
    assert "3 x 10" in text
    assert '"coupling":0.44068679350977147' in text


def test_digest_alone(files, capsys):
    assert command("info", files["flow"], "--digest") == 0
    with open_file(files["flow"]) as file:
        assert capsys.readouterr().out == f"{file.digest}\n"


def test_verify_notices_one_changed_number(files, capsys, tmp_path):
    assert command("info", files["cold"], "--verify") == 0
    assert capsys.readouterr().out == "ok\n"
    changed = shutil.copy(files["cold"], tmp_path / "changed.h5")
    with h5py.File(changed, "r+") as handle:
        handle["energy"][7] += 4
    assert command("info", changed, "--verify") == 65
    assert "does not match the stored digest" in capsys.readouterr().err


def test_bad_requests(files, capsys, tmp_path):
    assert command("info", tmp_path / "none.h5") == 2
    assert command("info", files["cold"], "--tree", "--verify") == 2
    (tmp_path / "text.h5").write_text("no HDF5")
    assert command("info", tmp_path / "text.h5") == 65
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["critical", "theta", "lambda", "flow", "exponent", "crossing"])
@pytest.mark.parametrize("words", [["info"], ["info", "--json"], ["plot", "-o", "figure.png"]])
def test_a_file_is_opened_and_checked_once(files, name, words, monkeypatch, tmp_path):
    """Every opening checks the whole file: three of them would read all energies three times."""
    opened = []
    check = reader.check_consistency
    monkeypatch.setattr(reader, "check_consistency", lambda file: opened.append(check(file)))
    monkeypatch.setattr("rsmi.figures.files._save", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    assert command(*words, files[name]) == 0
    assert len(opened) == 1


def test_an_answer_opens_the_new_file_once(files, monkeypatch, tmp_path, capsys):
    """``--json`` of a command that writes: its input once, and its output once."""
    opened = []
    check = reader.check_consistency
    monkeypatch.setattr(
        reader, "check_consistency", lambda file: opened.append(file.path.name) or check(file)
    )
    output = tmp_path / "exponent.h5"
    assert command("exponent", files["flow"], "--json", "-q", "-o", output) == 0
    assert opened == ["flow.h5", "exponent.h5"]


def test_every_kind_of_file_has_a_report():
    assert REPORTS.keys() == KINDS.keys()


# ---- several files -------------------------------------------------------------------------------


def table_of(capsys, *arguments):
    """The table that ``rsmi info --csv`` prints, as a list of dictionaries."""
    assert command("info", *arguments, "--csv") == 0
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


def test_table_has_a_row_for_each_file_with_the_numbers_of_its_json(files, capsys):
    names = ("cold", "critical", "coarse")
    rows = table_of(capsys, *(files[name] for name in names))
    assert [row["file"] for row in rows] == [str(files[name]) for name in names]
    assert [row["shape"] for row in rows] == ["16x16", "16x16", "8x8"]
    assert [row["rg_step"] for row in rows] == ["0", "0", "1"]
    for row, name in zip(rows, names):
        numbers = numbers_of(files[name])
        for column in ("temperature", "energy", "energy_error", "binder", "binder_error"):
            assert float(row[column]) == numbers[column]


def test_table_of_rules_names_soft_and_hard_and_no_old_names(files, capsys):
    (row,) = table_of(capsys, files["lambda"])
    assert {"mutual_information_soft_error", "block", "buffer", "hidden"} <= row.keys()
    assert not {"mutual_information", "restart", "total_correlation"} & row.keys()


def test_table_of_other_kinds(files, capsys):
    """A flow has a row for every temperature and step; nu of an exponent is 1/y_t."""
    flow = table_of(capsys, files["flow"])
    assert [(row["shape"], row["step"]) for row in flow] == 3 * [
        ("16x16", "0"),
        ("8x8", "1"),
        ("4x4", "2"),
        ("2x2", "3"),
    ]
    (row,) = table_of(capsys, files["exponent"])
    assert float(row["nu"]) == pytest.approx(1 / float(row["y_t"]))
    assert row["nu_of_effective_coupling"] != row["nu"]
    (row,) = table_of(capsys, files["crossing"])
    assert row["sizes"] == "8 16"


def test_several_files(files, capsys):
    """JSON is a list, digests have names, and texts follow each other."""
    pair = (files["cold"], files["lambda"])
    assert command("info", *pair, "--json") == 0
    assert [one["kind"] for one in json.loads(capsys.readouterr().out)] == ["samples", "lambda"]
    assert command("info", *pair, "--verify") == 0
    assert capsys.readouterr().out == f"{pair[0]}: ok\n{pair[1]}: ok\n"
    assert command("info", *pair) == 0
    assert capsys.readouterr().out == f"{text_of(pair[0])}\n{text_of(pair[1])}"
    assert command("info", *pair, "--csv") == 2
    assert "files of one kind, not lambda and samples" in capsys.readouterr().err
    assert command("info", pair[0], "--csv", "--json") == 2
    assert "give one of --csv and --json" in capsys.readouterr().err
