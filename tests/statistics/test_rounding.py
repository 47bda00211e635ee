"""Reported numbers are rounded to the digits on which all libraries agree."""

import json

import h5py
import numpy as np

from rsmi.statistics.rounding import aligned, estimates, reported, significant


def test_significant_digits():
    numbers = np.array([0.0, -1.5, np.pi, 1e-300 / 3, 2e300 / 3, np.nan, np.inf, -np.inf])
    rounded = significant(numbers, 5)
    assert rounded.tolist()[:5] == [0.0, -1.5, 3.1416, 3.3333e-301, 6.6667e299]
    assert np.isnan(rounded[5]) and rounded[6:].tolist() == [np.inf, -np.inf]
    many = np.random.default_rng(1).normal(size=(50, 20)) * 10.0 ** np.arange(-10, 10)
    once = significant(many)
    assert (significant(once) == once).all() and once.shape == many.shape
    assert (abs(once / many - 1) < 5.1e-10).all() and (once != many).any()


def test_vectors():
    """All components of a vector keep the decimal places of its largest one."""
    vectors = np.array([[200 / 3, 1e-5 / 3, -1e-12], [2e-20 / 3, 0.0, np.nan], [0.0, 0.0, -0.0]])
    rounded = aligned(vectors)
    assert rounded[0].tolist() == [66.66666667, 3.33e-6, 0.0]
    assert rounded[1, 0] == 6.666666667e-21 and np.isnan(rounded[1, 2])
    assert not np.signbit(rounded[0, 2]) and (rounded[2] == 0).all()
    assert np.array_equal(aligned(rounded), rounded, equal_nan=True)


def test_estimates():
    """The digits of an error bar stay; what lies below a ten-millionth of it goes."""
    values = np.array([1 / 3, 1 / 3, 1e-5 / 3, -1 / 3, 1 / 3, np.nan])
    errors = np.array([0.02, 1e-9, 1.0, 0.0, np.nan, 0.1])
    rounded = estimates(values, errors)
    expected = [0.333333333, 0.3333333333, 3.3e-6, -0.3333333333, 0.3333333333]
    assert rounded.tolist()[:5] == expected and np.isnan(rounded[5])
    assert (estimates(rounded, errors)[:5] == rounded[:5]).all()


def test_nested_results():
    result = {
        "value": 1 / 3,
        "error": 2e-9 / 3,
        "covariance": {"y_t": [[1e-18 / 3, None]]},
        "rows": [{"step": 3, "x": 2 / 3, "name": "K", "wraps": True}],
        "array": np.array([1, 2]),
        "nu": 2 / 3,
        "nu_error": 0.2 / 3,
        "error_statistical": 1 / 3,
    }
    rounded = reported(result)
    assert rounded["value"] == 0.3333333333 and rounded["error"] == 6.6666667e-10
    assert rounded["nu"] == 0.666666667 and rounded["nu_error"] == 0.066666667
    assert rounded["error_statistical"] == 0.33333333
    assert rounded["covariance"] == {"y_t": [[3.3333333e-19, None]]}
    assert rounded["rows"] == [{"step": 3, "x": 0.6666666667, "name": "K", "wraps": True}]
    assert rounded["array"] is result["array"]


def test_stored_results(pipeline):
    """What the files of results hold is rounded already."""
    with h5py.File(pipeline / "exponent.h5") as file:
        result = json.loads(bytes(file["/result"][()]))
        assert reported(result) == result
        for group in ("sequence", "covariance"):
            for name, dataset in file[group].items():
                rounded = reported({f"{group}/{name}": dataset[()]})[f"{group}/{name}"]
                assert np.array_equal(rounded, dataset[()], equal_nan=True)
