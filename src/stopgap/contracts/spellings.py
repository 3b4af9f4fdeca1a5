"""Generous spellings: the many ways in which people write one value, read as that value."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

SIGMA, FINAL_SIGMA = "\u03c3", "\u03c2"


def fold(text: str) -> str:
    """Forget case, and whether an accent is a character of its own: `AOÛT` and `août` are one.

    A sigma at a word's end is a sigma; whether a capital one is small there, its neighbours decide.
    """
    return unicodedata.normalize("NFC", text.lower().replace(FINAL_SIGMA, SIGMA))


def _without_accents(text: str) -> str:
    letters = unicodedata.normalize("NFD", text)
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _meant(written: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Collect what each of some spellings means."""
    meant: dict[str, set[str]] = {}
    for spelling, value in written:
        meant.setdefault(spelling, set()).add(value)
    return meant


@dataclass(frozen=True, kw_only=True)
class Spellings:
    """Metadata for a `Literal` of texts: further ways to write them.

    Used as `Annotated[Literal["north", "south"], Spellings(readings={"n": "north"}, ...)]`.
    Pydantic reads the value with them too, so a model's author may write them as well.
    """

    readings: Mapping[str, str]  # spelling -> value; the values themselves are added
    numbers: Mapping[int, str] = field(default_factory=dict)  # JSON numbers -> value
    described: str  # what they are, in words, for people

    def folded(self, values: Iterable[str]) -> dict[str, str]:
        """Map every spelling to its value, folded; one with accents can be written without.

        Not where two values would be meant then: `pêche` and `péché`.
        """
        folded = {fold(spelling): value for spelling, value in self._written(values)}
        bare = [(_without_accents(form), value) for form, value in folded.items()]
        meant = _meant(bare)
        return {form: value for form, value in bare if len(meant[form]) == 1} | folded

    def alike(self, values: Iterable[str]) -> str | None:
        """Find a spelling that is read as one value and means another, too; None: there is none."""
        meant = _meant((fold(spelling), value) for spelling, value in self._written(values))
        return next((form for form, found in meant.items() if len(found) > 1), None)

    def _written(self, values: Iterable[str]) -> Iterable[tuple[str, str]]:
        return [*((value, value) for value in values), *self.readings.items()]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Have pydantic read every spelling before it looks at the value."""
        reader = self._reader(self.folded(get_args(source)))
        return core_schema.no_info_before_validator_function(reader, handler(source))

    def _reader(self, folded: Mapping[str, str]) -> Callable[[object], object]:
        def read(value: object) -> object:
            """Return the value that is meant; anything else as it came."""
            if isinstance(value, str):
                return folded.get(fold(value), value)
            if isinstance(value, int) and not isinstance(value, bool):
                return self.numbers.get(value, value)
            return value

        return read
