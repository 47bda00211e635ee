/* What the kernels ask of the compiler. */
#ifndef RSMI_COMPILER_H
#define RSMI_COMPILER_H

#define RSMI_INLINE static inline __attribute__((always_inline))

/* One function compiled for several instruction sets, chosen once at load time; results of integer
 * kernels are the same on all of them. Defined away where the compiler lacks it (other CPUs, other
 * compilers, sanitizer builds). */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__gnu_linux__) &&   \
    !defined(RSMI_PORTABLE) && !defined(RSMI_NO_CLONES)
#define RSMI_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define RSMI_CLONES
#endif

#endif
