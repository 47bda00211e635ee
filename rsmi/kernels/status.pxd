"""The status codes of the C core, and the exceptions that they become."""

cdef extern from "base/status.h":
    enum:
        RSMI_OK
        RSMI_BAD_SHAPE
        RSMI_BAD_VALUE
        RSMI_NO_MEMORY
        RSMI_DIVERGED
        RSMI_UNSUPPORTED


cdef inline int check_status(int status) except -1:
    """Turn the status of a kernel into an exception.

    The message is general: a sentence for the user is written where the meaning is known.
    """
    if status == RSMI_OK:
        return 0
    if status == RSMI_NO_MEMORY:
        raise MemoryError("not enough memory for the kernel's workspace")
    if status == RSMI_DIVERGED:
        raise FloatingPointError("a value diverged (NaN or infinity)")
    if status == RSMI_UNSUPPORTED:
        raise ValueError("this processor lacks the instructions asked for")
    if status == RSMI_BAD_SHAPE:
        raise ValueError("an array has a shape the kernel does not support")
    raise ValueError("a parameter is outside the kernel's range")


cdef inline int require(bint condition, str sentence) except -1:
    """Raise ValueError with the sentence unless the condition holds."""
    if not condition:
        raise ValueError(sentence)
    return 0
