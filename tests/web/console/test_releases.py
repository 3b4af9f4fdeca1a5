"""Releases, for operators: who answers, how each does, and moves that are asked for before."""

import re
from dataclasses import replace

import pytest
from tests.releases.making import report
from tests.web.console.conftest import Build, House, Person

from stopgap.clock import SystemClock
from stopgap.contracts.contract import Example
from stopgap.contracts.madcompany import contract
from stopgap.models.specification import Specification
from stopgap.releases.comparing import Comparison
from stopgap.releases.release import Stage
from stopgap.releases.releases import Releases
from stopgap.releases.tally import Tally
from stopgap.storage.database import open_database
from stopgap.wiring import Locations

NAME = contract.name
LIST = f"/console/releases?contract={NAME}"
CHANGE = f"/console/releases/{NAME}/change"
INPUTS = b'{"seller_available":5,"month":"may","customer_visiting_website":100}'


def hand_in(house: House, *broken: str, verified: bool = True) -> int:
    """Hand a model in; its verification broke some rules. Tell its number."""
    known = house.parts.releases
    number = known.add(NAME, Specification(uri="python:shop:<b>model</b>"), "ann", "try").number
    if verified:
        known.keep_report(NAME, number, report(contract, *broken), "ann")
    return number


def hidden(text: str) -> dict[str, str]:
    """Read what a confirmation's form sends besides the reason."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', text))


def confirm(person: Person, reason: str = "", **wish: str | int) -> tuple[int, str]:
    """Ask for a change and confirm it; tell the status, and what was asked before."""
    asked = person.client.get(CHANGE, query_string=wish, headers={"Accept": "text/html"})
    assert asked.status_code == 200, asked.text
    done = person.post(CHANGE, **hidden(asked.text), reason=reason)
    return done.status_code, asked.text


def stage(house: House, number: int) -> Stage:
    """Tell a release's stage."""
    return house.parts.releases.show(NAME, number).stage


def show(person: Person, number: int) -> str:
    """Open a release's page."""
    answer = person.get(f"/console/releases/{NAME}/{number}")
    assert answer.status_code == 200
    return answer.text


def test_nothing_yet(house: House) -> None:
    """Where there is no model, the page says who answers, and how one is added: not here."""
    page = house.client("root").get("/console/releases").text
    assert "The stand-in answers everybody." in page
    assert "No model yet" in page
    assert "stopgap release add" in page
    assert 'type="file"' not in page


def test_the_whole_way(house: House) -> None:
    """Each step is asked in words first, done after, and told once; with name and reason."""
    operator, number = house.client("root"), hand_in(house)
    steps: tuple[tuple[dict[str, str], str, str], ...] = (
        ({"action": "shadow"}, "gets copies of the traffic", "Release 1 gets copies"),
        ({"action": "canary", "percent": "10"}, "answers 10% of", "answers 10% of the callers"),
        (
            {"action": "canary", "percent": "50", "sticky": "inputs"},
            "its share is of the inputs from now on",
            "answers 50% of the inputs, the stand-in the rest.",
        ),
        ({"action": "live"}, "The stand-in answers none any more", "Release 1 answers ever"),
        ({"action": "rollback"}, "The stand-in answers the", "The stand-in answers everybod"),
    )
    for wish, before, after in steps:
        status, asked = confirm(operator, "so <i>be it</i>", number=number, **wish)
        assert (status, before in asked) == (303, True), asked
        page = operator.get(LIST).text
        assert after in page
        assert follows(wish["action"]) in page
        assert "Done." not in operator.get(LIST).text
    done = house.parts.releases.moves(NAME, number)
    assert [each.by for each in done[:5]] == ["root"] * 5
    said = "so <i>be it</i>"
    whose = f"its share is of the inputs. {said}"
    assert [each.reason for each in done[:5]] == [said, said, whose, said, said]
    assert "so &lt;i&gt;be it&lt;/i&gt;" in show(operator, number)
    assert "<b>model" not in show(operator, number)


def follows(action: str) -> str:
    """Tell what is said of a move: workers load what is new to them, and nothing for going back."""
    if action == "retire":
        return "Done. It is retired for good."
    back = action in {"rollback", "withdraw"}
    return f"Done. Each worker follows{', within a second' if back else ' once it has loaded'}"


