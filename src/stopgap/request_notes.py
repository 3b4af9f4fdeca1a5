"""What the door notes of a request, in its scope and in the application's environ (PEP 3333)."""

ARRIVED = "stopgap.arrived"
"""When it had been read, by `time.perf_counter`."""

COUNTED = "stopgap.counted"
"""Whether it has been counted among its caller's predictions."""

LOOKUP_ERROR = "stopgap.lookup_error"
"""The error over which its caller could not be found."""
