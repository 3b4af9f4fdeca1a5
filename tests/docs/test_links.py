"""Every page that a page leads to is there."""

import re
from pathlib import Path

import pytest
from tests.docs.markdown import PAGES, ROOT, anchors, code_words, links, name_of, shell_lines

FILE = re.compile(r"(?:\.ci|\.github|bench|deploy|docs|examples|soak|src|tests)/[\w./-]*")
each_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


@each_page
def test_local_links_lead_somewhere(page: Path) -> None:
    """A link to a file of ours, or to a heading in it, finds it."""
    assert [link for link in links(page) if not _leads_somewhere(page, link)] == []


def _leads_somewhere(page: Path, link: str) -> bool:
    if re.match(r"[a-z]+:", link):
        return True  # another host's
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.is_relative_to(ROOT) or not target.exists():
        return False
    return not anchor or anchor in anchors(target)


@each_page
def test_files_that_are_named_exist(page: Path) -> None:
    """A path that a page names, in a sentence or a command, is a file or folder of ours."""
    words = [*code_words(page), *(word for line in shell_lines(page) for word in line.split())]
    named = [word.partition(":")[0] for word in words if FILE.fullmatch(word.partition(":")[0])]
    assert [name for name in named if "*" not in name and not (ROOT / name).exists()] == []


def test_every_page_can_be_reached() -> None:
    """Whoever begins at the README, and follows links, comes to every page in docs/."""
    reached, pending = set[Path](), [ROOT / "README.md"]
    while pending:
        page = pending.pop()
        reached.add(page)
        targets = {(page.parent / link.partition("#")[0]).resolve() for link in links(page)}
        pending += [target for target in targets & set(PAGES) if target not in reached]
    assert [name_of(page) for page in PAGES if "docs" in page.parts and page not in reached] == []
