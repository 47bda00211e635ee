"""The figures of ``rsmi plot``: the room that knows matplotlib."""
