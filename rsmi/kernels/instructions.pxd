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