def test_the_stand_in_helps_out(house: House) -> None:
    """Once a real model is live, an operator says whether the stand-in answers where it cannot."""
    operator, number = house.client("root"), hand_in(house)
    assert "stand-in fallback" not in operator.get(LIST).text
    house.parts.releases.promote(NAME, number, "ann", stage="live")
    assert "Where release 1 cannot answer, clients get an error." in operator.get(LIST).text
    for action, before, after in (
        ("fallback-stand-in", "drawn, not predicted", "cannot answer, the stand-in does."),
        ("fallback-nobody", "clients get an error (503).", "cannot answer, clients get an error."),
    ):
        assert f"action={action}" in operator.get(LIST).text
        status, asked = confirm(operator, "as agreed", action=action)
        assert (status, before in asked) == (303, True), asked
        page = operator.get(LIST).text
        assert after in page
        assert "Done. Each worker follows, within a second" in page
        assert last_move(house)[:2] == ("root", "fallback")
        assert last_move(house)[2].endswith("for a failed model. as agreed")


def last_move(house: House) -> tuple[str, str, str]:
    """Tell who did what last, and why."""
    move = house.parts.releases.moves(NAME)[0]
    return move.by, move.action, move.reason


def test_what_the_server_did(house: House) -> None:
    """Why it sent a canary back is told in words; the figures by which it did are on record."""
    operator, number = house.client("root"), hand_in(house)
    known = house.parts.releases
    known.promote(NAME, number, "ann", stage="canary", percent=10, reason='so {"it": "is"}')
    known.send_back(NAME, number, "4 of 9 requests failed.", {"chance": 1e-16})
    for page in (show(operator, number), operator.get(LIST).text):
        assert ">4 of 9 requests failed.</td>" in page
        assert "so {&#34;it&#34;: &#34;is&#34;}</td>" in page
    assert known.moves(NAME, number)[0].figures == {"chance": 1e-16}


def test_looking_changes_nothing(house: House) -> None:
    """To ask what would happen does nothing."""
    operator, number = house.client("root"), hand_in(house)
    version = house.parts.releases.version()
    for action in ("shadow", "live", "retire"):
        assert operator.get(f"{CHANGE}?action={action}&number={number}").status_code == 200
    assert house.parts.releases.version() == version


@pytest.mark.parametrize("seen", [None, "", "0", "x", "-1", "9" * 30, "²"])
def test_a_decision_by_an_old_standing(house: House, seen: str | None) -> None:
    """What was confirmed by another standing than today's is not done, but asked again."""
    operator, first = house.client("root"), hand_in(house)
    sent = hidden(operator.get(f"{CHANGE}?action=live&number={first}").text)
    second = hand_in(house)
    house.parts.releases.promote(NAME, second, "bob")
    refused = operator.post(CHANGE, **(sent if seen is None else sent | {"seen": seen}))
    assert refused.status_code == 409
    assert "decide again" in refused.text
    assert "The latest change: release 2 promoted (candidate → live) by bob, <time" in refused.text
    assert "Release 2 (live) answers none any more." in refused.text
    assert stage(house, first) == "candidate"
    assert operator.post(CHANGE, **hidden(refused.text)).status_code == 303
    assert stage(house, first) == "live"


def test_what_was_changed_meanwhile(house: House) -> None:
    """Of what was done at once, the page names what was given traffic, not what made way for it."""
    operator, known = house.client("root"), house.parts.releases
    first, second, third = (hand_in(house) for _ in range(3))
    sent = hidden(operator.get(f"{CHANGE}?action=shadow&number={third}").text)

    def told() -> str:
        refused = operator.post(CHANGE, **sent)
        assert refused.status_code == 409
        return refused.text.partition("The latest change: ")[2].partition(", <time")[0]

    known.promote(NAME, second, "ann")
    known.promote(NAME, first, "bob")
    assert told() == "release 1 promoted (candidate → live) by bob"
    known.promote(NAME, 0, "ann")
    assert told() == "the stand-in promoted (retired → live) by ann"
    known.rollback(NAME, "bob")
    assert told() == "release 1 rolled back (retired → live) by bob"
    known.allow_stand_in(NAME, "ann", allowed=True)
    assert told() == "the stand-in fallback changed by ann"
    hand_in(house, verified=False)
    assert told() == "release 4 added by ann"


def test_how_it_is_run(house: House) -> None:
    """A release's page says what its model may take, in seconds."""
    page = show(house.client("root"), hand_in(house))
    assert '<dt>Deadline</dt><dd class="number">1 s</dd>' in page
    assert '<dt>Load time-out</dt><dd class="number">60 s</dd>' in page


