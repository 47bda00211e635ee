"""Forged attributes, and the texts that are stored as data."""

import h5py
import numpy as np

from hostile.datasets import datasets, extreme, replace

_TEXTS = [
    b"",
    b"ising",
    b"dimers",
    b"open",
    b"periodic",
    b"cell",
    b"wolff",
    b"heat-bath",
    b"loop",
    b"sample",
    b"flow",
    b"proxy",
    b"null",
    b"{}",
    b"[]",
    b"[1,2]",
    b'{"a":1}',
    b"\xff\xfe",
    b"x" * 60000,
    b"../x",
    b"nan",
    b"samples",
    b"lambda",
    b'"majority"',
    b"[" * 9000,
]
_NUMBERS = [
    0,
    1,
    -1,
    2,
    3,
    7,
    16,
    1 << 20,
    1 << 31,
    (1 << 62),
    -(1 << 62),
    0.0,
    -0.5,
    0.5,
    np.nan,
    np.inf,
    1e308,
    1e-308,
    1e17,
]
_ARRAYS = [
    [],
    [0],
    [1],
    [2],
    [2, 2],
    [4, 4],
    [0, 0],
    [1, 1],
    [-2, -2],
    [16, 16],
    [8, 8, 8],
    [2, 2, 2, 2],
    [1 << 62, 2],
    [1 << 31],
    [3, 5],
    [1, 16],
    np.zeros((3, 3), np.int64),
    np.zeros(7000),
]


_STRANGE = (
    "variable",
    h5py.Empty("i8"),
    np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]),
    np.zeros(1, "V4"),
    np.array(["a", "b"], object),
    np.True_,
    1j,
    np.float16(2),
)


def _missing(attributes, name, rng):
    del attributes[name]


def _any_text(attributes, name, rng):
    attributes[name] = np.bytes_(_TEXTS[rng.integers(len(_TEXTS))])


def _any_number(attributes, name, rng):
    attributes[name] = _NUMBERS[rng.integers(len(_NUMBERS))]


def _any_array(attributes, name, rng):
    attributes[name] = _ARRAYS[rng.integers(len(_ARRAYS))]


def _strange_type(attributes, name, rng):
    value = _STRANGE[rng.integers(len(_STRANGE))]
    texts = isinstance(value, np.ndarray) and value.dtype == object
    attributes.create(name, value, dtype=h5py.string_dtype() if texts else None)


def _bearer(handle, rng):
    """The root mostly, or whatever else has attributes."""
    found = []
    handle.visititems(lambda name, item: found.append(name) if len(item.attrs) else None)
    return (
        handle
        if len(handle.attrs) and (not found or rng.random() < 0.8)
        else handle[sorted(found)[rng.integers(len(found))]]
    )


def _same_type(attributes, name, rng):
    """Another value that could be meant."""
    value = attributes[name]
    if isinstance(value, bytes):
        found = (
            [text for text in _TEXTS if text]
            if not value.startswith((b"{", b"["))
            else [
                value.replace(b"1", b"2"),
                value.replace(b":", b":-"),
                value.replace(b"0", b"null"),
                value[:-1] + b',"more":1}',
                value.replace(b'"', b""),
            ]
        )
        attributes[name] = np.bytes_(found[rng.integers(len(found))] or b"x")
    else:
        array = np.atleast_1d(value).copy()
        array[rng.integers(array.size)] = (
            extreme(array.dtype, rng)
            if rng.random() < 0.5
            else rng.choice([0, 1, 2, 3, 4, 5, 8, 16, 32, 100])
        )
        attributes[name] = array.reshape(np.shape(value))


CHANGES = (
    _missing,
    _any_text,
    _any_number,
    _any_number,
    _any_array,
    _strange_type,
    _same_type,
    _same_type,
)


def attribute(handle, rng):
    """Another value of an attribute, or none."""
    attributes = _bearer(handle, rng).attrs
    name = str(rng.choice(sorted(attributes)))
    CHANGES[rng.integers(len(CHANGES))](attributes, name, rng)


def text(handle, rng):
    """The JSON and the names that are stored as data."""
    names = [
        name
        for name in datasets(handle)
        if handle[name].dtype.kind == "S" and handle[name].shape == ()
    ]
    name = names[rng.integers(len(names))]
    old = bytes(handle[name][()])
    new = [
        old[: len(old) // 2],
        old.replace(b"1", b"-9"),
        old.replace(b":", b":[]", 1),
        b"[]",
        b"{}",
        b"null",
        b"[" * 60000,
        old.replace(b"null", b"1e999"),
        b"\xff" + old,
        old + old,
        b'[{"command":"sample","parameters":{},"digest":"x"}]',
    ]
    replace(handle, name, data=np.bytes_(new[rng.integers(len(new))]))
