"""A contract is served as it is written, or not at all; its fingerprint says which one it is."""

import math
import subprocess
import sys
from dataclasses import replace
from typing import Annotated, Any, Literal, Self

import pytest
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    Field,
    PrivateAttr,
    computed_field,
    create_model,
    field_serializer,
    field_validator,
    model_validator,
)
from tests.contracts.promises import DELIVERY, LETTER, Fate, contract_of

from stopgap.contracts import kinds
from stopgap.contracts.annotations import ContractInvalid
from stopgap.contracts.contract import Contract, Example
from stopgap.contracts.given import Given
from stopgap.contracts.madcompany import contract as madcompany
from stopgap.contracts.parsing import read_path


def test_madcompany_is_the_mails_contract() -> None:
    """The path of the mail, its prefix, its names, and the spelling that the mail also has."""
    assert madcompany.prefix == "/predict"
    assert madcompany.segments[1:] == (
        "{seller_available}",
        "{month}",
        "{customer_visiting_website}",
    )
    assert madcompany.names["seller_avaible"] == "seller_available"


@pytest.mark.parametrize(
    ("path", "prefix"),
    [
        ("/p", "/p"),
        ("/p/{n}", "/p"),
        ("/v1/p/{n}", "/v1/p"),
        ("/p/{n}/of/{m}", "/p"),
        ("/p/{n}/end", "/p"),
        ("/~p.x_y-z/{n}", "/~p.x_y-z"),
    ],
)
def test_the_prefix_is_the_fixed_beginning(path: str, prefix: str) -> None:
    """Queries, forms and JSON go to what stands before the first input."""
    assert contract_of(bool, path, n=int, m=int).prefix == prefix


@pytest.mark.parametrize(
    ("path", "short"),
    [
        ("/p/{n}", ()),
        ("/p/{n}/{o}", ("/p/{n}",)),
        ("/p/{o}/{n}", ()),
        ("/p/{n}/{o}/{u}", ("/p/{n}/{o}", "/p/{n}")),
        ("/p/{n}/{o}/in/{u}", ("/p/{n}/{o}/in", "/p/{n}")),
        ("/p/{o}/{u}", ("/p/{o}",)),
        ("/v1/p/{n}/{o}/end", ("/v1/p/{n}",)),
        ("/p", ()),
    ],
)
def test_a_path_can_be_short(path: str, short: tuple[str, ...]) -> None:
    """The last inputs are left out of a path where they are optional."""
    contract = contract_of(bool, path, n=int, o=(int, 1), u=(int, 2))
    assert contract.short_paths == short
    for each in short:
        beside = [] if "{n}" in each else [Given("n", "5")]
        assert read_path(contract, each.format(n=5, o=6), beside).model_dump()["u"] == 2


BAD_PATHS = [
    *["", "/", "p", "p/{n}", "/{n}", "//p", "/p//{n}", "/p/", "/p/{n}/", "/p/../{n}", "/./{n}"],
    *["/p/{x}", "/p/{n}/{n}", "/p/{n}{m}", "/p/a{n}", "/p/{n", "/p/{}", "/p/{n:d}", "/p/a b"],
    *["/p/%2F/{n}", "/p/é/{n}", "/p?{n}", "/p#x", "/p/{n}\n", "/p/<n>", "/p\\{n}"],
]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_a_path_that_cannot_be_served(path: str) -> None:
    """A path begins with a fixed part, has plain parts, and names each input at most once."""
    with pytest.raises(ContractInvalid):
        contract_of(bool, path, n=int, m=int)


@pytest.mark.parametrize(
    "name", ["", "Parcel", "a b", "a_b", "-a", "a-", "a--b", "a/b", "é", "a\n"]
)
def test_a_name_that_cannot_be_served(name: str) -> None:
    """A name is a part of addresses and file names."""
    with pytest.raises(ContractInvalid, match="named like"):
        replace(DELIVERY, name=name)


class Texts(BaseModel):
    """An output with a free text in it."""

    ok: bool
    note: str


ENDLESS = [int, float, Annotated[int, Field(ge=0)], Annotated[float, Field(le=0)]]
UNLISTED = [str, Texts, bytes, None, int | None, list[int]]


