"""A request's inputs are read strictly, and whoever sends bad ones is told all that is wrong."""

import json
from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, field_validator, model_validator
from tests.contracts.promises import DELIVERY, LETTER, contract_of

from stopgap.contracts.contract import Contract
from stopgap.contracts.given import Given, json_values, query_values
from stopgap.contracts.json_object import JsonMalformed
from stopgap.contracts.madcompany import contract as madcompany
from stopgap.contracts.parsing import (
    GIVEN_MAX,
    InputMalformed,
    InputNotAllowed,
    read_inputs,
    read_path,
)
from stopgap.errors import RECEIVED_MAX, Fault, StopgapError

SELLERS, MONTH, VISITORS = (field.name for field in madcompany.fields)
ALL = {SELLERS, MONTH, VISITORS}
INPUTS: dict[str, Any] = {SELLERS: 5, MONTH: "january", VISITORS: 100}
QUERY = urlencode(INPUTS)

Refusal = type[InputMalformed] | type[InputNotAllowed]


def faults_of(kind: type[StopgapError], read: Any, *args: Any) -> dict[str, Fault]:
    """Hold that a reading is refused with a kind of error; return its faults by field."""
    with pytest.raises(kind) as refusal:
        read(*args)
    assert type(refusal.value) is kind
    json.dumps([fault.received for fault in refusal.value.faults], allow_nan=False).encode()
    for fault in refusal.value.faults:
        assert fault.field in refusal.value.detail
        assert len(str(fault.received)) <= RECEIVED_MAX + 1
    return {fault.field: fault for fault in refusal.value.faults}


def read_query(query: str) -> BaseModel:
    """Read MadCompany's inputs from a query."""
    return read_inputs(madcompany, query_values(query))


def read_json(body: bytes) -> BaseModel:
    """Read MadCompany's inputs from JSON."""
    return read_inputs(madcompany, json_values(body))


def test_three_forms_are_one() -> None:
    """Path, query and JSON give the same inputs, under each field's names."""
    for read in (
        read_path(madcompany, "/predict/5/January/100"),
        read_path(madcompany, "/predict/5/jan%76ier/100/"),
        read_query(QUERY),
        read_query("seller_avaible=5&month=1&customer_visiting_website=0100"),
        read_json(json.dumps(INPUTS).encode()),
        read_json(b'{"seller_avaible": 5, "month": 1, "customer_visiting_website": 100}'),
    ):
        assert read.model_dump() == INPUTS


BAD_INTEGERS: list[tuple[str, Refusal]] = [
    *[(text, InputMalformed) for text in ("five", "-5", "%2B5", "1e3", "1_000", "5.0", "5%0A")],
    *[(text, InputMalformed) for text in ("%D9%A1%D9%A2", "", "%00", "5%2F6", "%FF", "%", "..")],
    *[(text, InputMalformed) for text in ("%205", "0x5", "1" + "0" * 30, "9" * 8_000, "%22")],
    *[(text, InputNotAllowed) for text in ("9007199254740992", "9999999999999999")],
]


@pytest.mark.parametrize(("text", "refusal"), BAD_INTEGERS)
def test_a_bad_integer_in_an_address(text: str, refusal: Refusal) -> None:
    """What is no integer is malformed, one beyond 2^53 - 1 is not allowed; both name the field."""
    for faults in (
        faults_of(refusal, read_path, madcompany, f"/predict/{text}/january/100"),
        faults_of(refusal, read_query, QUERY.replace("=5", f"={text}")),
    ):
        assert set(faults) == {SELLERS}
        assert "an integer from 0 to 9007199254740991" in faults[SELLERS].message


@pytest.mark.parametrize(
    ("text", "refusal"),
    [(text, InputNotAllowed) for text in ("monday", "jui", "0", "13", "jan%00", "jan%2F", "..")]
    + [("", InputMalformed), ("%FF", InputMalformed), ("%ED%A0%80", InputMalformed)],
)
def test_a_bad_month_in_an_address(text: str, refusal: Refusal) -> None:
    """What is no month is not allowed; what is no text at all is malformed."""
    for faults in (
        faults_of(refusal, read_path, madcompany, f"/predict/5/{text}/100"),
        faults_of(refusal, read_query, QUERY.replace("january", text)),
    ):
        assert set(faults) == {MONTH}
        assert "one of january, february" in faults[MONTH].message


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/predict/", ALL),
        ("/predict/5", {MONTH, VISITORS}),
        ("/predict/5/", {MONTH, VISITORS}),
        ("/predict/5/january", {VISITORS}),
        ("/predict/5/january/", {VISITORS}),
        ("/predict/x/monday/%FF", ALL),
        ("/predict///", ALL),
        ("/predict/5/january/100/7", set()),
        ("/predict/5/january/100//", set()),
        ("/predict//5/january/100", set()),
    ],
)
def test_a_path_with_other_parts(path: str, fields: set[str]) -> None:
    """A path that is too short says what is missing; one that is too long, how it should look."""
    assert set(faults_of(InputMalformed, read_path, madcompany, path)) == fields


