"""Trouble: which releases cannot answer, and why."""

from tests.releases.making import release

from stopgap.releases.trouble import Trouble, ailing

FINGERPRINT = release().fingerprint
DIED = Trouble(number=2, reason="it died", workers=1)
LATE = Trouble(number=2, reason="it is late", workers=2)


def test_who_cannot_answer() -> None:
    """Each is found with all its reasons, in the order asked for; who is well is not found."""
    live, canary = release(1, "live"), release(2, "canary")
    assert ailing([live, canary], FINGERPRINT, [DIED, LATE]) == [(canary, DIED), (canary, LATE)]
    assert ailing([live], FINGERPRINT, [DIED]) == []


def test_whose_contract_has_changed() -> None:
    """Who is on duty and has not passed for the contract has that one reason, and no other."""
    live, canary, retired = release(1, "live"), release(2, "canary"), release(3, "retired")
    gone = Trouble(number=3, reason="its file has gone", workers=1)
    found = ailing([canary, live, retired], "f" * 16, [DIED, gone])
    assert found == [(canary, None), (live, None), (retired, gone)]