@pytest.mark.parametrize("output", [*ENDLESS, *UNLISTED])
def test_an_output_that_cannot_be_drawn(output: Any) -> None:
    """Every number has two ends, and every text comes from a list."""
    with pytest.raises(ContractInvalid):
        contract_of(output)


@pytest.mark.parametrize(
    ("end", "output"),
    [
        ("below 9007199254740991", Annotated[int, Field(ge=0, le=2**53 - 1)]),
        ("short of the largest double", Annotated[float, Field(ge=0, le=kinds.NUMBER_MAX)]),
    ],
)
def test_an_outputs_end_that_is_none(end: str, output: Any) -> None:
    """An end that is where no end is given is told from one that is missing."""
    with pytest.raises(ContractInvalid, match=f"needs both ends of its range .*, {end}"):
        contract_of(output)


@pytest.mark.parametrize(
    "alias",
    [
        Field(alias="class"),
        Field(serialization_alias="class"),
        Field(validation_alias=AliasChoices("class_", "class")),
    ],
)
def test_an_outputs_field_has_one_name(alias: Any) -> None:
    """An alias would be left out of what is answered, so it is refused."""
    output = create_model("Output", class_=(bool, alias))
    with pytest.raises(ContractInvalid, match="class_: an output's field has no alias"):
        contract_of(output)


class Ordered(BaseModel):
    """An output with a rule between its fields."""

    lower: Annotated[float, Field(ge=0, le=1)]
    upper: Annotated[float, Field(ge=0, le=1)]

    @model_validator(mode="after")
    def order(self) -> Self:
        """Hold the one below the other."""
        return self


class Heir(Ordered):
    """An output whose parent has the rule."""


class Rounded(BaseModel):
    """An output with a rule for a field."""

    share: Annotated[float, Field(ge=0, le=1)]

    @field_validator("share")
    @classmethod
    def hundredths(cls, share: float) -> float:
        """Round it."""
        return round(share, 2)


class Computed(BaseModel):
    """An output with more than its fields."""

    sure: bool

    @computed_field
    def unsure(self) -> bool:
        """Tell the contrary."""
        return not self.sure


class Serialized(BaseModel):
    """An output that is to be written in another way."""

    sure: bool

    @field_serializer("sure")
    def in_words(self, sure: bool) -> str:
        """Write it out."""
        return "yes" if sure else "no"


class Made(BaseModel):
    """An output that does something when it is made."""

    sure: bool

    def model_post_init(self, _context: object) -> None:
        """Do it."""


@pytest.mark.parametrize(
    ("output", "code"),
    [
        (Ordered, "Ordered: order"),
        (Heir, "Heir: order"),
        (Rounded, "Rounded: hundredths"),
        (Computed, "Computed: unsure"),
        (Serialized, "Serialized: in_words"),
        (Made, "Made: model_post_init"),
    ],
)
def test_an_output_has_no_code(output: type[BaseModel], code: str) -> None:
    """What an author's code has to say of an answer would be dropped, so it is refused."""
    with pytest.raises(ContractInvalid, match=f"{code}: an output has no code of its own"):
        contract_of(output)


def test_a_validator_around_an_output_is_refused() -> None:
    """It is as one around a number: none is run over what a model answers."""
    with pytest.raises(ContractInvalid, match=r"output .*cannot promise: AfterValidator"):
        contract_of(Annotated[Fate, AfterValidator(lambda fate: fate)])


def test_an_output_may_have_what_no_answer_shows() -> None:
    """A property and a private attribute are the author's own affair."""

    class Plain(BaseModel):
        sure: bool
        _seen: int = PrivateAttr(default=0)

        @property
        def unsure(self) -> bool:
            return not self.sure

    assert contract_of(Plain).output_kind.allowed() == "an object of sure"


class Twins(BaseModel):
    """Two inputs that are read under one name."""

    n: Annotated[int, Field(validation_alias=AliasChoices("n", "x"))]
    m: Annotated[int, Field(validation_alias=AliasChoices("m", "x"))]


class Shadow(BaseModel):
    """An alias that is another input's name."""

    n: Annotated[int, Field(validation_alias=AliasChoices("n", "m"))]
    m: int


