"""Reading our own pages: their code blocks, their links, and the words set as code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
WRITTEN_PAGES = [page for page in PAGES if page.parent.name != "reference"]
"""The pages that are written by hand."""

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced block of code."""

    language: str
    text: str


def name_of(page: Path) -> str:
    """Name a page as its reader would."""
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> list[Block]:
    """List a page's code blocks, in order."""
    found = FENCE.findall(page.read_text(encoding="utf-8"))
    return [
        Block(language=language, text=text.replace(f"\n{indent}", "\n").strip())
        for indent, language, text in found
    ]


def prose(page: Path) -> str:
    """Return a page without its code blocks."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> Iterator[str]:
    """List where a page's links lead."""
    yield from LINK.findall(prose(page))


def code_words(page: Path) -> Iterator[str]:
    """List what a page sets as code within its sentences."""
    yield from CODE.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """List the names under which a page's headings are linked to."""
    headings = HEADING.findall(prose(page))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def shell_lines(page: Path) -> list[str]:
    """List the commands of a page's shell blocks; a line that ends in a backslash goes on."""
    return [
        line.strip()
        for block in blocks(page)
        if block.language == "sh"
        for line in block.text.replace("\\\n", " ").splitlines()
        if line.strip() and not line.startswith("#")
    ]
