"""The page for whoever writes a contract: its example of tests runs, and two versions fit."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from tests.acceptance.server import environment
from tests.docs.markdown import ROOT, blocks, code_words

from stopgap.contracts.loading import check_apart, load_contract

PAGE = ROOT / "docs" / "contract.md"
CONTRACT = ROOT / "examples" / "delivery.py"


def test_the_tests_of_a_contract_pass(tmp_path: Path) -> None:
    """Beside the example's contract, the page's tests are found and pass, without a warning."""
    [tests] = [each.text for each in blocks(PAGE) if each.text.startswith("import pytest")]
    (tmp_path / "test_delivery.py").write_text(tests + "\n", encoding="utf-8")
    (tmp_path / CONTRACT.name).write_bytes(CONTRACT.read_bytes())
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-p", "no:cacheprovider"],
        check=False,
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(ROOT / "src")),
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert f"{tests.count('def test_')} passed" in finished.stdout


def test_two_versions_fit_into_one_server() -> None:
    """The names and paths that the page gives to two versions do not overlap."""
    old = load_contract(f"{CONTRACT}:contract")
    name, path = "delivery-time-v2", "/v2/delivery/{weight_kg}/{service}"
    assert {name, path} <= set(code_words(PAGE))
    check_apart([old, replace(old, name=name, path=path)])
