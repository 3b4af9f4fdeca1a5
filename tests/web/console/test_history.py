"""The history: everybody's own answers, found by anything, drawn, and taken away whole."""

import csv
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.journal.filling import at
from tests.journal.records import record
from tests.web.console.conftest import Build, House, Person

from stopgap.journal.record import Record
from stopgap.web.console.history import ROWS


def visits(minutes_ago: float, caller: str | None, **parts: Any) -> Record:
    """Make an answer of so long ago, which its output tells."""
    when = at(datetime.now(UTC) - timedelta(minutes=minutes_ago))
    output = b"%d" % (2000 + int(minutes_ago))
    return record(**{"at": when, "caller": caller, "output": output} | parts)


def shown(person: Person, query: str = "") -> list[int]:
    """List the answers that a page of the history shows."""
    page = person.get(f"/console/history?{query}")
    assert page.status_code == 200
    cells = re.findall(r'data-label="Answer">(\d{4})</td>', page.text)
    return [int(cell) for cell in cells]


def test_everybody_sees_their_own(house: House) -> None:
    """An account sees its own answers, an operator all of them, and whose they are."""
    house.fill(visits(1, house.id("ann")), visits(2, house.id("bob")), visits(3, None))
    assert shown(house.client("ann")) == [2001]
    assert shown(house.client("bob")) == [2002]
    assert shown(house.client("ann"), f"account=bob&caller={house.id('bob')}") == [2001]
    operator = house.client("root")
    assert shown(operator) == [2001, 2002, 2003]
    assert shown(operator, "account=BOB") == [2002]
    assert {"ann", "bob", "anonymous"} <= set(
        re.findall(r'data-label="Caller">([a-z ]+)</td>', operator.get("/console/history").text)
    )


def test_a_guest_sees_the_own_answers(house: House) -> None:
    """What a guest asked for is the guest's to look back at, in this session."""
    guest, other = house.client("somebody"), house.client("somebody")
    found = house.parts.sessions.caller(guest.client.get_cookie("stopgap_session").value)  # type: ignore[union-attr]  # it is there
    assert found is not None
    house.fill(visits(1, found.id))
    assert shown(guest) == [2001]
    assert shown(other) == []
    assert "No answers yet" in other.get("/console/history").text


def test_filters(house: House) -> None:
    """Answers are found by time, release, input and answer, as the contract reads them."""
    ann = house.id("ann")
    house.fill(
        visits(1, ann, release="7"),
        visits(30, ann, inputs=b'{"seller_available":1,"month":"may"}'),
        visits(90, ann, inputs=b'{"seller_available":3,"month":"may"}'),
        visits(60 * 24 * 20, ann, output=b"4999"),
    )
    person = house.client("ann")
    assert shown(person) == [2001, 2030, 2090]
    assert shown(person, "period=1h") == [2001, 2030]
    assert shown(person, "period=all") == [2001, 2030, 2090, 4999]
    assert shown(person, "period=nonsense") == [2001, 2030, 2090]
    assert shown(person, "release=7") == [2001]
    assert shown(person, "field=month&value=Mai") == [2030, 2090]
    assert shown(person, "field=seller_available&value=2..") == [2001, 2090]
    assert shown(person, "answer=2010..2050") == [2030]
    assert shown(person, "period=all&answer=4999") == [4999]
    assert shown(person, "contract=unknown") == []
    begin = (datetime.now(UTC) - timedelta(minutes=45)).isoformat(timespec="minutes")[:16]
    assert shown(person, f"begin={begin}") == [2001, 2030]
    assert shown(person, f"end={begin}") == [2090, 4999]
    assert "No answer like that" in person.get("/console/history?answer=3").text


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("field=month&value=smarch", "value"),
        ("field=seller_available&value=few", "value"),
        ("answer=1..few", "answer"),
        ("answer=3000..2000", "answer"),
        ("begin=yesterday", "begin"),
        ("begin=0001-01-01T00:00%2B14:00", "begin"),
        ("account=nobody", "account"),
        ("account=%00", "account"),
    ],
)
def test_what_cannot_be_read(house: House, query: str, wrong: str) -> None:
    """A filter that makes no sense is told beside its field, and the others stay as they are."""
    house.fill(visits(1, None, release="7"))
    page = house.client("root").get(f"/console/history?{query}&release=7")
    assert page.status_code == 200
    assert re.search(rf'id="error-{wrong}"', page.text)
    assert '<option value="7" selected>' in page.text
    assert page.text.count('class="error"') == 1


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        ("field=nothing&value=2.5", ["7d", "", "nothing"]),
        ("release=7&period=1h", ["1h", "7"]),
        ("part=days&answer=2", ["7d", "", "days"]),
        ("contract=gone", ["7d", "gone", ""]),
        ("period=1h&begin=2020-01-01", ["", ""]),
        ("period=1h&end=tomorrow", ["", ""]),
    ],
)
def test_the_form_has_the_filter_that_is_used(house: House, query: str, chosen: list[str]) -> None:
    """What was asked for is chosen in the form, also where it is none of what can be had."""
    page = house.client("ann").get(f"/console/history?{query}").text
    assert re.findall(r'<option value="(\w*)" selected', page) == chosen


