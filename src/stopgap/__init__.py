"""Stopgap: the prediction API that is ready before the model is.

What the author of a contract or of a model imports:

    from stopgap import Contract, Example, Spellings
"""

from stopgap.contracts.contract import Contract, Example
from stopgap.contracts.spellings import Spellings

__all__ = ["Contract", "Example", "Spellings"]
__version__ = "0.1.0"
