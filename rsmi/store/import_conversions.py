"""Files that cannot be read here, and the one line of Python that makes an NPY file of them.

Nothing is unpickled, because a pickle may run any program. A name that comes from a file is quoted
for the shell, so that the line can be pasted.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np

_MATRIX = 'next(value for name, value in scipy.io.loadmat({path}).items() if name[0] != "_")'
# First bytes -> what the file is, the modules beside numpy, and the array as an expression.
_FOREIGN = {
    b"MATLAB 5": ("a MATLAB file of version 5 to 7", "scipy.io", _MATRIX),
    b"MATLAB 7": ("a MATLAB file without an HDF5 signature", "scipy.io", _MATRIX),
    **dict.fromkeys(
        (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"),
        ("a pickle, which may run any program", "pickle", 'pickle.load(open({path}, "rb"))'),
    ),
    **dict.fromkeys(
        (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"II*\x00", b"MM\x00*"),
        ("an image", "PIL.Image", '[numpy.asarray(PIL.Image.open({path}).convert("1"))]'),
    ),
}


def conversion(array: str, *modules: str) -> str:
    """The command that saves an array as ``spins.npy``; the array is a Python expression."""
    names = ", ".join(["numpy", *modules])
    return "python -c " + shlex.quote(f'import {names}; numpy.save("spins.npy", {array})')


def foreign_format(path: Path, head: bytes) -> str | None:
    """What a file with these first bytes is and how it is converted; None if it is not known."""
    for magic, (title, modules, array) in _FOREIGN.items():
        if head.startswith(magic):
            line = conversion(array.replace("{path}", json.dumps(str(path))), modules)
            return f"{title}, which is not read: convert it by {line}"
    return None


def torch_archive(path: Path) -> str:
    """What an archive of torch is and how it is converted."""
    load = f'torch.load({json.dumps(str(path))}, map_location="cpu")'
    line = conversion(f"{load}.numpy()", "torch")
    return f"an archive of torch.save, which is not read: convert its tensor by {line}"


def records(dtype: np.dtype, array: str, *modules: str) -> str:
    """What a table of records is and how one of its fields is converted.

    Parameters
    ----------
    dtype : dtype
        The type of a record.
    array : str
        The table as a Python expression.
    *modules : str
        The modules that the expression needs beside numpy.
    """
    names = list(dtype.names or ())
    shown = ", ".join(names[:10]) + (" ..." if len(names) > 10 else "")
    field = f"{array}[{json.dumps(_field_of_spins(dtype))}]"
    return f"records of several fields ({shown}): save one of them by {conversion(field, *modules)}"


def _field_of_spins(dtype: np.dtype) -> str:
    """The field that most probably holds spins: one of this name, or else the largest one."""
    return max(dtype.names or (), key=lambda name: ("spin" in name.lower(), dtype[name].itemsize))
