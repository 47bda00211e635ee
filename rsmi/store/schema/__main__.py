"""Print SCHEMA.md: ``python -m rsmi.store.schema > rsmi/store/SCHEMA.md``."""

from rsmi.store.schema.document import markdown

print(markdown(), end="")
