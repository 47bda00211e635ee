/* Attributes of functions: always inlined, and compiled for several instruction sets. */
#ifndef RSMI_COMPILER_H
#define RSMI_COMPILER_H

#define RSMI_INLINE static inline __attribute__((always_inline))

/* Compiles one function for several instruction sets, one of which is chosen at load time. The
 * results of integer kernels are the same on all of them. The macro is empty where the compiler
 * lacks the attribute: on other processors, with other compilers, and in builds under
 * sanitizers. GCC 11 and older do not know the levels of x86-64. They get the two features instead
 * that the levels stand for: a processor has a feature whoever made it, whereas a clone for
 * "arch=haswell" would run on that model of Intel alone. */
#if !defined(__x86_64__) || !defined(__GNUC__) || defined(__clang__) || !defined(__gnu_linux__) || \
    defined(RSMI_PORTABLE) || defined(RSMI_NO_CLONES)
#define RSMI_CLONES
#elif __GNUC__ >= 12
#define RSMI_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define RSMI_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#endif

#endif
