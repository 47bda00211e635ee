"""Operators of several components: against sums spelt out with numpy, along the levels, and an
Ising model beside noise, whose exponents are its own."""

import itertools
import re

import blocking_twin as twins
import numpy as np
import pytest

from rsmi.renormalization import level_sums, mcrg, operators
from rsmi.renormalization.component_operators import (
    component_operators,
    component_sums,
    neighbour_operators,
    operator_names,
)
from rsmi.renormalization.parities import parity_sectors
from rsmi.renormalization.rules import Rule, coarse_grain, majority_ties_up, of_each_component
from rsmi.samples.files import open_file

KEYS = np.arange(1, 7, dtype=np.uint64).reshape(3, 2)
PAIRS = Rule(
    [[1, 1.1, 1.2, 1.4, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1.1, 1.2, 1.4]], [0, 0], True, (2, 2), 2
)
MIXED = Rule([[1, 2, 0, 0, 1, 0, 3, 0], [0, 1, 1, 1, 0, -1, 0, 2]], [0.1, -0.2], False, (2, 2), 2)


def random_spins(seed, n, shape):
    return np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), (n, *shape))


def shifted(spins, offset):
    return np.roll(spins, [-x for x in offset], axis=tuple(range(-len(offset), 0)))


def images(offset):
    """All distinct images of an offset under permutations and reflections of the axes."""
    return {
        tuple(sign * x for sign, x in zip(signs, axes))
        for axes in itertools.permutations(offset)
        for signs in itertools.product((1, -1), repeat=len(offset))
    }


def by_name(name, spins):
    """The sum over the lattice that a name stands for, (n,); spins (n, components, *shape)."""
    dimension = spins.ndim - 2
    axes = tuple(range(1, dimension + 1))
    numbers = [int(number) - 1 for number in re.findall(r"s(\d)", name)]
    of_one = re.fullmatch(r"(.*) of s(\d)", name)
    if of_one or len(numbers) == 1 or name.startswith(f"s{numbers[0] + 1}s{numbers[0] + 1}"):
        alone = spins[:, numbers[0]]
        even, odd = operators.operator_sums(twins.pack(alone), alone.shape[1:])
        names = operator_names(dimension, 1)
        text = of_one[1] if of_one else "magnetization"
        if len(numbers) == 2:
            offset = name[name.index("(") :]
            text = next(one for one in names["even"] if one.endswith(offset))
            if dimension == 1:
                text = {"(1)": "nearest neighbours (1)", "(2)": "pair (2)"}[offset]
        sector = "even" if text in names["even"] else "odd"
        return {"even": even, "odd": odd}[sector][:, names[sector].index(text)]
    offset = tuple(int(x) for x in name[name.index("(") + 1 : -1].split(","))
    if not any(offset):
        return spins[:, numbers].prod(axis=1).sum(axis=axes)
    first, second = spins[:, numbers[0]].astype(int), spins[:, numbers[1]].astype(int)
    if len(numbers) == 4:
        both = first * second
        return sum((both * shifted(both, r)).sum(axis=axes) for r in images(offset)) // 2
    return sum((first * shifted(second, r)).sum(axis=axes) for r in images(offset))


@pytest.mark.parametrize(
    ("shape", "components"), [((8, 6), 2), ((4, 10), 3), ((6, 66), 4), ((12,), 2), ((9,), 4)]
)
def test_sums_are_what_their_names_say(shape, components):
    spins = random_spins(1, 7, (components, *shape))
    sums = component_sums(twins.pack(spins), shape, components)
    kinds = component_operators(len(shape), components)
    assert sums.shape == (7, len(kinds))
    for number, operator in enumerate(kinds):
        assert np.array_equal(sums[:, number], by_name(operator.name, spins)), operator.name


def test_order():
    """By range, then by the number of spins; all names differ."""
    for dimension, components in ((1, 2), (2, 2), (2, 4)):
        kinds = component_operators(dimension, components)
        for sector in ("even", "odd"):
            ranges = [one.range for one in kinds if one.sector == sector]
            assert ranges == sorted(ranges)
        assert len({one.name for one in kinds}) == len(kinds)
    assert operator_names(2, 2)["even"][:5] == [
        *("s1s2(0,0)", "s1s1(1,0)", "s2s2(1,0)", "s1s2(1,0)", "s1s2s1s2(1,0)")
    ]
    assert [component_operators(2, 2)[i].name for i in neighbour_operators(2, 2)] == [
        *("s1s1(1,0)", "s2s2(1,0)")
    ]
    with pytest.raises(ValueError, match="one and two dimensions for 2 to 4 components"):
        component_operators(3, 2)


def test_all_even_operators_keep_their_value_under_a_flip():
    spins = random_spins(2, 5, (3, 6, 8))
    sums, flipped = (component_sums(twins.pack(s), (6, 8), 3) for s in (spins, -spins))
    sign = [1 if one.sector == "even" else -1 for one in component_operators(2, 3)]
    assert np.array_equal(flipped, sums * sign)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("rule", [PAIRS, MIXED])