@pytest.mark.parametrize(
    "percent", ["", "0", "100", "-5", "nan", "1e1", "ten", "²", "10%%x", "33.333333"]
)
def test_a_percentage_that_cannot_be(house: House, percent: str) -> None:
    """What is wrong with a percentage stands beside it, and the form keeps what was sent."""
    operator, number = house.client("root"), hand_in(house)
    wish = {"action": "canary", "number": str(number), "percent": percent}
    answer = operator.client.get(CHANGE, query_string=wish, headers={"Accept": "text/html"})
    assert (answer.status_code, 'id="error-percent"' in answer.text) == (422, True)
    assert f'value="{percent}"' in answer.text
    assert "Must be a number above 0 and below 100, with four decimals at most." in answer.text
    assert operator.post(CHANGE, seen="1", **wish).status_code in {409, 422}
    assert stage(house, number) == "candidate"


@pytest.mark.parametrize("percent", ["12,5", "12.5", " 12.5 %"])
def test_a_percentage_as_people_write_it(house: House, percent: str) -> None:
    """A comma and a sign are understood."""
    operator, number = house.client("root"), hand_in(house)
    assert confirm(operator, action="canary", number=number, percent=percent)[0] == 303
    assert house.parts.releases.show(NAME, number).percent == 12.5


def test_a_release_that_has_not_passed(house: House) -> None:
    """It is offered no traffic, asked for or not, until each broken rule is overridden."""
    operator, number = house.client("root"), hand_in(house, "repeats")
    page = show(operator, number)
    assert "is given no traffic: it broke repeats" in page
    assert page.count("?action=override") == 1
    assert "?action=live" not in page
    assert "<code>nothing</code>" in page  # what the model said
    refused = operator.get(f"{CHANGE}?action=live&number={number}")
    assert (refused.status_code, "is given no traffic: it broke repeats" in refused.text) == (
        409,
        True,
    )

    status, asked = confirm(operator, " ", action="override", number=number, rule="repeats")
    assert (status, "although it broke the rule repeats" in asked) == (422, True)
    assert house.parts.releases.verification(NAME, number).overridden == ()
    done = confirm(operator, "on purpose", action="override", number=number, rule="repeats")
    assert done[0] == 303
    page = show(operator, number)
    assert "On record." in page
    assert "?action=live" in page
    assert "on purpose" in page
    assert confirm(operator, action="live", number=number)[0] == 303


@pytest.mark.parametrize(
    ("rule", "status"), [("survives", 409), ("latency", 409), ("nonsense", 422), ("", 422)]
)
def test_a_rule_that_cannot_be_overridden(house: House, rule: str, status: int) -> None:
    """Neither a fixed rule, nor one that held, nor one that is none."""
    operator, number = house.client("root"), hand_in(house, "survives", "repeats")
    query = f"action=override&number={number}&rule={rule}"
    assert operator.get(f"{CHANGE}?{query}").status_code == status
    sent = {"action": "override", "number": str(number), "rule": rule, "reason": "so"}
    seen = str(house.parts.releases.routing(NAME).version)
    assert operator.post(CHANGE, seen=seen, **sent).status_code == status


def test_putting_away(house: House) -> None:
    """A shadow is withdrawn, and retired for good; nothing is offered for it afterwards."""
    operator, number = house.client("root"), hand_in(house)
    for action, then in (("shadow", "shadow"), ("withdraw", "candidate"), ("retire", "retired")):
        assert confirm(operator, action=action, number=number)[0] == 303
        assert stage(house, number) == then
        assert follows(action) in show(operator, number)
    page = show(operator, number)
    assert "can be added again" in page
    assert "?action=" not in page
    assert operator.get(f"{CHANGE}?action=live&number={number}").status_code == 409


def test_what_is_away(house: House) -> None:
    """A release that never had traffic is put away, and not asked to be verified any more."""
    operator, number = house.client("root"), hand_in(house, "repeats")
    assert "is given no traffic: it broke repeats" in show(operator, number)
    _, asked = confirm(operator, action="retire", number=number)
    assert "Release 1 (candidate) is put away." in asked
    operator.get(LIST)  # what was said is said once
    page = show(operator, number)
    assert 'class="notice' not in page
    assert "is given no traffic" not in page


def test_nothing_can_be_done_with_the_stand_in(house: House) -> None:
    """A sentence says why, and no empty row of buttons stands above it."""
    page = show(house.client("root"), 0)
    assert "It is live until another is" in page
    assert re.search(r'<p class="row">\s*</p>', page) is None


