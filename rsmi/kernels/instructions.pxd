"""The instruction sets of the bit-sliced kernels (csrc/base/instructions.h)."""

cdef extern from "base/instructions.h":
    enum:
        PATH_AUTO
        PATH_AVX512
        PATH_AVX2
        PATH_SSE2
        PATH_PORTABLE
        PATH_STRESS
    int path_supported(int path)

cdef inline dict path_numbers():
    """The numbers of the instruction sets by their names, the widest first after auto."""
    return {
        "auto": PATH_AUTO,
        "avx512": PATH_AVX512,
        "avx2": PATH_AVX2,
        "sse2": PATH_SSE2,
        "portable": PATH_PORTABLE,
        "stress": PATH_STRESS,
    }

cdef inline tuple supported_paths():
    """The names of the instruction sets that this machine runs, the widest first."""
    return tuple([
        name for name, path in path_numbers().items()
        if name not in ("auto", "stress") and path_supported(path)])
