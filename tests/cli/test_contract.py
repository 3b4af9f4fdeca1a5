"""`stopgap contract`: shown, compared, and held against a live server."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.commands import Run, shell
from tests.distortions import at, body, both, has, no, status, when
from tests.wrong_server import Asked, Said, serving

from stopgap.contracts import madcompany

FILE = """
from typing import Annotated, Literal
from pydantic import BaseModel, Field
from stopgap import Contract

class Inputs(BaseModel):
    weight: Annotated[float, Field(gt=0, le=30)]
    service: Literal["slow", "fast"] = "slow"

class Outputs(BaseModel):
    days: Annotated[int, Field(ge=1, le={days})]

contract = Contract(name="parcel", version="1", path="/parcel/{{weight}}", inputs=Inputs,
                    output=Outputs, description="Predicts days.", unit="")
"""


@pytest.fixture
def parcel(tmp_path: Path) -> str:
    """Write a contract into a file; tell its place."""
    (tmp_path / "parcel.py").write_text(FILE.format(days=9))
    return f"{tmp_path / 'parcel.py'}:contract"


@pytest.fixture
def server() -> Iterator[str]:
    """Run a right little server of MadCompany's contract."""
    with serving([madcompany.contract]) as url:
        yield url


def test_show(run: Run, parcel: str) -> None:
    """A contract is told in words: its addresses, inputs, defaults and output."""
    text = run("contract", "show", "--contract", parcel).stdout
    for word in (
        "parcel 1",
        "/parcel/{weight}",
        "POST /parcel",
        "above 0 up to 30",
        "'slow' if left",
    ):
        assert word in text
    assert "days: an integer from 1 to 9" in text


def test_show_the_contracts_that_are_served(run: Run, parcel: str) -> None:
    """With none named, the contracts of the settings are shown."""
    places = f"stopgap.contracts.madcompany:contract,{parcel}"
    lines = run("contract", "show", "--json", STOPGAP_CONTRACTS=places).stdout.splitlines()
    first, second = map(json.loads, lines)
    assert (first["name"], second["name"]) == ("madcompany", "parcel")
    assert first["inputs"][0]["aliases"] == ["seller_avaible"]
    assert first["output"]["allowed"] == "an integer from 2000 to 5000"
    assert second["output"]["fields"][0]["name"] == "days"


def test_openapi(run: Run, parcel: str) -> None:
    """The document is whole JSON, with the contract's routes and the platform's."""
    document = json.loads(run("contract", "openapi", "--contract", parcel).stdout)
    assert {"/parcel", "/parcel/{weight}", "/login"} <= document["paths"].keys()


def test_openapi_is_utf_8(parcel: str) -> None:
    """It is JSON, whatever the terminal's encoding has no letters for."""
    file = Path(parcel.partition(":")[0])
    file.write_text(FILE.format(days=9).replace("Predicts", "Très 😀 predicts"))
    written = shell("contract", "openapi", "--contract", parcel, PYTHONIOENCODING="latin-1")
    assert (written.returncode, written.stderr) == (0, "")
    json.loads(written.stdout)
    assert "Très 😀 predicts" in written.stdout


def test_openapi_of_a_set_up(run: Run, parcel: str) -> None:
    """Who may predict, and upload, is what the settings say: as a server with them says it."""
    closed = {"STOPGAP_PREDICTIONS": "signed-in", "STOPGAP_GUESTS": "false"}
    for settings, is_open in (({}, True), (closed, False)):
        written = run("contract", "openapi", "--contract", parcel, **settings).stdout
        paths = json.loads(written)["paths"]
        for operation in (paths["/parcel"]["get"], paths["/images"]["post"]):
            assert ({} in operation["security"]) is is_open


def test_diff(run: Run, parcel: str, tmp_path: Path) -> None:
    """Changes are listed; 1 is the exit code if one of them breaks a client, else 0."""
    narrower = tmp_path / "narrower.py"
    narrower.write_text(FILE.format(days=8))
    other = f"{narrower}:contract"
    same = run("contract", "diff", parcel, parcel)
    assert (same.exit_code, same.stdout) == (0, "No client would notice a change.\n")
    harmless = run("contract", "diff", parcel, other)
    assert (harmless.exit_code, "1 change, 0 of them breaking" in harmless.stdout) == (0, True)
    assert "have to be verified for the new contract" in harmless.stdout
    assert "Other places" not in harmless.stdout
    breaking = run("contract", "diff", other, parcel, "--json")
    [row] = [json.loads(line) for line in breaking.stdout.splitlines()]
    assert (breaking.exit_code, row["breaking"], row["where"]) == (1, True, "output days")


def test_diff_of_golden_examples(run: Run, parcel: str, tmp_path: Path) -> None:
    """No client sees that they change; who has releases is told what to do about them."""
    golden = tmp_path / "golden.py"
    example = "Example(inputs=dict(weight=2.0), output=dict(days=3))"
    text = FILE.format(days=9).replace("import Contract", "import Contract, Example")
    golden.write_text(text.replace('unit=""', f"examples=[{example}]"))
    told = run("contract", "diff", parcel, f"{golden}:contract")
    nothing, examples = told.stdout.splitlines()
    assert (told.exit_code, nothing) == (0, "No client would notice a change.")
    assert examples.startswith("Its golden examples change: releases have to be verified again")
    assert "golden" not in run("contract", "diff", parcel, parcel).stdout