def test_a_rule_that_was_not_checked(house: House) -> None:
    """Whoever overrides it is not told that it was broken; the page names the rule."""
    operator, number = house.client("root"), hand_in(house)
    found = report(contract)
    *others, memory = found.findings
    unknown = replace(memory, outcome="not checked")
    house.parts.releases.keep_report(
        NAME, number, replace(found, findings=(*others, unknown)), "ann"
    )
    page = operator.get(f"{CHANGE}?action=override&number={number}&rule=memory").text
    assert "although the rule memory was not checked, until" in page
    assert "<h1>Override the rule memory: release 1?</h1>" in page


def test_how_it_does(house: House) -> None:
    """Requests, failures and latencies stand beside the live release's; so do answers."""
    operator, first, second = house.client("root"), hand_in(house), hand_in(house)
    house.parts.releases.promote(NAME, first, "ann")
    house.parts.releases.promote(NAME, second, "ann", stage="canary", percent=10)
    tallies = [Tally(contract=NAME, number=number) for number in (first, second)]
    for number in range(50):
        tallies[0].add("ok", 1_000)
        tallies[1].add("ok" if number else "late", 4_000)
    house.parts.watch.tally("w", tallies)
    comparison = Comparison(contract.output_kind)
    for other in (3000, 3010, 4500, 2000):
        comparison.add(INPUTS, 3000, other)
    house.parts.watch.compare(NAME, second, first, "w", comparison)
    page = show(operator, second)
    rows = {
        re.sub("<[^>]+>", "", head).strip(): re.sub("<[^>]+>", " ", rest).split()
        for head, rest in re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', page, re.DOTALL)
    }
    assert rows["release 1"][:6] == ["50", "none", *rows["release 1"][2:6]]
    assert rows["release 2"][:3] == ["50", "1", "late"]
    assert 4.0 <= float(rows["release 2"][3]) < 4.5
    assert rows["the same"] == ["1"]
    assert "50.0%" in page
    assert "4500" in page
    assert "Release 2 stays." in page
    assert "<svg viewBox" in page


def test_whose_pages_they_are(house: House) -> None:
    """A client is refused, a stranger asked to sign in, and neither moves anything."""
    number = hand_in(house)
    pages = (LIST, f"/console/releases/{NAME}/{number}", f"{CHANGE}?action=live&number={number}")
    for name, status in (("ann", 403), (None, 401)):
        person = house.client(name)
        assert {person.get(page).status_code for page in pages} == {status}
        seen = str(house.parts.releases.routing(NAME).version)
        sent = {"action": "live", "number": str(number), "seen": seen}
        assert person.post(CHANGE, **sent).status_code == status
    assert stage(house, number) == "candidate"


def test_what_is_not_there(house: House) -> None:
    """Contracts, releases, numbers and actions that are none have a page that says so."""
    operator = house.client("root")
    for address in (
        "/console/releases?contract=nobody",
        "/console/releases/nobody/1",
        f"/console/releases/{NAME}/1",
        f"/console/releases/{NAME}/x",
        f"/console/releases/{NAME}/{'9' * 30}",
        f"{LIST}&below=x",
        f"{CHANGE}?action=explode",
        f"{CHANGE}?action=live&number=7",
        f"{CHANGE}?action=live&number=%00",
    ):
        assert operator.get(address).status_code == 404, address
    assert operator.get(f"{CHANGE}?action=rollback").status_code == 409  # nothing was before
    assert operator.post(CHANGE, action="fallback-nobody").status_code == 409  # nor was it asked


def test_very_many_releases(house: House) -> None:
    """Releases are on pages of 40, the newest first; each page is light."""
    for _ in range(60):
        hand_in(house, verified=False)
    operator, address, numbers = house.client("root"), LIST, list[str]()
    for _ in range(2):
        page = operator.get(address)
        assert len(page.data) < 90_000
        listed, _ = page.text.split('id="way-title"')
        numbers += re.findall(r'/(\d+)">(?:Release \d+|The stand-in)<', listed)
        more = re.search(r'href="([^"]+)" rel="next"', page.text)
        address = more[1].replace("&amp;", "&") if more else ""
    assert numbers == [str(number) for number in range(60, -1, -1)]
    assert address == ""


