/* The status codes that every kernel returns: 0 when it is done, negative on an error. The wrapper
 * turns them into exceptions. */
#ifndef RSMI_STATUS_H
#define RSMI_STATUS_H

enum {
    RSMI_OK = 0,
    RSMI_BAD_SHAPE = -1,  /* a size is not supported by this kernel */
    RSMI_BAD_VALUE = -2,  /* a parameter is outside its range */
    RSMI_NO_MEMORY = -3,  /* the workspace could not be allocated */
    RSMI_DIVERGED = -4,   /* a NaN or infinity appeared */
    RSMI_UNSUPPORTED = -5 /* this processor lacks the instructions that were requested */
};

#endif
