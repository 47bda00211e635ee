"""Multi-histogram reweighting: exact where all configurations are counted, and within its errors
where they are sampled."""

import exact
import numpy as np
import pytest

from rsmi.errors import UsageError
from rsmi.models.ising import torus as kaufman
from rsmi.statistics.jackknife import jackknife_error
from rsmi.statistics.reweighting import Reweighting, histogram, neighbour_differences

STATES = exact.every_configuration((4, 4))
ENERGIES = exact.ising_energies(STATES)
MAGNETIZATION = STATES.reshape(len(STATES), -1).sum(axis=1, dtype=np.int64) / 16
OBSERVABLES = np.column_stack([MAGNETIZATION**2, MAGNETIZATION**4])
COUPLINGS = np.array([0.5, 0.36, 0.42])  # in no order


def exact_averages(coupling):
    return exact.boltzmann(ENERGIES, coupling) @ np.column_stack([ENERGIES, OBSERVABLES])


def expected_histogram(sizes=(1000, 500, 3000)):
    """What infinitely many runs would count on average: all 65,536 states, with exact weights."""
    everything = histogram([0.0], [ENERGIES], [OBSERVABLES])
    weights = np.array(
        [
            n * np.exp(-k * everything.energies) / np.exp(-k * ENERGIES.astype(float)).sum()
            for k, n in sorted(zip(COUPLINGS, sizes))
        ]
    )
    return everything._replace(
        couplings=np.sort(COUPLINGS),
        counts=weights * everything.counts,
        sums=weights.sum(axis=0)[:, None] * everything.sums,
    )


def drawn(couplings, count, rng):
    chosen = [rng.choice(len(ENERGIES), count, p=exact.boltzmann(ENERGIES, k)) for k in couplings]
    return [ENERGIES[rows] for rows in chosen], [OBSERVABLES[rows] for rows in chosen]


def test_exact_density_of_states():
    """From exact histograms at three couplings the averages at any other, and the free energies,
    are exact; with the counts of two ensembles interchanged they are not."""
    data = expected_histogram()
    result = Reweighting(data)
    for coupling in (0.2, 0.36, 0.4, 0.44068679, 0.6):
        np.testing.assert_allclose(
            result.averages(coupling)[0], exact_averages(coupling), rtol=1e-9
        )
    log_z = np.array([np.log(np.exp(-k * ENERGIES.astype(float)).sum()) for k in data.couplings])
    np.testing.assert_allclose(result.free_energies, log_z[0] - log_z, atol=1e-9)
    swapped = Reweighting(data._replace(counts=data.counts[[1, 0, 2]]))
    assert abs(swapped.averages(0.4)[0][0] / exact_averages(0.4)[0] - 1) > 1e-3


def test_binder_cumulant_of_the_enumerated_torus():
    means, _ = Reweighting(expected_histogram()).averages(np.array([0.3, 0.44068679]))
    second, fourth = np.array([exact_averages(k)[1:] for k in (0.3, 0.44068679)]).T
    np.testing.assert_allclose(
        1 - means[:, 2] / (3 * means[:, 1] ** 2), 1 - fourth / (3 * second**2), rtol=1e-9
    )


def test_derivatives():
    """<O><E> - <O E>; of the energy minus its variance."""
    result, h = Reweighting(expected_histogram()), 1e-4
    _, slopes = result.averages([[0.4], [0.45]])
    assert slopes.shape == (2, 1, 3)
    numerical = (result.averages(0.4 + h)[0] - result.averages(0.4 - h)[0]) / (2 * h)
    np.testing.assert_allclose(slopes[0, 0], numerical, rtol=1e-6)


def test_bennetts_ratio_and_overlap():
    """On exact histograms: the difference of the free energies, and the integral of 2 p q / (p +
    q)."""
    data = expected_histogram()
    differences, overlaps = neighbour_differences(data)
    np.testing.assert_allclose(differences, np.diff(Reweighting(data).free_energies), atol=1e-9)
    p, q = (counts / counts.sum() for counts in data.counts[:2])
    assert overlaps[0] == pytest.approx((2 * p * q / (p + q)).sum(), rel=1e-9)
    assert 0.5 < overlaps.min() < overlaps.max() < 1


