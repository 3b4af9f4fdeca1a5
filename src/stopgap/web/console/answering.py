"""Who answers, in words: what an operator has to know first."""

from collections.abc import Sequence

from stopgap.releases.release import WHOSE, Release
from stopgap.releases.routing import Routing
from stopgap.releases.trouble import Trouble, ailing

UNFIT = "answers nothing until it has passed verification for the contract as it is now."


def name(release: Release | int) -> str:
    """Name a release within a sentence; the stand-in is never called a model or a number."""
    number = release if isinstance(release, int) else release.number
    return f"release {number}" if number else "the stand-in"


def told(routing: Routing) -> Sequence[str]:
    """Tell who is to answer a contract's requests, who only listens, and who helps out."""
    return [_first(routing), *_shadows(routing), *_helpers(routing)]


def failing(routing: Routing, fingerprint: str, troubles: Sequence[Trouble]) -> Sequence[str]:
    """Tell who of them cannot, and why, the live release first.

    Args:
        fingerprint: Of the contract as it is served; who has not passed for that answers nothing.
        troubles: Why workers cannot ask releases, and which.
    """
    releases = [routing.live, routing.canary, *routing.shadows, routing.previous]
    found = ailing(filter(None, releases), fingerprint, troubles)
    return [
        _sentence(f"{name(release)} {trouble.words() if trouble else UNFIT}")
        for release, trouble in found
    ]


def _first(routing: Routing) -> str:
    live, canary = name(routing.live), routing.canary
    if canary is None:
        return _sentence(f"{live} answers everybody.")
    share = f"{canary.percent:g}% {WHOSE[canary.sticky]}"
    return _sentence(f"{name(canary)} answers {share}, {live} the rest.")


def _shadows(routing: Routing) -> Sequence[str]:
    if not routing.shadows:
        return []
    listed = " and ".join(name(each) for each in routing.shadows)
    verb = "get" if len(routing.shadows) > 1 else "gets"
    return [_sentence(f"{listed} {verb} copies of the requests; no client sees what comes of it.")]


def _helpers(routing: Routing) -> Sequence[str]:
    if not routing.live.number:
        return []
    helpers = [] if routing.previous is None else [f"{name(routing.previous)} does"]
    helpers.append("the stand-in does" if routing.stand_in_fallback else "clients get an error")
    told = ", and where that cannot, ".join(helpers)
    return [_sentence(f"where {name(routing.live)} cannot answer, {told}.")]


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
