"""What the door tells the application of a request: keys of its environment (PEP 3333)."""

ARRIVED = "stopgap.arrived"
"""When it had been read, by `time.perf_counter`."""

COUNTED = "stopgap.counted"
"""Whether it has been counted among its caller's predictions."""

LOOKUP_ERROR = "stopgap.lookup_error"
"""The error over which its caller could not be found."""
