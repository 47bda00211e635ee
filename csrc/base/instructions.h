/* The instruction sets of the bit-sliced kernels, which have one function for each of them.
 *
 * All paths give the same bits, except the last: it is the same source with so few draws that rare
 * events of the other paths happen all the time, for tests. */
#ifndef RSMI_INSTRUCTIONS_H
#define RSMI_INSTRUCTIONS_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(RSMI_PORTABLE)
#define RSMI_X86 1
#else
#define RSMI_X86 0
#endif

enum { PATH_AUTO, PATH_AVX512, PATH_AVX2, PATH_SSE2, PATH_PORTABLE, PATH_STRESS };

/* Whether this processor and this build have a path. */
static inline int path_supported(int path)
{
    if (path == PATH_AUTO || path == PATH_PORTABLE || path == PATH_STRESS)
        return 1;
#if RSMI_X86
    if (path == PATH_AVX512)
        return __builtin_cpu_supports("avx512f") != 0;
    if (path == PATH_AVX2)
        return __builtin_cpu_supports("avx2") != 0;
    if (path == PATH_SSE2)
        return 1;
#endif
    return 0;
}

/* The path itself, or the widest one that this processor has if the path is PATH_AUTO. */
static inline int path_chosen(int path)
{
    if (path != PATH_AUTO)
        return path;
    for (path = PATH_AVX512; !path_supported(path);)
        path++;
    return path;
}

#endif