BAD_QUERIES: list[tuple[str, Refusal, set[str]]] = [
    ("", InputMalformed, ALL),
    ("&&=&", InputMalformed, ALL | {""}),
    (SELLERS, InputMalformed, ALL),
    (QUERY.replace("month=january&", ""), InputMalformed, {MONTH}),
    (QUERY + "&month=may", InputMalformed, {MONTH}),
    (QUERY + "&month=january", InputMalformed, {MONTH}),
    (QUERY + "&seller_avaible=5", InputMalformed, {SELLERS}),
    (QUERY + "&x=1", InputNotAllowed, {"x"}),
    (QUERY + "&%FF=1", InputNotAllowed, {"%FF"}),
    (QUERY.replace("month", "MONTH"), InputMalformed, {MONTH, "MONTH"}),
    (QUERY.replace("january", "monday") + "&x=1&month=", InputMalformed, {MONTH, "x"}),
    ("seller_available=x&month=monday&y=1", InputMalformed, ALL | {"y"}),
]


@pytest.mark.parametrize(("query", "refusal", "fields"), BAD_QUERIES)
def test_a_bad_query(query: str, refusal: Refusal, fields: set[str]) -> None:
    """Every field at fault is named: missing, unknown, or given twice under any of its names."""
    assert set(faults_of(refusal, read_query, query)) == fields


BAD_JSON: list[tuple[object, Refusal]] = [
    *[(value, InputMalformed) for value in ("5", True, None, 5.5, [5], {"a": 1}, "")],
    (["\ud800"], InputMalformed),
    *[(value, InputNotAllowed) for value in (-5, 2**53, 10**30, 10**4000, 1e300)],
]


@pytest.mark.parametrize(("value", "refusal"), BAD_JSON)
def test_a_bad_integer_in_json(value: object, refusal: Refusal) -> None:
    """In JSON an integer is a number, never a text or a boolean, and of the same range."""
    body = json.dumps(INPUTS | {SELLERS: value}).encode()
    assert set(faults_of(refusal, read_json, body)) == {SELLERS}


@pytest.mark.parametrize("value", ["monday", 13, 0, 1.5, True, None, [], ["january"], "\x00"])
def test_a_bad_month_in_json(value: object) -> None:
    """In JSON a month is a text or a number."""
    body = json.dumps(INPUTS | {MONTH: value}).encode()
    assert set(faults_of(InputNotAllowed, read_json, body)) == {MONTH}


@pytest.mark.parametrize("depth", range(900, 1100, 7))
def test_depth_is_refused_wherever_it_shows(depth: int) -> None:
    """A value that is nested almost too deeply to be read may be too deep to be repeated."""
    body = b'{"month": ' + b"[" * depth + b"]" * depth + b"}"
    with pytest.raises((JsonMalformed, InputMalformed)):
        read_json(body)


def test_an_enormous_list_is_repeated_in_part() -> None:
    """What arrived is repeated, but only so much of it."""
    body = json.dumps(INPUTS | {SELLERS: list(range(1_000_000))}).encode()
    received = str(faults_of(InputMalformed, read_json, body)[SELLERS].received)
    assert received.startswith("[0, 1, 2")
    assert received.endswith("…")


def test_what_arrived_is_repeated_as_json_can_say_it() -> None:
    """A plain number is repeated as it is; infinity, which no JSON can say, as text."""
    body = json.dumps(INPUTS).replace("100", "1e400").replace(": 5", ": -7").encode()
    faults = faults_of(InputMalformed, read_json, body)
    assert (faults[SELLERS].received, faults[VISITORS].received) == (-7, "Infinity")


def test_too_many_values() -> None:
    """A request brings at most a hundred values."""
    many = [Given(f"x{number}", "1") for number in range(GIVEN_MAX + 1)]
    with pytest.raises(InputMalformed, match=r"100 values.* 101"):
        read_inputs(madcompany, many)