@pytest.mark.parametrize(
    "query",
    ["before=x", "before=-1", "before=99999999999999999999", "end=9999-12-31T23:59&period=all"]
    + ["begin=9999-12-31T23:59", "contract=%00", "release=%ff", "field=%00&value=%00", "period="]
    + ["field=&value=x", "part=%00&answer=1", f"answer={'9' * 400}", f"value={'x' * 4000}"],
)
def test_nonsense_harms_nothing(house: House, query: str) -> None:
    """No query makes anything but a page."""
    house.fill(visits(1, house.id("ann")))
    for person in (house.client("ann"), house.client("root")):
        assert person.get(f"/console/history?{query}").status_code == 200


def test_pages(house: House) -> None:
    """Older answers are on further pages, each once, under the same filter."""
    ann = house.id("ann")
    house.fill(*(visits(number / 60, ann, output=b"%d" % (2000 + number)) for number in range(120)))
    person, address, found = house.client("ann"), "release=stand-in", list[int]()
    for _ in range(3):
        found += (part := shown(person, address))
        assert len(part) <= ROWS
        page = person.get(f"/console/history?{address}").text
        older = re.search(r'href="/console/history\?([^"]+)" rel="next"', page)
        address = older[1].replace("&amp;", "&") if older else ""
    assert found == list(range(2000, 2120))
    assert address == ""


def test_charts(house: House) -> None:
    """Each chart has all its numbers in a table, and no style or script in its picture."""
    ann = house.id("ann")
    house.fill(*(visits(number, ann) for number in range(1, 30)), visits(5, None))
    page = house.client("ann").get("/console/history?period=1h").text
    assert page.count('preserveAspectRatio="none"') == 2
    tables = re.findall(r"As a table.*?</table>", page, re.DOTALL)
    assert len(tables) == 2
    for table in tables:
        assert sum(map(int, re.findall(r'<td class="number">(\d+)</td>', table))) == 29
    assert "style=" not in page
    assert "whole steps" not in page  # one's own are counted to the moment
    assert "<span>2,000</span>" in page  # the least that is promised, where the first bar ends
    week = house.client("ann").get("/console/history?period=7d").text
    assert "in steps of 1 hour, from" in week  # from the first answer on
    assert "As a table" not in house.client("bob").get("/console/history").text
    everybodys = house.client("root").get("/console/history?period=1h").text
    assert "The distribution counts whole steps of 1 hour" in everybodys
    assert "whole steps" not in house.client("root").get("/console/history?period=all").text


def test_one_answer(house: House) -> None:
    """An answer's page has all of it, and the address that asks for the same again."""
    one = visits(1, house.id("ann"))
    house.fill(one)
    page = house.client("ann").get(f"/console/history/{one.id}").text
    for words in (one.id, "2001", "january", "0.037"):
        assert words in page
    again = re.search(r'href="(/console/predict/madcompany\?[^"]+)"', page)
    assert again
    answer = house.client("ann").get(again[1].replace("&amp;", "&"))
    assert answer.status_code == 200
    assert "Request id" in answer.text


PERCENT = """
from typing import Annotated
from pydantic import BaseModel, Field, field_validator
from stopgap import Contract

class Inputs(BaseModel):
    share: Annotated[float, Field(ge=0, le=1)]

    @field_validator("share")
    @classmethod
    def to_percent(cls, value):
        return value * 100

contract = Contract(name="percent", version="1", path="/percent", inputs=Inputs, output=bool)
"""