def test_several_contracts(build: Build) -> None:
    """Each contract has releases of its own; an answer of parts has a chart for each."""
    house = build(
        contracts=("stopgap.contracts.madcompany:contract", "examples/delivery.py:contract")
    )
    operator, known = house.client("root"), house.parts.releases
    delivery = house.parts.contracts[1]
    known.add(delivery.name, Specification(uri="python:shop:model"), "ann")
    assert "No model yet" in operator.get(LIST).text
    page = operator.get(f"/console/releases?contract={delivery.name}").text
    assert "No model yet" not in page
    assert f"/console/releases?contract={NAME}" in page.replace("&amp;", "&")
    assert f"--contract {delivery.name}" in page
    comparison = Comparison(delivery.output_kind)
    for carrier in ("north", "south"):
        given = {"days": 2.0, "carrier": "north"}
        comparison.add(b'{"weight_kg":2.5}', given, given | {"days": 3.5, "carrier": carrier})
    house.parts.watch.compare(delivery.name, 1, 0, "w", comparison)
    page = operator.get(f"/console/releases/{delivery.name}/1").text
    assert "Differences: days" in page
    assert "Differences: carrier" in page
    assert "north -&gt; south" in page
    assert "draws its answers" in page
    title = delivery.title or delivery.name
    assert f"<h1>Release 1 of {title}</h1>" in page
    assert f"release verify 1 --contract {delivery.name}" in page
    change = f"/console/releases/{delivery.name}/change?action="
    asked = {
        f"Retire it: release 1 of {title}": operator.get(f"{change}retire&number=1").text,
        f"Allow the stand-in fallback: {title}": operator.get(f"{change}fallback-stand-in").text,
    }
    for words, page in asked.items():
        assert f"<title>{words} · Stopgap</title>" in page
        assert f"<h1>{words}?</h1>" in page


def test_the_file_of_the_one_before_is_gone(house: House) -> None:
    """The page is there all the same; whoever wants to go back is told."""
    known, database = house.parts.releases, open_database(
        Locations.of(house.parts.settings).database
    )
    careless = Releases(database, SystemClock(), [contract])
    for digest in ("1" * 64, "2" * 64):
        specification = Specification(uri="onnx:model.onnx", artifact=digest)
        number = known.add(NAME, specification, "ann").number
        known.keep_report(NAME, number, report(contract), "ann")
        careless.promote(NAME, number, "ann")
    database.close()
    operator = house.client("root")
    assert operator.get(LIST).status_code == 200
    asked = operator.get(f"{CHANGE}?action=rollback")
    assert asked.status_code >= 400
    assert "hand it in again" in asked.text


def test_the_file_of_a_candidate_is_gone(house: House) -> None:
    """Its page does not look at the file, so it is there; whoever wants to use it is told there."""
    known = house.parts.releases
    gone = Specification(uri="onnx:model.onnx", artifact="1" * 64)
    number = known.add(NAME, gone, "ann").number
    known.keep_report(NAME, number, report(contract), "ann")
    operator = house.client("root")
    assert "Make it live" in show(operator, number)
    for action in ("live", "shadow"):
        asked = operator.get(f"{CHANGE}?action={action}&number={number}")
        assert (asked.status_code, "hand it in again" in asked.text) == (422, True)
        assert "Make it live" in asked.text


def test_other_golden_examples(house: House) -> None:
    """Who gets no further before it was asked those of today is told; not who answers already."""
    inputs = {"seller_available": 5, "month": "may", "customer_visiting_website": 100}
    before = replace(contract, examples=[Example(inputs=inputs, output=2140)])
    database = open_database(Locations.of(house.parts.settings).database)
    known = Releases(database, SystemClock(), [before])
    live, candidate = hand_in(house, verified=False), hand_in(house, verified=False)
    for number in (live, candidate):
        known.keep_report(NAME, number, report(before), "ann")
    known.promote(NAME, live, "ann")
    database.close()
    operator = house.client("root")
    told = "cannot be promoted: it was not asked today&#39;s golden examples"
    assert (told in show(operator, candidate), told in show(operator, live)) == (True, False)
    assert "is given no traffic" not in show(operator, candidate)


def test_a_release_that_cannot_answer(house: House) -> None:
    """Why is told where it is said who answers, as text, for as long as workers say so."""
    number = hand_in(house)
    house.parts.releases.promote(NAME, number, "ann")
    operator = house.client("root")
    house.parts.watch.trouble("w1", {(NAME, number): "<i>it died</i>"})
    told = f"Release {number} cannot answer in 1 worker: &lt;i&gt;it died&lt;/i&gt;"
    assert told in show(operator, number)
    assert told in operator.get(LIST).text
    house.parts.watch.trouble("w1", {})
    assert "cannot answer in" not in show(operator, number)