def test_a_contract_of_many_fields() -> None:
    """A contract with more than a hundred inputs can be asked, under any of their names."""
    names = [f"x{number}" for number in range(GIVEN_MAX + 20)]
    wide = contract_of(bool, **dict.fromkeys(names, int))
    values = [Given(name, "1") for name in names]
    assert read_inputs(wide, values).model_dump() == dict.fromkeys(names, 1)
    with pytest.raises(InputMalformed, match="120 fields are at fault"):
        read_inputs(wide, values * 2)
    with pytest.raises(InputMalformed, match=r"240 values.* 360"):
        read_inputs(wide, values * 3)


def test_another_fixed_part() -> None:
    """A path with another fixed part in its middle is told how it should look."""
    contract = contract_of(bool, "/a/{n}/to/{m}", n=int, m=int)
    for path in ("/a/1/from/2", "/a/1/from", "/b/1/to/2"):
        with pytest.raises(InputMalformed, match=r"it should look like /a/\{n\}/to/\{m\}$"):
            read_path(contract, path)


@pytest.mark.parametrize("name", ["", " "])
def test_a_field_without_a_name(name: str) -> None:
    """A name that nobody would see is quoted where the fields at fault are listed."""
    with pytest.raises(InputNotAllowed, match=f"^1 field is at fault: '{name}'\\.$"):
        read_query(f"{QUERY}&{name}=1")


def test_a_field_that_is_nearly_known() -> None:
    """Who mistypes a name is told the one that was meant."""
    body = json.dumps(INPUTS | {"seller_avialable": 5}).encode()
    fault = faults_of(InputNotAllowed, read_json, body)["seller_avialable"]
    assert fault.message.startswith("is not a field; did you mean seller_available? The fields are")
    body = json.dumps(INPUTS | {"q": 5}).encode()
    assert "did you mean" not in faults_of(InputNotAllowed, read_json, body)["q"].message


class Coded(BaseModel):
    """A pattern, and validators that object in words of their own."""

    code: Annotated[str, Field(pattern="^a+$", max_length=5, examples=["a"])]
    size: int

    @field_validator("size")
    @classmethod
    def is_even(cls, value: int) -> int:
        """Refuse odd ones, and zero."""
        if value % 2:
            raise ValueError("must be even")
        if not value:
            raise AssertionError("must be something")
        return value


def test_what_is_refused_is_told_in_the_authors_words() -> None:
    """An author's words stand as they are; a pattern is told as every other bound is."""
    contract = Contract(name="c", version="1", path="/c", inputs=Coded, output=bool)
    for text, said in (
        ("code=b&size=2", "must be a text of 0 to 5 printable characters that matches ^a+$"),
        ("code=a&size=3", "must be even"),
        ("code=a&size=0", "must be something"),
    ):
        with pytest.raises(InputNotAllowed) as refusal:
            read_inputs(contract, query_values(text))
        assert [fault.message for fault in refusal.value.faults] == [said]


def test_the_mails_other_order_is_told_the_right_address() -> None:
    """Who stands the values in the order that the mail also names is shown where to ask."""
    with pytest.raises(InputNotAllowed, match=r"try /predict/5/january/100$") as refusal:
        read_path(madcompany, "/predict/january/100/5")
    assert {fault.field for fault in refusal.value.faults} == {SELLERS, MONTH}


@pytest.mark.parametrize(
    "path", ["/predict/january/x/5", "/predict/january/100/-5", "/predict/a/b/c"]
)
def test_only_a_mistaken_order_is_told_so(path: str) -> None:
    """Where the values would be wrong in any order, no address is shown."""
    with pytest.raises(InputMalformed) as refusal:
        read_path(madcompany, path)
    assert "try" not in refusal.value.detail


def test_the_address_that_is_shown_is_safe_to_follow() -> None:
    """The address is percent-encoded again, so that nothing in it can be taken for a slash."""
    contract = Contract(
        name="t", version="1", path="/t/{m}/{n}", inputs=contract_of(bool, n=int, m=str).inputs,
        output=bool, mistaken_paths=["/t/{n}/{m}"],
    )  # fmt: skip  # one call, not nine lines
    with pytest.raises(InputNotAllowed, match=r"try /t/%2F%2Fevil%20%C3%A9/5$"):
        read_path(contract, "/t/5/%2F%2Fevil%20%C3%A9")


