/* Status codes every kernel returns: 0 done, negative on error. The wrapper turns them into
 * exceptions. */
#ifndef RSMI_STATUS_H
#define RSMI_STATUS_H

enum {
    RSMI_OK = 0,
    RSMI_BAD_SHAPE = -1,  /* a size is not supported by this kernel */
    RSMI_BAD_VALUE = -2,  /* a parameter is outside its range */
    RSMI_NO_MEMORY = -3,  /* a workspace could not be allocated */
    RSMI_DIVERGED = -4,   /* a NaN or infinity appeared */
    RSMI_UNSUPPORTED = -5 /* this processor lacks the instructions asked for */
};

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
