"""The random words of the kernels: what dieharder says of them, no stream used twice, no
correlation between streams.

Dieharder's verdicts are records (tests/dieharder.py makes them). They are of the generator in use
if its words begin like those that were judged; those here come from the plain twins of the
generators, which the kernels follow bit for bit, and from the product's own seeds.
"""

import math
import subprocess
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from c_core import ROOT, system_compiler
from conftest import run_here
from dieharder import (
    EVERYTHING,
    FINGERPRINT_BYTES,
    RECORDS,
    SELECTION,
    SOURCES,
    fingerprint,
    first_words,
    keys,
)
from random_twin import keyed_bits, twin_of_lanes, xoshiro_next

from rsmi.engine import keys as streams
from rsmi.engine.keys import origin_of_chains
from rsmi.models.dimers.simulation import DimerSimulation
from rsmi.models.ising.bitsliced import seed
from rsmi.models.ising.facts import critical_coupling
from rsmi.models.ising.simulation import simulation_of
from rsmi.stages.rule_option import blocking_keys
from rsmi.stages.training.rules import LambdaTraining
from rsmi.stages.training.theta import ThetaTraining

GOOD = tuple(source for source in SOURCES if source != "unmixed")
BLOCKS = 64
DOUBTFUL = (
    "diehard_opso",
    "diehard_oqso",
    "diehard_dna",
    "diehard_sums",
)  # "suspect" or "do not use" in dieharder's own list
LINES = {EVERYTHING: 110, SELECTION: 50}  # that a whole record has at least

# ---- dieharder -----------------------------------------------------------------------------------


def verdicts(text):
    """Of every test what it said at first, and in the end if it asked for more words: ([verdict,
    ...], [verdict, ...])."""
    rounds = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, size, _, pooled, _, verdict = (part.strip() for part in line.split("|"))
            if name not in DOUBTFUL:
                rounds.setdefault((name, size), {}).setdefault(int(pooled), []).append(verdict)
    first, last = (
        [verdict for each in rounds.values() for verdict in each[choose(each)]]
        for choose in (min, max)
    )
    return first, last


def chance_of_as_many(weak, tests):
    """Of at least so many WEAK, which a p-value below .005 or above .995 is, among so many tests of
    a perfect generator."""
    return 1 - sum(math.comb(tests, k) * 0.01**k * 0.99 ** (tests - k) for k in range(weak))


def passes(text):
    """No test failed, none stays in doubt where more words were to resolve it, and WEAK is as rare
    as chance allows."""
    first, last = verdicts(text)
    allowed = ("PASSED",) if "-Y 1" in text else ("PASSED", "WEAK")
    return (
        all(verdict in allowed for verdict in last)
        and "FAILED" not in first
        and chance_of_as_many(first.count("WEAK"), len(first)) > 1e-3
    )


def lane_states(generators):
    """States of all lanes of all streams, (4, blocks * 4 * 8): of each block its streams in turn,
    of each stream its lanes."""
    return (
        generators[:, :16]
        .reshape(len(generators), 4, 4, 8)
        .transpose(2, 0, 1, 3)
        .reshape(4, -1)
        .copy()
    )