@pytest.mark.parametrize(
    "query", ["weight_kg=2", "weight_kg=2&service=", "weight_kg=2&service=standard"]
)
def test_an_optional_value_may_be_left_out_or_empty(query: str) -> None:
    """Browsers send a form's empty fields; they mean the default."""
    read = read_inputs(DELIVERY, query_values(query))
    assert read.model_dump() == {"weight_kg": 2.0, "service": "standard"}


def test_an_empty_text_is_a_value_where_it_is_allowed() -> None:
    """A text that may be empty is empty when nothing is written."""
    contract = contract_of(bool, n=Annotated[str, Field(max_length=5)])
    assert read_inputs(contract, query_values("n=")).model_dump() == {"n": ""}
    assert read_inputs(contract, json_values(b'{"n": ""}')).model_dump() == {"n": ""}


class Span(BaseModel):
    """Two numbers in order, and a code."""

    low: int
    high: int
    code: Annotated[str, Field(pattern="^[a-c]+$")]

    @model_validator(mode="after")
    def check(self) -> "Span":
        """Hold the numbers against each other."""
        if self.low > self.high:
            raise ValueError("low must not be above high")
        return self


SPAN = Contract(name="span", version="1", path="/span", inputs=Span, output=bool)


def test_the_authors_validators_are_held() -> None:
    """A pattern, or a rule of the author's own, is not allowed to be broken; its field is named."""
    faults = faults_of(InputNotAllowed, read_inputs, SPAN, query_values("low=1&high=2&code=x"))
    assert (set(faults), faults["code"].received) == ({"code"}, "x")
    refused = query_values("low=3&high=2&code=a")
    assert (
        "low must not" in faults_of(InputNotAllowed, read_inputs, SPAN, refused)["inputs"].message
    )


def test_a_broken_pattern_is_named_beside_other_faults() -> None:
    """Every field at fault is named at once, whoever finds the fault."""
    faults = faults_of(InputMalformed, read_inputs, SPAN, query_values("low=x&code=x&y=1"))
    assert set(faults) == {"low", "high", "code", "y"}


SEGMENT = st.text() | st.sampled_from(["5", "january", "-5", "", "2.5", "%FF", "%00", "north"])
ADDRESS = st.lists(SEGMENT, max_size=5).map("/".join)


@given(st.binary() | st.text().map(str.encode), st.sampled_from([madcompany, DELIVERY, LETTER]))
@example(b'{"seller_available": 1e999999}', madcompany)
@example(b'{"weight_kg": -1e999999}', DELIVERY)
def test_no_bytes_make_anything_but_a_refusal(body: bytes, contract: Contract) -> None:
    """Whatever a body, path or query holds, it is read or refused in words."""
    text = body.decode("latin-1")
    assert_read_or_refused(lambda: read_inputs(contract, json_values(body)))
    assert_read_or_refused(lambda: read_inputs(contract, query_values(text)))
    path = f"{contract.prefix}/{text}"
    assert_read_or_refused(lambda: read_path(contract, path, query_values(text)))


def assert_read_or_refused(read: Callable[[], BaseModel]) -> None:
    """Hold that a reading gives inputs, or a refusal that can be sent as UTF-8."""
    try:
        read()
    except (InputMalformed, InputNotAllowed, JsonMalformed) as refusal:
        said = [refusal.detail, *(str(fault) for fault in refusal.faults)]
        assert "\n".join(said).encode()


@given(ADDRESS, st.dictionaries(st.text() | st.sampled_from(sorted(ALL)), SEGMENT, max_size=4))
def test_no_address_makes_anything_but_a_refusal(path: str, query: dict[str, str]) -> None:
    """The same holds for addresses that are almost right."""
    for contract in (madcompany, DELIVERY, LETTER):
        try:
            raw = quote(f"{contract.prefix}/{path}", safe="/%")
            read_path(contract, raw, query_values(urlencode(query)))
        except (InputMalformed, InputNotAllowed):
            continue


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.text() | st.sampled_from(sorted(ALL)), JSON_VALUES, max_size=4))
def test_every_json_fault_can_be_said_in_json(members: dict[str, Any]) -> None:
    """What is repeated to its sender is always short, and always JSON."""
    try:
        read_json(json.dumps(members).encode())
    except JsonMalformed:
        pass
    except (InputMalformed, InputNotAllowed) as refusal:
        for fault in refusal.faults:
            assert len(json.dumps([fault.field, fault.received], allow_nan=False)) < 1_500