def test_diff_of_a_name(run: Run, parcel: str, tmp_path: Path) -> None:
    """Releases belong to a name: whoever changes it is told that the stand-in will answer."""
    renamed = tmp_path / "renamed.py"
    renamed.write_text(FILE.format(days=9).replace('"parcel"', '"parcels"'))
    told = run("contract", "diff", parcel, f"{renamed}:contract").stdout
    assert "Its name changes, from parcel to parcels: releases stay with the old name" in told
    assert "Its name" not in run("contract", "diff", parcel, parcel).stdout


def test_diff_of_an_order(run: Run, tmp_path: Path) -> None:
    """What no client sees, and a model that is fed by position does, is told as well."""
    named = list[str]()
    for words in ("'light', 'heavy'", "'heavy', 'light'"):
        file = tmp_path / f"contract_{len(named)}.py"
        file.write_text(
            "from typing import Literal\n"
            "from pydantic import BaseModel\n"
            "from stopgap import Contract\n"
            "class Asked(BaseModel):\n"
            f"    load: Literal[{words}]\n"
            "contract = Contract(\n"
            "    name='load', version='1', path='/load/{load}', inputs=Asked, output=bool\n"
            ")\n"
        )
        named.append(f"{file}:contract")
    told = run("contract", "diff", *named)
    assert told.exit_code == 0, told.output
    assert told.stdout.startswith("No client would notice a change.\n")
    assert "Other places than before, in: input load. A model that is fed" in told.stdout


def test_check(server: str) -> None:
    """A right server passes, with a line for each rule, in a shell as in a test."""
    result = shell("contract", "check", server, "--predictions", "10")
    *rules, summary = result.stdout.splitlines()
    assert (result.returncode, result.stderr) == (0, "")
    assert rules[0] == "✓ held        status: GET /status is Alive!"
    assert summary.endswith("held, 1 not checked.")


def test_check_as_json(run: Run, server: str) -> None:
    """For programs, each rule is an object on a line."""
    result = run("contract", "check", server, "--predictions", "10", "--json")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert {row["outcome"] for row in rows} == {"held", "not checked"}
    assert rows[0] == {
        "rule": "status",
        "sentence": "GET /status is Alive!",
        "outcome": "held",
    }


def test_check_a_wrong_server(run: Run) -> None:
    """A broken rule is told with what was asked, expected and came; the exit code is 1."""
    flaw = when(at("/status"), body("Dead\x1b[31m!"))
    with serving([madcompany.contract], flaw) as url:
        result = run("contract", "check", url, "--predictions", "10")
    assert result.exit_code == 1
    [line] = [line for line in result.stdout.splitlines() if line.startswith("✗")]
    assert "status: " in line
    assert "asked GET /status" in result.stdout
    assert "expected text/plain 'Alive!'" in result.stdout
    assert "Dead·[31m!" in result.stdout


def test_check_with_an_account(run: Run) -> None:
    """A server without guests is checked with an account; its password is asked for."""
    with serving([madcompany.contract], accounts={"ann": "0123456789"}) as url:
        words = ("contract", "check", url, "--predictions", "10")
        alone = run(*words)
        typed = run(*words, "--username", "ann", typed="0123456789\n")
        wrong = run(*words, "--username", "ann", "--password", "no")
    assert (alone.exit_code, typed.exit_code, wrong.exit_code) == (0, 0, 1)
    assert "give --username and --password" in alone.stdout
    assert "0123456789" not in typed.output


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_check_of_closed_predictions(run: Run, more: tuple[str, ...]) -> None:
    """Where no prediction could be asked, that is told, and is no success."""
    closed = when(
        both(lambda asked, _: asked.path.startswith("/predict"), no(has("cookie"))), status(401)
    )
    with serving([madcompany.contract], closed, {"ann": "0123456789"}) as url:
        words = ("contract", "check", url, "--predictions", "10", *more)
        alone = run(*words)
        signed_in = run(*words, "--username", "ann", "--password", "0123456789")
    assert alone.exit_code == os.EX_NOPERM
    assert alone.stderr == (
        "stopgap: The predictions of madcompany were not all asked: "
        "this server has no guests; give --username and --password.\n"
    )
    assert "not checked" in alone.stdout
    assert (signed_in.exit_code, signed_in.stderr) == (0, "")


def test_check_of_a_wrong_server_with_closed_predictions(run: Run) -> None:
    """A broken rule weighs more than what was not asked."""

    def wrong(asked: Asked, said: Said) -> Said:
        if asked.path == "/status":
            return body("Dead!")(said)
        return status(401)(said) if asked.path.startswith("/predict") else said

    with serving([madcompany.contract], wrong, {}) as url:
        result = run("contract", "check", url, "--predictions", "10")
    assert (result.exit_code, result.stderr) == (1, "")


def test_nobody_there() -> None:
    """A server that is not there is one line on standard error, and an exit code of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    result = shell("contract", "check", f"http://127.0.0.1:{port}")
    assert (result.returncode > 1, result.stdout) == (True, "")
    assert result.stderr == (
        f"stopgap: There is no server to check at http://127.0.0.1:{port}: Connection refused.\n"
    )


@pytest.mark.parametrize(
    "words",
    [
        ("show", "--contract", "no.such:contract"),
        ("openapi", "--contract", "no/such.py:contract"),
        ("diff", "no.such:contract", "stopgap.contracts.madcompany:contract"),
        ("check", "http://127.0.0.1:1", "--contract", "no.such:contract"),
        ("check", "localhost"),
    ],
)
def test_refusals(run: Run, words: tuple[str, ...]) -> None:
    """A contract or server that cannot be found is one line."""
    result = run("contract", *words)
    assert (result.exit_code > 1, result.stdout) == (True, "")
    assert result.stderr.count("\n") == 1
