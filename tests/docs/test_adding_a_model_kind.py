"""The page for whoever adds a kind of model: what it says is done, to the letter, and serves."""

import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.acceptance.server import Server, environment, running
from tests.docs.markdown import ROOT, blocks, shell_lines
from tests.docs.walking import PATIENCE, commands, steps, walk

PAGE = ROOT / "docs" / "adding-a-model-kind.md"
INSTALL = "pip install ."
FILES = {"python": "stopgap_linear.py", "toml": "pyproject.toml", "json": "weights.json"}
GROUP = "stopgap.models"


@dataclass(frozen=True, kw_only=True)
class Newcomer:
    """Who has done what the page says, and has a server running."""

    folder: Path
    settings: dict[str, str]
    server: Server


def written(folder: Path) -> dict[str, str]:
    """Write the page's files down; give their texts by language."""
    texts = {each.language: each.text for each in blocks(PAGE) if each.language in FILES}
    for language, name in FILES.items():
        (folder / name).write_text(texts[language] + "\n", encoding="utf-8")
    return texts


def installed(folder: Path, project: str) -> Path:
    """Leave what `pip install .` leaves: the file, and who it is with its entry points."""
    known = tomllib.loads(project)["project"]
    site = folder / "site"
    name = f"{known['name'].replace('-', '_')}-{known['version']}.dist-info"
    (site / name).mkdir(parents=True)
    metadata = f"Metadata-Version: 2.1\nName: {known['name']}\nVersion: {known['version']}\n"
    (site / name / "METADATA").write_text(metadata)
    entries = known["entry-points"][GROUP]
    lines = "".join(f"{kind} = {place}\n" for kind, place in entries.items())
    (site / name / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}")
    (site / FILES["python"]).write_bytes((folder / FILES["python"]).read_bytes())
    return site


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    """Write the files, install the kind, start the server beside them."""
    folder = tmp_path_factory.mktemp("kind")
    site = installed(folder, written(folder)["toml"])
    path = {"PYTHONPATH": f"{ROOT / 'src'}:{site}"}
    with running(folder, path) as server:
        settings = environment(STOPGAP_DATA=str(server.data)) | path
        settings["PATH"] = f"{commands(folder / 'bin')}:{settings['PATH']}"
        yield Newcomer(folder=folder, settings=settings, server=server)


def test_one_file_and_one_line() -> None:
    """That is all that a newcomer writes, and all that the page asks to be installed."""
    known = [block.language for block in blocks(PAGE) if block.language not in {"sh", "text"}]
    assert sorted(known) == sorted(FILES)
    assert shell_lines(PAGE)[0] == INSTALL


def test_the_page_is_true(newcomer: Newcomer) -> None:
    """Followed command by command, it ends with the client's route answering from the new kind."""
    for step in steps(PAGE):
        if step.command != INSTALL:
            walk(step.at(newcomer.server.url), newcomer.folder, newcomer.settings)
    answer = newcomer.server.client().get("/predict/5/january/100")
    assert (answer.text, answer.header("Stopgap-Release")) == ("2738", "1")


def test_what_it_refuses_is_told(newcomer: Newcomer) -> None:
    """The kind's own sentence reaches whoever handed a wrong model in."""
    (newcomer.folder / "empty.json").write_text('{"start": 1, "weights": {"month": {}}}')
    finished = subprocess.run(
        [newcomer.folder / "bin" / "stopgap", "release", "verify", "linear:empty.json"],
        check=False,
        cwd=newcomer.folder,
        env=newcomer.settings,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert finished.returncode != 0
    told = "no weight for seller_available, customer_visiting_website"
    assert told in finished.stdout + finished.stderr
