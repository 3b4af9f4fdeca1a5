"""Who answers, in words."""

from dataclasses import replace

from tests.releases.making import release, routing

from stopgap.releases.release import stand_in_release
from stopgap.releases.trouble import Trouble
from stopgap.web.console import answering

FINGERPRINT = "0123456789abcdef"
STAND_IN = stand_in_release("test", FINGERPRINT, "live")


def test_the_stand_in_alone() -> None:
    """Nobody is told that the stand-in is a release, or that anybody would help it out."""
    alone = replace(routing(10), live=STAND_IN, canary=None)
    assert answering.told(alone) == ["The stand-in answers everybody."]


def test_who_has_which_share() -> None:
    """A canary's share is named with whose it is; the live release has the rest."""
    first, *_ = answering.told(routing(12.5, sticky="inputs"))
    assert first == "Release 2 answers 12.5% of the inputs, release 1 the rest."


def test_who_listens() -> None:
    """Shadows are named, and that no client sees their answers."""
    one = replace(routing(10), shadows=(release(3, "shadow"),))
    two = replace(one, shadows=(release(3, "shadow"), release(4, "shadow")))
    end = "copies of the requests; no client sees what comes of it."
    assert answering.told(one)[1] == f"Release 3 gets {end}"
    assert answering.told(two)[1] == f"Release 3 and release 4 get {end}"


def test_who_helps_out() -> None:
    """Where a real release fails: the one before it, and the stand-in only where that was said."""
    alone = routing(10)
    helped = replace(alone, previous=release(7, "retired"))
    drawn = replace(helped, stand_in_fallback=True)
    begin = "Where release 1 cannot answer"
    assert answering.told(alone)[-1] == f"{begin}, clients get an error."
    then = f"{begin}, release 7 does, and where that cannot"
    assert answering.told(helped)[-1] == f"{then}, clients get an error."
    assert answering.told(drawn)[-1] == f"{then}, the stand-in does."


def test_whose_contract_has_changed() -> None:
    """Who has the traffic and has not passed for the contract is told of, the live one first."""
    first, second = answering.failing(routing(10), "f" * 16, [])
    end = "answers nothing until it has passed verification for the contract as it is now."
    assert (first, second) == (f"Release 1 {end}", f"Release 2 {end}")


def test_who_cannot_answer() -> None:
    """What workers cannot ask is told with the reason, the live one first; each release once."""
    troubles = [Trouble(number=number, reason="it died", workers=2) for number in (0, 1, 2, 9)]
    swapped = replace(routing(10), live=release(2, "live"), canary=release(1, "canary"))
    end = "cannot answer in 2 workers: it died"
    told = [f"Release 2 {end}", f"Release 1 {end}"]
    assert answering.failing(swapped, FINGERPRINT, troubles) == told
    assert end not in " ".join(answering.failing(swapped, "f" * 16, troubles))
    helped = replace(swapped, previous=release(9, "retired"))
    assert answering.failing(helped, FINGERPRINT, troubles) == [*told, f"Release 9 {end}"]
    assert answering.failing(routing(10), FINGERPRINT, []) == []