def twin_words(source):
    """What csrc/tests/stream_words.c begins with."""
    chains = np.frombuffer(keys(), dtype=np.uint64).reshape(-1, 4).copy()
    generators, count = seed(chains[0], BLOCKS), FINGERPRINT_BYTES // 8
    counter = [int(word) for word in generators[0, 16, :2]]
    if source in ("lane", "bit"):
        state = [int(word) for word in lane_states(generators)[:, 0]]
        if source == "lane":
            return [xoshiro_next(state) for _ in range(count)]
        return [sum((xoshiro_next(state) & 1) << bit for bit in range(64)) for _ in range(count)]
    if source == "sites":
        return [keyed_bits(counter, i // 512, i % 512) for i in range(count)]
    if source == "samples":
        return [keyed_bits(counter, i, 0) for i in range(count)]
    states = {
        "lanes": lane_states(generators)[:, :32],
        "blocks": lane_states(generators)[:, ::32],
        "chains": chains.T.copy(),
    }[source]
    return twin_of_lanes(states, count // states.shape[1])


@pytest.mark.parametrize("source", GOOD)
def test_dieharder_passed_the_words_in_use(source):
    """Another generator, another order of its words or another seed would have another beginning
    than the one that was judged."""
    text = (RECORDS / f"{source}.txt").read_text()
    command, beginning = text.splitlines()[:2]
    tests = EVERYTHING if source == "lanes" else SELECTION
    assert command.startswith(f"# stream_words {source} | dieharder -g 200 ")
    assert command.endswith("; ".join(tests))
    assert beginning.split()[-1] == fingerprint(
        np.asarray(twin_words(source), dtype="<u8").tobytes()
    )
    assert len(verdicts(text)[0]) >= LINES[tests]
    assert passes(text)


def test_dieharder_fails_a_counter():
    """Companion: the words before they are mixed, judged in the same way."""
    assert not passes((RECORDS / "unmixed.txt").read_text())


def test_too_many_doubts_are_a_failure():
    """Companion: 2 WEAK of 100 are chance, 8 are not; nor is one that stays WEAK where more words
    were asked for."""

    def record(weak, title=""):
        return title + "".join(
            f"diehard_test|{k}|1|100|0.5|{'WEAK' if k < weak else 'PASSED'}\n" for k in range(100)
        )

    assert passes(record(2))
    assert not passes(record(8))
    assert not passes(record(1, "# -Y 1\n"))
    assert passes(
        record(1, "# -Y 1\n").replace("WEAK\n", "WEAK\ndiehard_test|0|1|200|0.5|PASSED\n")
    )
    assert not passes(record(0).replace("PASSED", "FAILED", 1))
    assert verdicts("diehard_sums|0|1|100|0|FAILED\n") == ([], [])


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    path = tmp_path_factory.mktemp("stream") / "stream_words"
    sources = [
        ROOT / "csrc/tests/stream_words.c",
        *sorted(ROOT.glob("csrc/models/ising/**/ising*.c")),
    ]
    subprocess.run(
        [
            system_compiler(),
            "-std=c11",
            "-O2",
            f"-I{ROOT / 'csrc'}",
            *map(str, sources),
            "-lm",
            "-o",
            str(path),
        ],
        check=True,
    )
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize("source", GOOD)
def test_the_words_judged_are_those_of_the_kernels(program, source):
    assert first_words(program, source) == np.asarray(twin_words(source), dtype="<u8").tobytes()


# ---- correlations --------------------------------------------------------------------------------


def z_scores(words, shift=0, lag=0):
    """Of equal bits of any two series of words (n, m), the second ``lag`` words later and turned by
    ``shift`` bits, (m, m)."""
    first, second = (
        np.ascontiguousarray(words[: len(words) - lag].T),
        np.ascontiguousarray(words[lag:].T),
    )
    if shift:
        second = second << np.uint64(shift) | second >> np.uint64(64 - shift)
    bits = 64 * first.shape[1]
    unlike = np.array(
        [[np.bitwise_count(a ^ b).sum(dtype=np.int64) for b in second] for a in first]
    )
    return (bits - 2 * unlike) / np.sqrt(bits)


def weight_scores(words, lag=0):
    """Of the correlation of the numbers of ones in words of any two series, (m, m)."""
    weights = (np.bitwise_count(words).astype(np.float64) - 32) / 4
    first, second = weights[: len(words) - lag], weights[lag:]
    return first.T @ second / np.sqrt(len(first))


def largest_score(words):
    """The largest |z| of all pairs of series and lags 0 .. 4, equal words of one series aside."""
    apart = ~np.eye(words.shape[1], dtype=bool)
    scores = [abs(z_scores(words)[apart]).max(), abs(weight_scores(words)[apart]).max()]
    scores += [abs(z_scores(words, shift=shift)).max() for shift in (1, 32)]
    for lag in range(1, 5):
        scores += [abs(z_scores(words, lag=lag)).max(), abs(weight_scores(words, lag=lag)).max()]
    return max(scores)


def strip_key(number, coupling=critical_coupling(2)):
    physics = {
        "model": "ising",
        "shape": [64, 64],
        "coupling": coupling,
        "algorithm": "heat-bath",
        "layout": "strip",
    }
    return streams.stream_key(1, "sample", physics, number)


@cache
def series(count=1 << 14):
    """Words (count, 40): the 32 lanes and streams of a chain's first block, then one lane each of
    its second block, of the next two chains, of the same chain at another temperature, and the
    plain streams of four chains."""
    of_chain = [lane_states(seed(strip_key(number), 2)) for number in range(3)]
    elsewhere = lane_states(seed(strip_key(0, 0.44), 1))[:, :1]
    plain = np.stack(
        [
            streams.stream_key(1, "sample", {"model": "ising", "shape": [64, 64]}, number)
            for number in range(4)
        ],
        axis=1,
    )
    states = np.concatenate(
        [of_chain[0][:, :33], of_chain[1][:, :1], of_chain[2][:, :1], elsewhere, plain], axis=1
    )
    return twin_of_lanes(states, count)


def test_no_correlation_between_streams():
    """Bits and weights of any two of 40 streams, up to 4 words apart: 2^20 bits a pair show a
    correlation of .007 in 97 % of all cases (z = 5 + 2), of all pairs together one of 10^-4."""
    words = series()
    assert largest_score(words) < 5
    apart = z_scores(words)[np.triu_indices(words.shape[1], 1)]
    assert abs(apart.mean()) < 4 / np.sqrt(len(apart))
    assert apart.std() == pytest.approx(1, abs=4 / np.sqrt(2 * len(apart)))


def test_correlations_of_streams_are_noticed():
    """Companion: a stream used twice, used again three words later, turned by a bit, with its bytes
    in another order, and one that repeats another in one word of 64."""
    words = series()[:, :8]
    again, later, turned, swapped, rare = (words.copy() for _ in range(5))
    again[:, 7] = words[:, 2]
    later[3:, 7] = words[:-3, 2]
    turned[:, 7] = words[:, 2] << np.uint64(1) | words[:, 2] >> np.uint64(63)
    swapped[:, 7] = words[:, 2].byteswap()
    rare[::64, 7] = words[::64, 2]
    assert largest_score(words) < 5
    assert min(map(largest_score, (again, later, turned, swapped, rare))) > 5


def test_no_word_comes_twice():
    """Streams that are one another's futures, by up to 16,384 words, would repeat them; by chance
    two of 655,360 words of 64 bits agree once in 10^8 tries."""
    words = series()
    assert len(np.unique(words)) == words.size
    later = np.concatenate([words[:-1000, 0], words[1000:, 0]])
    assert len(np.unique(later)) < later.size


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "streams_in_turn"), [("lanes", 32), ("blocks", 64), ("chains", 64)]
)
def test_no_correlation_in_long_series(program, source, streams_in_turn):
    """2^26 bits of any two lanes, blocks or chains of consecutive keys: a correlation of 9 10^-4
    shows."""
    words = subprocess.run(
        [program, source, str(streams_in_turn << 23)],
        input=keys()[: 32 * 64],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    assert (
        largest_score(np.frombuffer(words, dtype=np.uint64).reshape(1 << 20, streams_in_turn)) < 5
    )


def test_no_correlation_between_keyed_bits():
    """Of the sites of consecutive samples, and of neighbouring sites, which are series as those of
    streams are."""
    with np.errstate(over="ignore"):
        golden, one = np.uint64(0x9E3779B97F4A7C15), np.uint64(1)
        key = strip_key("blocking")
        inner = key[0] + (np.arange(32, dtype=np.uint64) + one) * golden
        outer = key[1] ^ ((np.arange(1 << 14, dtype=np.uint64) + one) * golden)
        words = mixed(mixed(inner)[None, :] + outer[:, None])
    assert [int(word) for word in words[12345, ::31]] == [
        keyed_bits(key, sample, 12345) for sample in (0, 31)
    ]
    assert largest_score(words) < 5
    assert largest_score(np.ascontiguousarray(words[: 1 << 14].reshape(32, -1).T)) < 5


def mixed(z):
    """mix64 of an array."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


# ---- no stream twice -----------------------------------------------------------------------------


@pytest.fixture
def keyed(monkeypatch):
    """What the keys of all streams were made from, in order, and the keys."""
    made, canonical_json = [], streams.canonical_json

    def listening(value):
        made.append(canonical_json(value))
        return made[-1]

    monkeypatch.setattr(streams, "canonical_json", listening)
    return made


def start_everything(seed_number):
    """The streams of a campaign: simulations at several temperatures and sizes by all algorithms,
    their pilots, blocking, machines."""
    chains = [*range(8), "pilot", "wolff-clusters", "exact"]
    for shape in ((36,), (16, 16), (128, 128), (128, 64), (64, 128), (8, 8, 8)):
        for coupling in (0.2, 0.3, 0.44, 0.45):
            for algorithm in ("metropolis", "heat-bath", "swendsen-wang", "wolff"):
                asked = {
                    "shape": shape,
                    "coupling": coupling,
                    "algorithm": algorithm,
                    "seed": seed_number,
                }
                for simulation in {
                    simulation_of({**asked, "chains": count}) for count in (8, 512)
                }:  # plain, a strip, replicas
                    for number in chains:
                        simulation.start(number)
    for boundary in ("periodic", "open"):
        for coupling in (0.0, 0.5):
            DimerSimulation(
                (8, 8), boundary, coupling, "loop" if coupling else "worm", seed_number
            ).start(*range(8), "pilot", "worms")
    for coupling in (0.3, 0.44):
        blocking_keys(
            seed_number,
            origin_of_chains({"seed": seed_number, "coupling": coupling}, "wolff"),
            0,
            6,
        )
    windows = SimpleNamespace(physics={"samples": "digest", "rg_step": 0})
    for machine in ("joint", "block"):
        ThetaTraining._key(SimpleNamespace(seed=seed_number, windows=windows), machine)
    for number in range(10):
        LambdaTraining.key(SimpleNamespace(seed=seed_number, windows=windows), "training", number)


def test_no_stream_is_used_twice(keyed):
    """Between chains, pilots, temperatures, lattices, algorithms, stages and seeds; nor do two keys
    share one of their four words."""
    for number in (1, 2):
        start_everything(number)
    assert len(keyed) > 2000
    assert len(set(keyed)) == len(keyed)
    words = np.array(
        [
            np.frombuffer(streams.hashlib.sha256(text.encode()).digest(), dtype="<u8")
            for text in keyed
        ]
    )
    assert len(np.unique(words)) == words.size


def test_no_stream_is_used_twice_by_a_command(keyed, workplace):
    """As the commands do it, with the pilots: every chain of every file asks once for a stream of
    its own."""
    for arguments in ("--temperature Tc", "--temperature 1.1Tc", "--temperature Tc --seed 7"):
        answer = run_here(
            "sample",
            "--size",
            8,
            "--algorithm",
            "wolff",
            "--samples",
            20,
            *arguments.split(),
            "-o",
            f"{arguments}.h5",
        )
        assert answer.code == 0, answer.err
    assert len(keyed) == 3 * (8 + 2)
    assert len(set(keyed)) == len(keyed)


def test_a_temperature_that_is_forgotten_is_noticed(keyed, monkeypatch):
    """Companion: keys that leave out the coupling."""
    json = streams.canonical_json

    def forgetful(value):
        if isinstance(value, list):
            value[3].pop("coupling", None)
        return json(value)

    monkeypatch.setattr(streams, "canonical_json", forgetful)
    start_everything(1)
    assert len(set(keyed)) < len(keyed)


def test_no_lane_is_seeded_like_another():
    """States of lanes, keys of what finishes spins: of 64 chains with 4 blocks each."""
    generators = np.concatenate([seed(strip_key(number), 4) for number in range(64)])
    words = generators.reshape(len(generators), -1)[:, :130]
    assert len(np.unique(words)) == words.size
