"""Forged files: well-formed HDF5 that says what it must not, signed with the digest that belongs to
it. The generator alone decides what is changed."""

import contextlib
import warnings

import h5py

from hostile.attributes import attribute, text
from hostile.datasets import (
    all_shapes,
    all_values,
    bomb,
    datasets,
    huge,
    huge_chunk,
    noise,
    one_value,
    other_dtype,
    other_shape,
    raw_chunk,
    unknown_filter,
)
from hostile.links import elsewhere, groups, link, without
from rsmi.store.digest import content_digest
from rsmi.store.writer import write_text

FORGERIES = (
    one_value,
    all_values,
    noise,
    other_dtype,
    other_shape,
    all_shapes,
    huge,
    huge_chunk,
    bomb,
    unknown_filter,
    raw_chunk,
    without,
    link,
    groups,
    elsewhere,
    attribute,
    text,
)
_LAST = (elsewhere, unknown_filter, raw_chunk)  # HDF5 may crash on what they leave, here already
_PLAUSIBLE = (one_value, all_values, noise, all_shapes, attribute, attribute, text)


def forge(path, rng, among=FORGERIES) -> str:
    """Change the HDF5 file at ``path``, and sign it with the digest of what it then holds; the
    kinds of the changes."""
    kinds = [among[rng.integers(len(among))] for _ in range(1 + (rng.random() < 0.2))]
    kinds = [kind for kind in kinds if kind not in _LAST] + [
        kind for kind in kinds if kind in _LAST
    ][:1]
    with contextlib.suppress(Exception), warnings.catch_warnings(), h5py.File(path, "r+") as handle:
        warnings.simplefilter("ignore")
        for kind in kinds:
            with contextlib.suppress(
                Exception
            ):  # impossible where it is: the file stays as it was, or half changed
                kind(handle, rng)
        if kinds[-1] not in _LAST and _is_plain(handle):
            with contextlib.suppress(Exception):
                write_text(handle, "digest", content_digest(handle))
    return kinds[0].__name__


def _is_plain(handle) -> bool:
    """Whether its digest can be computed: some of what is forged here would crash HDF5, or take
    long."""
    found = [handle[name] for name in datasets(handle)]
    return sum(item.nbytes for item in found) < 1 << 22 and not any(
        item.is_virtual or item.external or item.dtype.kind not in "iufbS" for item in found
    )


def plausible(path, rng) -> str:
    """As `forge`, but so that it passes for a good file more often."""
    return forge(path, rng, _PLAUSIBLE)
