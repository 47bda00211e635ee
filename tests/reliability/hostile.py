"""Hostile files, and a pen to open them in.

`damaged` changes bytes (with the checksums of the metadata repaired, so that HDF5 believes them),
`forged` makes well-formed HDF5 that says what it must not, signed with the digest that belongs to
it. Both are decided by their generator alone. `in_pen` runs a function on many of them in forked
processes with little memory and time: a crash of HDF5 itself is seen, and named by the number of
the mutant.
"""

import collections
import contextlib
import functools
import os
import pickle
import resource
import shutil
import signal
import struct
import traceback
import warnings

import h5py
import numpy as np

from rsmi.store.digest import content_digest
from rsmi.store.writer import write_text

MEMORY = 400 << 20  # bytes beyond what the process has already
CPU_SECONDS = 20  # of one mutant
PATIENCE = 200  # seconds that it may wait for something
MOST_DEATHS = 20  # of pens before giving up

# ---- bytes ---------------------------------------------------------------------------------------

_WORDS = [
    0,
    1,
    0xFF,
    0x7F,
    1 << 15,
    1 << 31,
    (1 << 31) - 1,
    (1 << 32) - 1,
    1 << 62,
    (1 << 63) - 1,
    1 << 63,
    (1 << 64) - 1,
]


def _flip(content, rng):
    for place in _places(content, rng, rng.integers(1, 9)):
        content[place] ^= 1 << rng.integers(8)


def _overwrite(content, rng):
    for place in _places(content, rng, rng.integers(1, 9)):
        content[place] = rng.integers(256)


def _word(content, rng):
    size = int(rng.choice([1, 2, 4, 8]))
    for place in _places(content, rng, rng.integers(1, 4)):
        content[place : place + size] = (int(rng.choice(_WORDS)) & ((1 << 8 * size) - 1)).to_bytes(
            size, "little"
        )[: len(content) - place]


def _truncate(content, rng):
    del content[rng.integers(len(content)) :]


def _append(content, rng):
    content += rng.bytes(rng.integers(1, 5000))


def _copy(content, rng):
    size = int(rng.integers(1, 512))
    source, target = rng.integers(len(content), size=2)
    piece = content[source : source + size]
    content[target : target + len(piece)] = piece


def _blank(content, rng):
    start, size = int(rng.integers(len(content))), int(rng.integers(1, 2000))
    content[start : start + size] = bytes(len(content[start : start + size]))


def _places(content, rng, count):
    """Mostly among the metadata, where a reader believes what it reads."""
    marks = _marks(bytes(content))
    for _ in range(count):
        start, size = marks[rng.integers(len(marks))] if rng.random() < 0.7 else (0, len(content))
        yield min(start + int(rng.integers(size)), len(content) - 1)


DAMAGES = (_flip, _overwrite, _word, _truncate, _append, _copy, _blank)


HEADERS = (b"\x89HDF", b"OHDR", b"OCHK")
HEAPS = (b"FRHP", b"FHIB", b"FHDB", b"BTHD", b"BTLF")


def damaged(content: bytes, rng, repaired=HEADERS) -> tuple[str, bytes]:
    """(kind, content) of a file with a few bytes changed, in half the cases with the checksums
    right again of what is ``repaired``."""
    damage = DAMAGES[rng.choice(len(DAMAGES), p=[0.3, 0.2, 0.3, 0.05, 0.05, 0.05, 0.05])]
    changed, repair = bytearray(content), bool(checksums(content)) and rng.random() < 0.5
    damage(changed, rng)
    for start, size, place in checksums(content) if repair else ():
        if content[start : start + 4] not in repaired:
            continue
        if changed[start : start + size] != content[start : start + size] and place + 4 <= len(
            changed
        ):
            changed[place : place + 4] = _checksum(changed, start, size, place)
    return damage.__name__[1:] + (" repaired" if repair else ""), bytes(changed)


@functools.lru_cache(maxsize=4)
def _marks(content: bytes) -> list[tuple[int, int]]:
    """(start, size) of HDF5's metadata; of a file without checksums, where such may be, and of its
    beginning and end."""
    old = [
        (start, 256)
        for mark in (b"TREE", b"HEAP", b"SNOD", b"GCOL")
        for start in _finds(content, mark)
    ]
    return [(start, size) for start, size, _ in checksums(content)] or [
        (0, 1024),
        *old,
        (max(0, len(content) - 256), 256),
    ]