def test_what_validators_have_turned_is_not_asked_for_again(build: Build, tmp_path: Path) -> None:
    """Where nobody knows what was sent, there is no address that would send something else."""
    file = tmp_path / "percent.py"
    file.write_text(PERCENT)
    house = build(contracts=(f"{file}:contract",))
    ann = house.id("ann")
    turned, same = (
        visits(1, ann, contract="percent", inputs=b'{"share":%s}' % share, output=b"true")
        for share in (b"50.0", b"0.0")
    )
    house.fill(turned, same)
    for one, is_linked in ((turned, False), (same, True)):
        page = house.client("ann").get(f"/console/history/{one.id}").text
        assert ("/console/predict/percent?share=" in page) is is_linked


def test_a_column_of_answers(house: House) -> None:
    """It has four parts of each, a side that suits them, and no room for what was never told."""
    person, ann = house.client("ann"), house.id("ann")
    house.fill(visits(1, ann))
    rows = person.get("/console/history").text
    assert ('<th scope="col" class="number">Answer' in rows, "Actual" in rows) == (True, False)
    one = visits(2, ann, contract="many", output=b'{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}')
    house.fill(one)
    house.parts.journal.report_actual(one.id, {"a": 1})
    rows = person.get("/console/history").text
    assert re.search(
        r'<span class="soft">d</span> <bdi>4</bdi></span>\s+<span class="soft">and 2 more<', rows
    )
    assert ('<th scope="col">Answer' in rows, '<th scope="col">Actual' in rows) == (True, True)


def test_an_answer_of_parts(house: House) -> None:
    """Its parts stand beside their names, and so do those of what came true: on its page whole."""
    output = b'{"days":6.123456789,"carrier":"north","late":true}'
    one = visits(1, house.id("ann"), contract="delivery", output=output)
    house.fill(one)
    carrier = "north" * 30
    house.parts.journal.report_actual(one.id, {"days": 1234567.891, "carrier": carrier})
    person = house.client("ann")
    rows = person.get("/console/history").text
    page = person.get(f"/console/history/{one.id}").text
    for name, short in (
        ("days", "6.12346"),
        ("carrier", "north"),
        ("late", "true"),
        ("days", "1.23457e+06"),
        ("carrier", carrier[:99] + "…"),
    ):
        assert f'<span class="soft">{name}</span> <bdi>{short}</bdi></span>' in rows
    assert "<dt>days</dt><dd><bdi>6.123456789</bdi></dd>" in page
    for name, whole in (("days", "1234567.891"), ("carrier", carrier)):
        assert f"<dt>{name}</dt><dd><bdi>{whole}</bdi></dd>" in page
    assert "{&#34;" not in rows + page


def test_when_it_was(house: House) -> None:
    """Answers of one minute are told apart, and a script leaves the filters' zone as it is."""
    one = visits(1, house.id("ann"))
    house.fill(one)
    person = house.client("ann")
    for address in ("/console/history", f"/console/history/{one.id}"):
        page = person.get(address).text
        assert re.search(r'<time datetime="[^"]+">[-\d]{10} \d\d:\d\d:\d\d UTC</time>', page)


def test_a_long_text(house: House) -> None:
    """The table has its beginning, the answer's own page all of it."""
    text = "x" * 3000
    one = visits(1, house.id("ann"), inputs=b'{"remark":"%b"}' % text.encode())
    house.fill(one)
    person = house.client("ann")
    assert f" <bdi>{text[:99]}…</bdi></span>" in person.get("/console/history").text
    assert text in person.get(f"/console/history/{one.id}").text


def test_what_came_of_it(house: House) -> None:
    """The asker tells what really happened; what cannot be is told beside the field."""
    one = visits(1, house.id("ann"))
    house.fill(one)
    person, address = house.client("ann"), f"/console/history/{one.id}"
    refused = person.post(f"{address}/actual", actual="many")
    assert refused.status_code == 422
    assert 'id="error-actual"' in refused.text
    assert 'value="many"' in refused.text
    answer = person.post(f"{address}/actual", actual="6000")
    assert (answer.status_code, answer.location) == (303, address)
    page = person.get(address).text
    assert "6000" in page
    assert "Kept." in page
    assert "Kept." not in person.get(address).text