def test_ensembles_at_one_coupling_are_one():
    """Twice the same coupling is a longer run, not a singular equation."""
    energies, observables = drawn([0.4, 0.4, 0.45], 3000, np.random.default_rng(1))
    twice = Reweighting(histogram([0.4, 0.4, 0.45], energies, observables))
    once = Reweighting(
        histogram(
            [0.4, 0.45],
            [np.concatenate(energies[:2]), energies[2]],
            [np.concatenate(observables[:2]), observables[2]],
        )
    )
    assert twice.free_energies[1] == pytest.approx(0, abs=1e-8)
    np.testing.assert_allclose(twice.averages(0.42)[0], once.averages(0.42)[0], rtol=1e-8)


def test_ensembles_that_do_not_overlap():
    energies, observables = drawn([0.1, 1.2], 2000, np.random.default_rng(2))
    with pytest.raises(
        UsageError, match="overlap by .* too little to reweight: sample a temperature between them"
    ):
        Reweighting(histogram([0.1, 1.2], energies, observables))


def test_scatter_is_the_statistics_of_the_draws():
    """60 sets of draws at three couplings, reweighted between them: unbiased, and the jackknife
    error is the scatter. With the free energies of the full data kept fixed in the replicas errors
    would come out up to 20 % off.
    """
    rng, found = np.random.default_rng(3), []
    for _ in range(60):
        energies, observables = drawn(COUPLINGS, 600, rng)
        full = Reweighting(histogram(COUPLINGS, energies, observables))
        replicas = []
        for block in range(20):
            kept = np.arange(600) // 30 != block
            part = histogram(COUPLINGS, [e[kept] for e in energies], [o[kept] for o in observables])
            replicas.append(Reweighting(part, full.free_energies).averages(0.39)[0])
        found.append((full.averages(0.39)[0], jackknife_error(replicas)))
    values, errors = np.array(found).swapaxes(0, 1)
    spread = values.std(axis=0, ddof=1)
    assert np.all(np.abs(values.mean(axis=0) - exact_averages(0.39)) < 4 * spread / np.sqrt(60))
    assert np.all((0.75 < errors.mean(axis=0) / spread) & (errors.mean(axis=0) / spread < 1.35))


def test_energies_between_the_samples_are_kaufmans(tmp_path):
    """32x32, sampled at three temperatures, reweighted between and at them: |z| < 4 against the
    exact torus. Reweighted from the wrong couplings (.5 % off) the energy is off by 20 errors."""
    from rsmi.cli.application import run
    from rsmi.engine.stop import Stop
    from rsmi.store import open_file

    couplings, energies = [0.43, 0.44, 0.45], []
    for k in couplings:
        path = tmp_path / f"{k}.h5"
        assert (
            run(
                f"sample --size 32 --coupling {k} --algorithm swendsen-wang --samples 2400"
                f" --thermalization 60 --interval 6 -q -o {path}".split(),
                Stop(),
            )
            == 0
        )
        with open_file(path, "samples") as file:
            energies.append(file.read("/energy"))

    def z(shift, wanted):
        def mean(kept):
            chosen = [e[kept] for e in energies]
            return Reweighting(
                histogram(
                    np.array(couplings) * shift, chosen, [np.zeros((len(e), 0)) for e in chosen]
                )
            ).averages(wanted)[0][..., 0]

        blocks = np.arange(2400) // 8 * 20 // 300
        error = jackknife_error([mean(blocks != b) for b in range(20)])
        return (
            mean(blocks >= 0) - 1024 * np.array([kaufman.energy((32, 32), k) for k in wanted])
        ) / error

    wanted = np.array([0.43, 0.4325, 0.4375, 0.4425, 0.4475])
    assert np.abs(z(1.0, wanted)).max() < 4
    assert np.abs(z(1.005, wanted)).max() > 10