def test_measured_levels_by_hand(rule, wide):
    spins = random_spins(3, 90, (2, 16, 16))
    rows, energies, blocks = twins.pack(spins), np.arange(90), np.arange(90) % 3
    sums = level_sums.measure_levels(
        rows, (16, 16), rule, 2, KEYS[:2], energies, 7, blocks, wide=wide
    )
    if wide:
        sums = {name: level_sums.as_floats(array) for name, array in sums.items()}
    levels, k = [], len(operator_names(2, 2)["even"])
    for step, size in enumerate((16, 8, 4)):
        levels.append(component_sums(rows, (size, size), 2))
        if step < 2:
            rows = coarse_grain(rows, (size, size), rule, KEYS[step], 7)
    for b in range(3):
        mine = blocks == b
        for sector, own in (("even", slice(k)), ("odd", slice(k, None))):
            for n, level in enumerate(levels):
                s = level[mine, own]
                assert np.array_equal(sums[f"{sector}_sums"][b, n], s.sum(axis=0))
                assert np.array_equal(sums[f"{sector}_products"][b, n], s.T @ s)
                if n:
                    old = levels[n - 1][mine, own]
                    assert np.array_equal(sums[f"{sector}_cross"][b, n - 1], s.T @ old)


def test_a_model_beside_noise_has_its_exponents(here, workplace):
    """The Ising model at T_c and random spins as two components, each blocked by itself: y_t = 1
    and y_h = 15/8 within 4 errors. (Two equal models would have degenerate eigenvalues.)"""
    sample = "sample --size 16 --temperature Tc --algorithm swendsen-wang --interval 4 --chains 64"
    assert here(*sample.split(), "--samples", 6400, "-q", "-o", "s.h5").code == 0
    noise = np.random.default_rng(5).integers(0, 256, (6400, 32), np.uint8)
    with open_file("s.h5") as file:
        rows = np.concatenate([file.read("/spins"), noise], axis=1)
    shapes, blocks = [(16, 16), (8, 8), (4, 4)], np.arange(6400) % 64
    sums = level_sums.measure_levels(
        rows, shapes[0], PAIRS, 2, KEYS[:2], np.zeros(6400, int), 0, blocks
    )
    for sector, exact in (("even", 1), ("odd", 15 / 8)):
        row = mcrg.headline(mcrg.exponents(sums, sector, shapes))
        assert row["error"] < 0.05
        assert abs(row["value"] - exact) < 4 * row["error"], sector


# ---- the parity in every component ---------------------------------------------------------------


@pytest.mark.parametrize(("dimension", "components"), [(1, 2), (2, 2), (2, 3), (1, 4)])
def test_parities_are_the_signs_after_the_flip_of_a_component(dimension, components):
    """Every operator is in one sector; the flip of a component changes the sign of its sums or
    leaves them as they are, as the parity says."""
    shape = (6,) * dimension
    spins = random_spins(5, 3, (components, *shape))
    plain = component_sums(twins.pack(spins), shape, components)
    names = operator_names(dimension, components)
    first = {"even": 0, "odd": len(names["even"])}
    sectors = parity_sectors(dimension, components)
    assert sorted(name for one in sectors for name in one.names) == sorted(sum(names.values(), []))
    assert sectors[0].is_even
    for flipped in range(components):
        signs = np.where(np.arange(components) == flipped, -1, 1).astype(np.int8)
        turned = spins * signs.reshape(-1, *(1,) * dimension)
        sums = component_sums(twins.pack(turned), shape, components)
        for one in sectors:
            numbers = np.array(one.numbers) + first[one.common]
            sign = {"even": 1, "odd": -1}[one.parity[flipped]]
            assert (sums[:, numbers] == sign * plain[:, numbers]).all()


def test_a_component_of_its_own_parity_is_a_lattice_of_one_component():
    """The sums of the operators that are odd in component 2 alone are those of a lattice that has
    only this component, at all levels of a rule without chance."""
    shape, steps = (8, 8), 2
    spins = random_spins(6, 40, (2, *shape))
    energies, blocks = np.zeros(40, np.int64), np.arange(40) // 10
    rule = majority_ties_up((2, 2))
    arguments = (KEYS[:steps], energies)
    both = level_sums.measure_levels(
        twins.pack(spins), shape, of_each_component(rule, 2), steps, *arguments, blocks=blocks
    )
    alone = level_sums.measure_levels(
        twins.pack(spins[:, 1]), shape, rule, steps, *arguments, blocks=blocks
    )
    (sector,) = (one for one in parity_sectors(2, 2) if one.parity == ("even", "odd"))
    found, chosen = sector.sums(both), slice(len(sector.numbers))
    assert np.array_equal(found["odd_sums"], alone["odd_sums"][..., chosen])
    for name in ("products", "cross"):
        assert np.array_equal(found[f"odd_{name}"], alone[f"odd_{name}"][..., chosen, chosen])


def test_of_a_degenerate_pair_the_product_is_measured():
    """Eigenvalues 2 exp(+-i a) have the geometric mean 2, and no leading one that is real."""
    turn = 2 * np.array([[np.cos(0.1), -np.sin(0.1)], [np.sin(0.1), np.cos(0.1)]])
    sums = {
        "counts": np.ones(4, np.int64),
        "even_sums": np.zeros((4, 2, 2)),
        "even_products": np.tile(np.eye(2), (4, 2, 1, 1)),
        "even_cross": np.tile(turn, (4, 1, 1, 1)),
    }
    values = {
        choice: mcrg.sequence(sums, "even", [(4, 4), (2, 2)], choice).of_all_operators()[0]
        for choice in mcrg.CHOICES
    }
    assert values["pair"]["value"] == pytest.approx(1)
    assert values["leading"]["reason"] == "the leading eigenvalue is complex"
    assert values["second"]["reason"] == "the second eigenvalue is complex"
