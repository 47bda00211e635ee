"""The only room that imports h5py: schema, reading, writing, parts of unfinished work, digests."""

from rsmi.store.digest import canonical_json, parameters_digest, text_digest
from rsmi.store.disk import disk_errors, link_target
from rsmi.store.errors import as_data_error
from rsmi.store.file import File
from rsmi.store.part import Part
from rsmi.store.parts import PartsFolder
from rsmi.store.reader import open_file
from rsmi.store.unfinished_work import UnfinishedWork, unfinished_work
from rsmi.store.writer import Writer, publish, stored_bytes

__all__ = [
    "File",
    "Part",
    "PartsFolder",
    "UnfinishedWork",
    "Writer",
    "as_data_error",
    "canonical_json",
    "disk_errors",
    "link_target",
    "open_file",
    "parameters_digest",
    "publish",
    "stored_bytes",
    "text_digest",
    "unfinished_work",
]