@pytest.mark.parametrize("inputs", [Twins, Shadow])
def test_two_inputs_under_one_name(inputs: type[BaseModel]) -> None:
    """A name means one input."""
    with pytest.raises(ContractInvalid, match="share a name"):
        Contract(name="t", version="1", path="/t", inputs=inputs, output=bool)


@pytest.mark.parametrize("mistaken", ["/p/{m}", "/p/{m}/{n}/{n}", "{m}/{n}", "/p/{m}/{x}"])
def test_a_mistaken_path_has_the_same_inputs(mistaken: str) -> None:
    """Only the same inputs in another order can be told the right address."""
    contract = contract_of(bool, "/p/{n}/{m}", n=int, m=int)
    with pytest.raises(ContractInvalid):
        replace(contract, mistaken_paths=[mistaken])


@pytest.mark.parametrize("mistaken", ["/pp/{m}/{n}", "/q/{m}/{n}", "/q/p/{m}/{n}"])
def test_a_mistaken_path_is_the_contracts(mistaken: str) -> None:
    """What begins in another way never comes to the contract."""
    contract = contract_of(bool, "/p/{n}/{m}", n=int, m=int)
    replace(contract, mistaken_paths=["/p/{m}/{n}", "/p/of/{m}/{n}"])
    with pytest.raises(ContractInvalid, match=r"never asked here; a mistaken path .* with /p,"):
        replace(contract, mistaken_paths=[mistaken])


def test_examples_keep_the_contract() -> None:
    """A golden example that the contract itself refuses is a mistake in the contract."""
    parcel = {"weight_kg": 2.5}
    promised = {"days": 1.0, "carrier": "north"}
    replace(DELIVERY, examples=[Example(inputs=parcel, output=promised)])
    for inputs, output in (
        ({"weight_kg": 31}, promised),
        ({}, promised),
        (parcel, {"days": 20.0, "carrier": "north"}),
        (parcel, 1.0),
        (parcel | {"size": 5}, promised),
        ({"weight_kg": "2.5"}, promised),
    ):
        with pytest.raises(ContractInvalid, match="an example's") as refusal:
            replace(DELIVERY, examples=[Example(inputs=inputs, output=output)])
        assert "\n" not in refusal.value.detail


def test_examples_are_held_with_what_holds_requests() -> None:
    """What a client cannot send is no example, and no answer is less than exact."""
    counted = contract_of(bool, n=int)
    for example, said in (
        (Example(inputs={"n": -1}, output=True), "n must be an integer from 0 to .*; it is -1"),
        (Example(inputs={"n": 1, "m": 1}, output=True), "m is none; the inputs are n"),
        (Example(inputs={"n": 1}, output=True, tolerance=-1), "tolerance is 0 or more; it is -1"),
        (Example(inputs={"n": 1}, output=True, tolerance=math.nan), "tolerance is 0 or more"),
    ):
        with pytest.raises(ContractInvalid, match=said):
            replace(counted, examples=[example])


def test_inputs_are_a_class() -> None:
    """Inputs that were made, where their class is asked for, are told as such."""
    made: Any = DELIVERY.inputs.model_validate({"weight_kg": 1})
    others: list[Any] = [made, dict, 5]
    for inputs in others:
        with pytest.raises(
            ContractInvalid, match="delivery-time: its inputs are a class made from"
        ):
            replace(DELIVERY, inputs=inputs)


def test_a_place_for_what_is_no_input() -> None:
    """A path is told which of its placeholders is no input, and which inputs there are."""
    with pytest.raises(ContractInvalid, match=r"\{b\} in /a/\{b\} is no input; the inputs are n"):
        contract_of(bool, "/a/{b}")


def test_a_path_into_an_object() -> None:
    """An alias that leads into an object would be another contract, of objects in objects."""
    size = Annotated[int, Field(validation_alias=AliasPath("box", "size"))]
    with pytest.raises(ContractInvalid, match="size: an AliasPath leads into an object"):
        contract_of(bool, size=size)


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    """It depends on no memory address and no hash seed."""
    code = "from tests.contracts.promises import *; print(DELIVERY.fingerprint, LETTER.fingerprint)"
    for seed in ("1", "2"):
        told = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        )
        assert told.stdout.split() == [DELIVERY.fingerprint, LETTER.fingerprint]


