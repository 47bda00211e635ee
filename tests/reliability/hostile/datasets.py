"""Forged datasets: values, types, shapes, sizes and storage."""

import contextlib

import h5py
import numpy as np


def datasets(handle):
    found = []
    handle.visititems(
        lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None
    )
    return sorted(found)


def pick(handle, rng):
    names = datasets(handle)
    return names[rng.integers(len(names))]


def _plain(handle, rng):
    """A dataset of plain numbers or texts: writing into references, or into what is a view of
    itself, crashes HDF5 here already."""
    dataset = handle[pick(handle, rng)]
    if dataset.dtype.kind not in "iufbS" or dataset.is_virtual:
        raise TypeError("impossible")
    return dataset


def extreme(dtype, rng):
    if dtype.kind == "f":
        return rng.choice([np.nan, np.inf, -np.inf, -1.0, 0.0, 1e308, 1e-320, -1e17, 0.5])
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return [limits.min, limits.max, 0, 1, max(limits.min, -1), limits.max // 2][rng.integers(6)]
    return rng.bytes(max(1, dtype.itemsize))


def one_value(handle, rng):
    dataset = _plain(handle, rng)
    place = tuple(int(rng.integers(size)) for size in dataset.shape)
    dataset[place] = extreme(dataset.dtype, rng)


def all_values(handle, rng):
    dataset = _plain(handle, rng)
    dataset[...] = np.full(dataset.shape, extreme(dataset.dtype, rng), dataset.dtype)


def noise(handle, rng):
    dataset = _plain(handle, rng)
    dataset[...] = np.frombuffer(rng.bytes(dataset.nbytes), dataset.dtype).reshape(dataset.shape)


def replace(handle, name, **settings):
    del handle[name]
    handle.create_dataset(name, **settings)


_DTYPES = [
    "f4",
    "f8",
    "f2",
    "i1",
    "u8",
    "i4",
    ">i8",
    ">f8",
    "S7",
    "?",
    "c16",
    "V5",
    [("a", "i4"), ("b", "f8")],
    h5py.string_dtype(),
    h5py.vlen_dtype("i4"),
    h5py.ref_dtype,
    h5py.enum_dtype({"a": 1}),
]


def other_dtype(handle, rng):
    name, dtype = pick(handle, rng), _DTYPES[rng.integers(len(_DTYPES))]
    shape, array = handle[name].shape, handle[name][()]
    replace(handle, name, shape=shape, dtype=dtype)
    with contextlib.suppress(Exception):
        handle[name][...] = np.asarray(array).astype(dtype)


def _flat(array):
    return array.reshape(-1)


def _with_one_more_axis(array):
    return array[np.newaxis]


def _transposed(array):
    return array.T


def _without_rows(array):
    return array[:0]


def _of_one_row(array):
    return array[:1]


def _a_row_shorter(array):
    return array[:-1]


def _twice(array):
    return np.concatenate([array, array])


def _first_number(array):
    return array.flat[0]


def _a_column_narrower(array):
    return array[..., :-1]


def _three_zeros(array):
    return np.zeros(3, array.dtype)


SHAPES = (
    _flat,
    _with_one_more_axis,
    _transposed,
    _without_rows,
    _of_one_row,
    _a_row_shorter,
    _twice,
    _first_number,
    _a_column_narrower,
    _three_zeros,
)


def other_shape(handle, rng):
    """Another shape of one dataset."""
    name = pick(handle, rng)
    array = np.asarray(handle[name][()])
    replace(handle, name, data=SHAPES[rng.integers(len(SHAPES))](array))


def all_shapes(handle, rng):
    """The same axis of every dataset that has its length: still consistent."""
    names = [name for name in datasets(handle) if handle[name].ndim]
    length = handle[names[rng.integers(len(names))]].shape[0]
    kept = int(rng.choice([0, 1, 2, max(1, length - 1)]))
    for name in names:
        if handle[name].shape[0] == length:
            replace(handle, name, data=handle[name][:kept])


def huge(handle, rng):
    name = pick(handle, rng)
    shape, dtype = handle[name].shape or (1,), handle[name].dtype
    shape = (1 << int(rng.integers(16, 60)), *shape[1:])
    replace(
        handle,
        name,
        shape=shape,
        dtype=dtype,
        chunks=(1 << 12, *[min(64, size) for size in shape[1:]]),
    )


def huge_chunk(handle, rng):
    name = pick(handle, rng)
    array = handle[name][()]
    replace(
        handle,
        name,
        shape=array.shape or (1,),
        maxshape=(None,) * max(1, array.ndim),
        dtype=array.dtype,
        chunks=tuple([1 << int(rng.integers(16, 28))] + [1] * (max(1, array.ndim) - 1)),
    )


def bomb(handle, rng):
    name = pick(handle, rng)
    shape, dtype = handle[name].shape or (1,), handle[name].dtype
    size = dtype.itemsize * int(np.prod(shape[1:]))
    rows = max(1, (1 << int(rng.integers(16, 28))) // max(1, size))
    replace(
        handle,
        name,
        shape=(rows, *shape[1:]),
        dtype=dtype,
        compression="gzip",
        chunks=(max(1, min(rows, (1 << 20) // max(1, size))), *shape[1:]),
    )
    if rng.random() < 0.3 and handle[name].nbytes < 1 << 22:
        handle[name][...] = np.zeros(handle[name].shape, dtype)


def unknown_filter(handle, rng):
    """A filter that nobody has."""
    name = pick(handle, rng)
    array = np.atleast_1d(handle[name][()])
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk(array.shape)
    plist.set_filter(int(rng.integers(300, 60000)), h5py.h5z.FLAG_OPTIONAL, (1, 2, 3))
    del handle[name]
    data = h5py.h5d.create(
        handle.id,
        name.encode(),
        h5py.h5t.py_create(array.dtype),
        h5py.h5s.create_simple(array.shape),
        plist,
    )
    h5py.Dataset(data)[...] = array
    if rng.random() < 0.5:
        data.write_direct_chunk((0,) * array.ndim, rng.bytes(64), filter_mask=int(rng.integers(2)))


def raw_chunk(handle, rng):
    """Garbage in the place of a checksummed or compressed chunk."""
    dataset = handle[pick(handle, rng)]
    if dataset.chunks:
        dataset.id.write_direct_chunk(
            (0,) * dataset.ndim,
            rng.bytes(int(rng.integers(1, 4096))),
            filter_mask=int(rng.integers(4)),
        )
