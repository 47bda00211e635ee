"""What every file of rsmi holds, as data.

The reader checks files against the schema, and SCHEMA.md is generated from it. When an optional
entry is added, the minor version is raised. When an old reader would misread a new file, the major
version is raised.
"""

from rsmi.store.schema.common import COMMON_ATTRIBUTES, PROVENANCE
from rsmi.store.schema.document import markdown
from rsmi.store.schema.entries import (
    FORMAT,
    FORMAT_VERSION,
    OLDEST_WRITTEN,
    Attribute,
    Dataset,
    Kind,
)
from rsmi.store.schema.kinds import KINDS

# What the content digest leaves out.
VOLATILE_ATTRIBUTES = ("uuid", "digest", "software")
VOLATILE_GROUPS = ("/provenance",)

__all__ = [
    "COMMON_ATTRIBUTES",
    "FORMAT",
    "FORMAT_VERSION",
    "KINDS",
    "OLDEST_WRITTEN",
    "PROVENANCE",
    "VOLATILE_ATTRIBUTES",
    "VOLATILE_GROUPS",
    "Attribute",
    "Dataset",
    "Kind",
    "markdown",
]
