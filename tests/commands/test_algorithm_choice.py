"""The thresholds of `--algorithm auto` against the rates that the benchmark lists."""

import ast
from pathlib import Path

import pytest

from rsmi.models.ising.algorithms import choose_algorithm, local_layout
from rsmi.models.ising.facts import CRITICAL_COUPLING

BENCHMARK = Path(__file__).parent.parent / "benchmarks/bench_algorithms.py"
ALGORITHMS = ("metropolis", "heat-bath", "swendsen-wang")
WORST = 0.8  # of the best rate: autocorrelation times are known to 5 %


def table():
    """Rows (shape, K, rates by algorithm) of the table in the benchmark's docstring. A row without
    a lattice continues the one above; a rate is what stands right of K."""
    rows, shape = [], None
    for line in ast.get_docstring(ast.parse(BENCHMARK.read_text())).splitlines():
        words = line.replace("K =", "").split()
        rates = words[-4:]
        if len(words) < 4 or not all(word.replace(".", "", 1).isdigit() for word in rates):
            continue
        if lattice := words[:-4]:
            shape = tuple(int(side) for side in lattice[-1].split("x"))
        strength = float(rates[0]) * CRITICAL_COUPLING.get(len(shape), 1.0)
        rows.append((shape, strength, dict(zip(ALGORITHMS, map(float, rates[1:])))))
    return rows


def test_the_table_is_read():
    rows = table()
    assert len(rows) == 30
    assert rows[0] == ((16, 16), CRITICAL_COUPLING[2], dict(zip(ALGORITHMS, (7730, 2473, 123))))
    assert rows[-1] == ((256,), 3.0, dict(zip(ALGORITHMS, (30, 29, 2403))))


@pytest.mark.parametrize(("shape", "coupling", "rates"), table())
def test_auto_takes_the_fastest(shape, coupling, rates):
    """A threshold moved past any row of the table costs there a factor of 1.25 or more, unless the
    algorithms are as good as equal; so does a table measured anew that no longer fits."""
    chosen = choose_algorithm(shape, coupling, local_layout(shape, 1024))
    assert rates[chosen] >= WORST * max(rates.values())


def test_a_wrong_threshold_is_seen():
    """Each algorithm, taken everywhere, loses more than this somewhere."""
    for algorithm in ALGORITHMS:
        assert any(rates[algorithm] < WORST * max(rates.values()) for _, _, rates in table())