def test_an_answer_of_a_contract_that_is_gone(house: House) -> None:
    """What is served no more can still be looked at, but not asked for again."""
    one = visits(1, house.id("ann"), contract="gone", inputs=b'{"a":1}', output=b'{"b":"<i>"}')
    broken = visits(2, house.id("ann"), inputs=b"\xff{")
    house.fill(one, broken)
    person = house.client("ann")
    page = person.get(f"/console/history/{one.id}").text
    assert "<i>" not in page
    assert "/actual" not in page
    assert person.post(f"/console/history/{one.id}/actual", actual="1").status_code == 404
    assert person.get(f"/console/history/{broken.id}").status_code == 200
    assert person.get("/console/history").status_code == 200


def test_a_download(house: House) -> None:
    """All answers that the filter leaves can be taken away, as CSV or a JSON object a line."""
    ann = house.id("ann")
    made = [visits(number, ann) for number in range(1, 130)]
    house.fill(*made, visits(1, house.id("bob")))
    person = house.client("ann")
    with person.get("/console/history/answers.csv?answer=2010..") as response:
        assert response.mimetype == "text/csv"
        assert re.fullmatch(
            r'attachment; filename="answers-[0-9-]{10}\.csv"',
            response.headers["Content-Disposition"],
        )
        rows = list(csv.DictReader(response.get_data(as_text=True).splitlines()))
    assert [row["request_id"] for row in rows] == [each.id for each in made[9:]]
    with person.get("/console/history/answers.jsonl?period=1h") as response:
        lines = [json.loads(line) for line in response.get_data(as_text=True).splitlines()]
    assert {line["caller"] for line in lines} == {ann}
    assert 55 <= len(lines) <= 60
    head = person.client.head("/console/history/answers.csv")
    assert (head.status_code, head.headers.get("Content-Length")) == (200, None)
    assert person.get("/console/history/answers.xlsx").status_code == 404
    for nonsense in ("answer=x", "begin=x", "field=month&value=zz"):
        answer = person.get(f"/console/history/answers.csv?{nonsense}")
        assert answer.status_code == 422  # not all answers, as if nothing had been asked


def test_an_object_has_parts(build: Build) -> None:
    """Of an answer that is an object, each member can be asked for, and one is drawn."""
    house = build(contracts=("examples/delivery.py:contract",))
    ann = house.id("ann")
    for number in range(4):
        house.fill(
            visits(
                number,
                ann,
                contract="delivery-time",
                inputs=b'{"weight_kg":2.5,"service":"express"}',
                output=b'{"days":%d,"carrier":"%s"}' % (number + 1, b"ns"[number % 2 :][:1] * 3),
            )
        )
    person = house.client("ann")
    page = person.get("/console/history?part=days&answer=2..3").text
    assert len(re.findall(r'scope="row"><a', page)) == 2
    assert 'name="part"' in page
    assert "delivery-time, carrier" in person.get("/console/history?part=carrier").text
    bars = [f"{number} to {number + 1}" for number in range(1, 5)]  # days may be decimals
    assert re.findall(r'<th scope="row">(\d to \d)</th>', page) == bars


def test_a_word_that_its_contract_has_dropped(house: House) -> None:
    """Who has an answer with a choice of old finds it; others are told what a contract allows."""
    house.fill(visits(1, house.id("ann"), inputs=b'{"month":"smarch"}'), visits(2, None))
    query = "field=month&value=smarch"
    for name in ("ann", "root"):
        assert shown(house.client(name), query) == [2001]
    for name, value in (("bob", "smarch"), ("ann", "smarc")):
        page = house.client(name).get(f"/console/history?field=month&value={value}").text
        assert 'id="error-value"' in page


def test_inputs_that_were_once_of_another_name_or_type(house: House) -> None:
    """What was answered before a compatible change is found as ever, by who may see it."""
    ann = house.id("ann")
    house.fill(
        visits(1, ann, inputs=b'{"seller_avaible":4}'),
        visits(2, ann, inputs=b'{"seller_available":"4"}'),
        visits(3, ann, inputs=b'{"seller_available":4}'),
        visits(4, None, inputs=b'{"seller_avaible":"4"}'),
    )
    for name in ("seller_available", "seller_avaible"):
        query = f"field={name}&value=4"
        assert shown(house.client("ann"), query) == [2001, 2002, 2003]
        assert shown(house.client("root"), query) == [2001, 2002, 2003, 2004]


def test_a_page_is_small(house: House) -> None:
    """With all that it can show, a page stays far below 100 KB."""
    ann = house.id("ann")
    house.fill(*(visits(number, ann, release=str(number % 5)) for number in range(1, 400)))
    for person in (house.client("ann"), house.client("root")):
        assert len(person.get("/console/history?period=24h").data) < 70_000