@pytest.mark.parametrize(
    ("contract", "fingerprint"),
    [
        (madcompany, "0d9d9d0afb4b7a93"),
        (DELIVERY, "a900f8fc314a44a9"),
        (LETTER, "a8d5f17da487a128"),
    ],
)
def test_a_fingerprint_is_the_same_in_every_version(contract: Contract, fingerprint: str) -> None:
    """Releases are verified for it, and the stable stand-in draws by it."""
    assert contract.fingerprint == fingerprint


def test_words_for_people_do_not_change_the_fingerprint() -> None:
    """A better description makes no other contract of it."""
    reworded = replace(madcompany, version="1.0.1", description="New.", mistaken_paths=[])
    assert reworded.fingerprint == madcompany.fingerprint
    described = contract_of(bool, n=Annotated[int, Field(title="N", description="D", examples=[1])])
    assert described.fingerprint == contract_of(bool, n=int).fingerprint


GOLDEN = [Example(inputs={"n": n}, output=True, tolerance=0) for n in (1, 2)]


def test_golden_examples_have_a_fingerprint_of_their_own() -> None:
    """Another example changes that alone; their order, and how a tolerance is written, nothing."""
    plain = contract_of(bool, n=int)
    golden = replace(plain, examples=GOLDEN)
    assert golden.fingerprint == plain.fingerprint
    assert plain.examples_fingerprint == ""
    same = replace(plain, examples=[replace(each, tolerance=0.0) for each in reversed(GOLDEN)])
    assert golden.examples_fingerprint == same.examples_fingerprint
    others = [
        GOLDEN[:1],
        [GOLDEN[0], replace(GOLDEN[1], output=False)],
        [GOLDEN[0], replace(GOLDEN[1], tolerance=0.5)],
        [GOLDEN[0], replace(GOLDEN[1], inputs={"n": 3})],
    ]
    told = {replace(plain, examples=each).examples_fingerprint for each in others}
    assert len(told | {golden.examples_fingerprint}) == 5


Alias = Annotated[int, Field(validation_alias=AliasChoices("n", "x"))]
In = Annotated[int, Field(json_schema_extra={"unit": "kg"})]

DIFFERENT: list[Contract] = [
    contract_of(bool, n=int),
    contract_of(bool, "/q", n=int),
    contract_of(bool, "/p/{n}", n=int),
    contract_of(bool, m=int),
    contract_of(bool, n=int, m=int),
    contract_of(bool, m=int, n=int),
    contract_of(bool, n=Annotated[int, Field(ge=1)]),
    contract_of(bool, n=Annotated[int, Field(le=9)]),
    contract_of(bool, n=float),
    contract_of(bool, n=Alias),
    contract_of(bool, n=In),
    contract_of(bool, n=(int, 0)),
    contract_of(bool, n=(int, 1)),
    contract_of(bool, n=Literal["a", "b"]),
    contract_of(bool, n=Literal["b", "a"]),
    contract_of(Annotated[int, Field(ge=0, le=1)]),
    contract_of(Annotated[float, Field(ge=0, le=1)]),
    contract_of(Annotated[float, Field(gt=0, le=1)]),
    contract_of(Literal["a"]),
    contract_of(Literal["a", "b"]),
    DELIVERY,
    LETTER,
    replace(LETTER, unit="parcels"),
    madcompany,
]


def test_a_fingerprint_tells_contracts_apart() -> None:
    """Whatever a client or a model would notice changes it."""
    assert len({contract.fingerprint for contract in DIFFERENT}) == len(DIFFERENT)


@pytest.mark.parametrize("text", ["", ".", ".."])
def test_an_address_that_can_be_followed(text: str) -> None:
    """What a path cannot hold is in the query: clients resolve dots, and drop what is empty."""
    contract = contract_of(bool, "/texts/{a}/{n}", a=str, n=int)
    assert contract.address({"a": text, "n": 5}) == f"/texts?a={text}&n=5"
    assert contract.address({"a": "x y", "n": 5}) == "/texts/x%20y/5"
