"""Measurements, to be made on one's own machine: none of this is part of the program."""