def _finds(content, mark: bytes):
    start = content.find(mark)
    while start >= 0:
        yield start
        start = content.find(mark, start + 1)


@functools.lru_cache(maxsize=4)
def checksums(content: bytes) -> list[tuple[int, int, int]]:
    """(start, size, place of the checksum) of what in an HDF5 file has one: superblock, object
    headers, heaps and B-trees.

    The sizes are found by trying. In the direct blocks of heaps the checksum stands inside, and
    counts as 0.
    """
    if content[:4] != b"\x89HDF" or content[8] < 2:
        return []
    found = [(0, 44, 44)]
    for mark in (*HEADERS[1:], *(mark for mark in HEAPS if mark != b"FHDB")):
        sizes = dict.fromkeys(range(8, 1024))
        for start in _finds(content, mark):
            size = next(
                (
                    size
                    for size in sizes
                    if content[start + size : start + size + 4]
                    == _checksum(content, start, size, start + size)
                ),
                None,
            )
            if size:
                found.append((start, size, start + size))
                sizes = {size: None} | sizes  # the likely ones first
    for start in _finds(content, b"FHDB"):
        blocks = [
            (start, 1 << bits, start + 13 + width) for bits in range(9, 17) for width in (4, 5)
        ]
        found += [
            block
            for block in blocks
            if sum(block[:2]) <= len(content)
            and content[block[2] : block[2] + 4] == _checksum(content, *block)
        ]
    return found


def _checksum(content, start: int, size: int, place: int) -> bytes:
    key = bytearray(content[start : start + size])
    if place < start + size:
        key[place - start : place - start + 4] = bytes(4)
    return struct.pack("<I", lookup3(bytes(key)))


def lookup3(key: bytes) -> int:
    """Bob Jenkins' hash of 2006, the checksum of HDF5's metadata."""
    mask = 0xFFFFFFFF
    a = b = c = (0xDEADBEEF + len(key)) & mask

    def rotate(x, k):
        return (x << k | x >> (32 - k)) & mask

    padded = key + bytes(-len(key) % 12)
    words = struct.unpack(f"<{len(padded) // 4}I", padded)
    for i in range(0, len(words) - 3, 3):
        a, b, c = (a + words[i]) & mask, (b + words[i + 1]) & mask, (c + words[i + 2]) & mask
        a = (a - c) & mask ^ rotate(c, 4)
        c = (c + b) & mask  # noqa: E702
        b = (b - a) & mask ^ rotate(a, 6)
        a = (a + c) & mask  # noqa: E702
        c = (c - b) & mask ^ rotate(b, 8)
        b = (b + a) & mask  # noqa: E702
        a = (a - c) & mask ^ rotate(c, 16)
        c = (c + b) & mask  # noqa: E702
        b = (b - a) & mask ^ rotate(a, 19)
        a = (a + c) & mask  # noqa: E702
        c = (c - b) & mask ^ rotate(b, 4)
        b = (b + a) & mask  # noqa: E702
    if not words:
        return c
    a, b, c = (a + words[-3]) & mask, (b + words[-2]) & mask, (c + words[-1]) & mask
    for x, y, k in (
        (2, 1, 14),
        (0, 2, 11),
        (1, 0, 25),
        (2, 1, 16),
        (0, 2, 4),
        (1, 0, 14),
        (2, 1, 24),
    ):
        values = [a, b, c]
        values[x] = ((values[x] ^ values[y]) - rotate(values[y], k)) & mask
        a, b, c = values
    return c


# ---- well-formed HDF5 that lies ------------------------------------------------------------------


def _datasets(handle):
    found = []
    handle.visititems(
        lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None
    )
    return sorted(found)


def _pick(handle, rng):
    names = _datasets(handle)
    return names[rng.integers(len(names))]


def _plain(handle, rng):
    """A dataset of plain numbers or texts: writing into references, or into what is a view of
    itself, crashes HDF5 here already."""
    dataset = handle[_pick(handle, rng)]
    if dataset.dtype.kind not in "iufbS" or dataset.is_virtual:
        raise TypeError("impossible")
    return dataset


