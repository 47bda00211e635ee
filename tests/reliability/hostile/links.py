"""Links, groups and data of other files, where a dataset should be."""

import h5py
import numpy as np

from hostile.datasets import datasets, pick


def without(handle, rng):
    """Delete a dataset, or the group that it is in."""
    name = pick(handle, rng)
    del handle[name if rng.random() < 0.7 else name.split("/")[0]]


# ---- links ---------------------------------------------------------------------------------------


def _to_another(handle, name, other, group):
    return h5py.SoftLink("/" + other)


def _to_itself(handle, name, other, group):
    return h5py.SoftLink("/" + name)


def _to_nowhere(handle, name, other, group):
    return h5py.SoftLink("/nowhere")


def _to_the_root(handle, name, other, group):
    return h5py.SoftLink("/")


def _into_a_missing_file(handle, name, other, group):
    return h5py.ExternalLink("elsewhere.h5", "/spins")


def _into_the_same_file(handle, name, other, group):
    return h5py.ExternalLink("mutant.h5", "/" + other)


def _into_a_device(handle, name, other, group):
    return h5py.ExternalLink("/dev/zero", "/x")


def _the_root_again(handle, name, other, group):
    return handle["/"]


def _a_group_again(handle, name, other, group):
    return handle[group]


def _a_dataset_again(handle, name, other, group):
    return handle[other]


TARGETS = (
    _to_another,
    _to_itself,
    _to_nowhere,
    _to_the_root,
    _into_a_missing_file,
    _into_the_same_file,
    _into_a_device,
    _the_root_again,
    _a_group_again,
    _a_dataset_again,
)


def link(handle, rng):
    """A link in place of a dataset, or beside it."""
    name = pick(handle, rng)
    groups = {name.rsplit("/", 1)[0] for name in datasets(handle) if "/" in name}
    other, group = pick(handle, rng), str(rng.choice(sorted(["/", *groups])))
    target = TARGETS[rng.integers(len(TARGETS))](handle, name, other, group)
    if rng.random() < 0.5:
        del handle[name]
        handle[name] = target
    else:
        handle[f"{group}/more-{rng.integers(1000)}"] = target


# ---- groups --------------------------------------------------------------------------------------


def _deep_groups(handle, name, rng):
    handle.create_group("/".join(f"g{i}" for i in range(int(rng.integers(3, 200)))))


def _many_groups(handle, name, rng):
    for i in range(300):
        handle.create_group(f"state/many-{i}")


def _group_for_a_dataset(handle, name, rng):
    del handle[name]
    handle[name] = handle.create_group("x")


def _type_for_a_dataset(handle, name, rng):
    del handle[name]
    handle[name] = np.dtype("i8")


GROUPS = (_deep_groups, _many_groups, _group_for_a_dataset, _type_for_a_dataset)


def groups(handle, rng):
    """Groups that are deep, or many, or where a dataset should be."""
    change = GROUPS[rng.integers(len(GROUPS))]
    change(handle, pick(handle, rng), rng)


# ---- data elsewhere ------------------------------------------------------------------------------


def _virtual(handle, name, shape, dtype, rng):
    source = str(rng.choice([".", "elsewhere.h5", "/dev/zero"]))
    layout = h5py.VirtualLayout(shape, dtype)
    layout[...] = h5py.VirtualSource(source, name, shape)
    handle.create_virtual_dataset(name, layout)


def _external(handle, name, shape, dtype, rng):
    source = str(rng.choice(["elsewhere", "/dev/zero", "/etc/passwd"]))
    handle.create_dataset(name, shape, dtype, external=[(source, 0, h5py.h5f.UNLIMITED)])


def _empty(handle, name, shape, dtype, rng):
    handle.create_dataset(name, data=h5py.Empty(dtype))


ELSEWHERE = (_virtual, _external, _empty)


def elsewhere(handle, rng):
    """Data in another file, or none."""
    name = pick(handle, rng)
    shape, dtype = handle[name].shape or (1,), handle[name].dtype
    change = ELSEWHERE[rng.integers(len(ELSEWHERE))]
    del handle[name]
    change(handle, name, shape, dtype, rng)
