"""Damaged files: a few bytes are changed, with the checksums of the metadata right again in half of
the cases, so that HDF5 believes them. The generator alone decides what is changed."""

import functools
import struct

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
            changed[place : place + 4] = checksum(changed, start, size, place)
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
                    == checksum(content, start, size, start + size)
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
            and content[block[2] : block[2] + 4] == checksum(content, *block)
        ]
    return found


def checksum(content, start: int, size: int, place: int) -> bytes:
    """The checksum of a piece of metadata, which stands at ``place``."""
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
