"""The only room that touches HDF5: schema, reading, writing, parts of work in progress, digests."""

from rsmi.store.digest import canonical_json, parameters_digest, text_digest
from rsmi.store.parts import Part, PartsFolder
from rsmi.store.reader import File, open_file, taken_at_its_word
from rsmi.store.writer import Writer, disk_errors, publish

__all__ = [
    "File",
    "Part",
    "PartsFolder",
    "Writer",
    "canonical_json",
    "disk_errors",
    "open_file",
    "parameters_digest",
    "publish",
    "taken_at_its_word",
    "text_digest",
]