def _extreme(dtype, rng):
    if dtype.kind == "f":
        return rng.choice([np.nan, np.inf, -np.inf, -1.0, 0.0, 1e308, 1e-320, -1e17, 0.5])
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return [limits.min, limits.max, 0, 1, max(limits.min, -1), limits.max // 2][rng.integers(6)]
    return rng.bytes(max(1, dtype.itemsize))


def _one_value(handle, rng):
    dataset = _plain(handle, rng)
    place = tuple(int(rng.integers(size)) for size in dataset.shape)
    dataset[place] = _extreme(dataset.dtype, rng)


def _all_values(handle, rng):
    dataset = _plain(handle, rng)
    dataset[...] = np.full(dataset.shape, _extreme(dataset.dtype, rng), dataset.dtype)


def _noise(handle, rng):
    dataset = _plain(handle, rng)
    dataset[...] = np.frombuffer(rng.bytes(dataset.nbytes), dataset.dtype).reshape(dataset.shape)


def _replace(handle, name, **settings):
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


def _other_dtype(handle, rng):
    name, dtype = _pick(handle, rng), _DTYPES[rng.integers(len(_DTYPES))]
    shape, array = handle[name].shape, handle[name][()]
    _replace(handle, name, shape=shape, dtype=dtype)
    with contextlib.suppress(Exception):
        handle[name][...] = np.asarray(array).astype(dtype)


def _other_shape(handle, rng):
    name = _pick(handle, rng)
    array = np.asarray(handle[name][()])
    changes = [
        lambda a: a.reshape(-1),
        lambda a: a[np.newaxis],
        lambda a: a.T,
        lambda a: a[:0],
        lambda a: a[:1],
        lambda a: a[:-1],
        lambda a: np.concatenate([a, a]),
        lambda a: a.flat[0],
        lambda a: a[..., :-1],
        lambda a: np.zeros(3, a.dtype),
    ]
    _replace(handle, name, data=changes[rng.integers(len(changes))](array))


def _all_shapes(handle, rng):
    """The same axis of every dataset that has its length: still consistent."""
    names = [name for name in _datasets(handle) if handle[name].ndim]
    length = handle[names[rng.integers(len(names))]].shape[0]
    kept = int(rng.choice([0, 1, 2, max(1, length - 1)]))
    for name in names:
        if handle[name].shape[0] == length:
            _replace(handle, name, data=handle[name][:kept])


def _huge(handle, rng):
    name = _pick(handle, rng)
    shape, dtype = handle[name].shape or (1,), handle[name].dtype
    shape = (1 << int(rng.integers(16, 60)), *shape[1:])
    _replace(
        handle,
        name,
        shape=shape,
        dtype=dtype,
        chunks=(1 << 12, *[min(64, size) for size in shape[1:]]),
    )


def _huge_chunk(handle, rng):
    name = _pick(handle, rng)
    array = handle[name][()]
    _replace(
        handle,
        name,
        shape=array.shape or (1,),
        maxshape=(None,) * max(1, array.ndim),
        dtype=array.dtype,
        chunks=tuple([1 << int(rng.integers(16, 28))] + [1] * (max(1, array.ndim) - 1)),
    )


def _bomb(handle, rng):
    name = _pick(handle, rng)
    shape, dtype = handle[name].shape or (1,), handle[name].dtype
    size = dtype.itemsize * int(np.prod(shape[1:]))
    rows = max(1, (1 << int(rng.integers(16, 28))) // max(1, size))
    _replace(
        handle,
        name,
        shape=(rows, *shape[1:]),
        dtype=dtype,
        compression="gzip",
        chunks=(max(1, min(rows, (1 << 20) // max(1, size))), *shape[1:]),
    )
    if rng.random() < 0.3 and handle[name].nbytes < 1 << 22:
        handle[name][...] = np.zeros(handle[name].shape, dtype)


def _filter(handle, rng):
    """A filter that nobody has."""
    name = _pick(handle, rng)
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


def _raw_chunk(handle, rng):
    """Garbage in the place of a checksummed or compressed chunk."""
    dataset = handle[_pick(handle, rng)]
    if dataset.chunks:
        dataset.id.write_direct_chunk(
            (0,) * dataset.ndim,
            rng.bytes(int(rng.integers(1, 4096))),
            filter_mask=int(rng.integers(4)),
        )


def _without(handle, rng):
    name = _pick(handle, rng)
    del handle[name if rng.random() < 0.7 else name.split("/")[0]]


def _link(handle, rng):
    name, groups = (
        _pick(handle, rng),
        [
            "/",
            *{name.rsplit("/", 1)[0] for name in _datasets(handle) if "/" in name},
        ],
    )
    other, group = _pick(handle, rng), str(rng.choice(sorted(groups)))
    target = [
        lambda: h5py.SoftLink("/" + other),
        lambda: h5py.SoftLink("/" + name),
        lambda: h5py.SoftLink("/nowhere"),
        lambda: h5py.SoftLink("/"),
        lambda: h5py.ExternalLink("elsewhere.h5", "/spins"),
        lambda: h5py.ExternalLink("mutant.h5", "/" + other),
        lambda: h5py.ExternalLink("/dev/zero", "/x"),
        lambda: handle["/"],
        lambda: handle[group],
        lambda: handle[other],
    ][rng.integers(10)]()
    if rng.random() < 0.5:
        del handle[name]
        handle[name] = target
    else:
        handle[f"{group}/more-{rng.integers(1000)}"] = target


def _groups(handle, rng):
    """Deep, or many; or where a dataset should be."""
    choice, name = rng.integers(4), _pick(handle, rng)
    if choice == 0:
        handle.create_group("/".join(f"g{i}" for i in range(int(rng.integers(3, 200)))))
    elif choice == 1:
        for i in range(300):
            handle.create_group(f"state/many-{i}")
    else:
        del handle[name]
        handle[name] = handle.create_group("x") if choice == 2 else np.dtype("i8")


def _elsewhere(handle, rng):
    """Data in another file, or none."""
    name = _pick(handle, rng)
    shape, dtype = handle[name].shape or (1,), handle[name].dtype
    choice = rng.integers(3)
    del handle[name]
    if choice == 0:
        layout = h5py.VirtualLayout(shape, dtype)
        layout[...] = h5py.VirtualSource(
            str(rng.choice([".", "elsewhere.h5", "/dev/zero"])), name, shape
        )
        handle.create_virtual_dataset(name, layout)
    elif choice == 1:
        handle.create_dataset(
            name,
            shape,
            dtype,
            external=[
                (str(rng.choice(["elsewhere", "/dev/zero", "/etc/passwd"])), 0, h5py.h5f.UNLIMITED)
            ],
        )
    else:
        handle.create_dataset(name, data=h5py.Empty(dtype))


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


def _attribute(handle, rng):
    handle = _bearer(handle, rng)
    name, choice = str(rng.choice(sorted(handle.attrs))), rng.integers(8)
    if choice == 0:
        del handle.attrs[name]
    elif choice == 1:
        handle.attrs[name] = np.bytes_(_TEXTS[rng.integers(len(_TEXTS))])
    elif choice in (2, 3):
        handle.attrs[name] = _NUMBERS[rng.integers(len(_NUMBERS))]
    elif choice == 4:
        handle.attrs[name] = _ARRAYS[rng.integers(len(_ARRAYS))]
    elif choice == 5:
        strange = [
            "variable",
            h5py.Empty("i8"),
            np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]),
            np.zeros(1, "V4"),
            np.array(["a", "b"], object),
            np.True_,
            1j,
            np.float16(2),
        ]
        value = strange[rng.integers(len(strange))]
        handle.attrs.create(
            name,
            value,
            dtype=(
                h5py.string_dtype()
                if isinstance(value, np.ndarray) and value.dtype == object
                else None
            ),
        )
    else:
        _same_type(handle.attrs, name, rng)


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
            _extreme(array.dtype, rng)
            if rng.random() < 0.5
            else rng.choice([0, 1, 2, 3, 4, 5, 8, 16, 32, 100])
        )
        attributes[name] = array.reshape(np.shape(value))


def _text(handle, rng):
    """The JSON and the names that are stored as data."""
    names = [
        name
        for name in _datasets(handle)
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
    _replace(handle, name, data=np.bytes_(new[rng.integers(len(new))]))


FORGERIES = (
    _one_value,
    _all_values,
    _noise,
    _other_dtype,
    _other_shape,
    _all_shapes,
    _huge,
    _huge_chunk,
    _bomb,
    _filter,
    _raw_chunk,
    _without,
    _link,
    _groups,
    _elsewhere,
    _attribute,
    _text,
)
_LAST = (_elsewhere, _filter, _raw_chunk)  # HDF5 may crash on what they leave, here already
_PLAUSIBLE = (_one_value, _all_values, _noise, _all_shapes, _attribute, _attribute, _text)


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
    return kinds[0].__name__[1:]


def _is_plain(handle) -> bool:
    """Whether its digest can be computed: some of what is forged here would crash HDF5, or take
    long."""
    found = [handle[name] for name in _datasets(handle)]
    return sum(item.nbytes for item in found) < 1 << 22 and not any(
        item.is_virtual or item.external or item.dtype.kind not in "iufbS" for item in found
    )


def plausible(path, rng) -> str:
    """As `forge`, but so that it passes for a good file more often."""
    return forge(path, rng, _PLAUSIBLE)


# ---- the pen -------------------------------------------------------------------------------------


def in_pen(numbers, work, memory=MEMORY) -> tuple[collections.Counter, list[str]]:
    """Call ``work(number)`` for all ``numbers`` in forked processes.

    Returns
    -------
    outcomes : Counter
        Of what ``work`` returned.
    escapes : list of str
        What went wrong: an exception, or the signal that the process died of.
    """
    outcomes, escapes, left = collections.Counter(), [], list(numbers)
    while left and len(escapes) < MOST_DEATHS:
        done, ending = _one_pen(left, work, memory)
        for outcome in done:
            outcomes[outcome] += 1
        left = left[len(done) :]
        if ending:
            escapes.append(f"mutant {left[0]}: {ending}" if left else ending)
            left = left[1:]
    return outcomes, escapes


def in_pens(numbers, work, memory=MEMORY) -> tuple[collections.Counter, list[str]]:
    """As `in_pen`, one pen a core, each in a folder of its own."""
    cores, children = len(os.sched_getaffinity(0)), []
    for core in range(cores):
        os.makedirs(f"pen-{core}", exist_ok=True)
        children.append(os.fork())
        if children[-1] == 0:
            os.chdir(f"pen-{core}")
            with open("found", "wb") as stream:
                pickle.dump(
                    in_pen(
                        numbers[core * len(numbers) // cores : (core + 1) * len(numbers) // cores],
                        work,
                        memory,
                    ),
                    stream,
                )
            os._exit(0)
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    found = []
    for core in range(cores):
        with open(f"pen-{core}/found", "rb") as stream:
            found.append(pickle.load(stream))
    return sum((outcomes for outcomes, _ in found), collections.Counter()), [
        escape for _, escapes in found for escape in escapes
    ]


def _one_pen(numbers, work, memory) -> tuple[list, str]:
    """Outcomes up to the first escape, and that."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        with os.fdopen(writer, "wb") as stream:
            _in_child(numbers, work, memory, stream)
        os._exit(0)
    os.close(writer)
    done, ending = [], ""
    with os.fdopen(reader, "rb") as stream, contextlib.suppress(EOFError, pickle.UnpicklingError):
        while True:
            kind, value = pickle.load(stream)
            if kind == "escape":
                ending = value
            else:
                done.append(value)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        ending = f"died of {signal.Signals(os.WTERMSIG(status)).name}"
    elif not ending and len(done) < len(numbers):
        ending = f"ended with status {status}"
    return done, ending


def _in_child(numbers, work, memory, stream) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with open("/proc/self/statm") as table:
        now = int(table.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + memory, resource.RLIM_INFINITY))
    for number in numbers:
        used = sum(os.times()[:2])
        resource.setrlimit(resource.RLIMIT_CPU, (int(used) + CPU_SECONDS, resource.RLIM_INFINITY))
        signal.alarm(PATIENCE)
        try:
            answer = "done", work(number)
        except BaseException:
            answer = "escape", traceback.format_exc()
        pickle.dump(answer, stream)
        stream.flush()
        if answer[0] == "escape":
            return


def fresh(source, target="mutant.h5"):
    """A copy to spoil."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(target)
    return shutil.copy(source, target)
