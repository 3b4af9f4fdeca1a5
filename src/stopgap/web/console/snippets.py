"""Snippets: one request as a line of curl, and as a few of Python and JavaScript."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Snippet:
    """A request in one language: what stands before its address, and after."""

    language: str
    before: str
    after: str


KEY = '-H "Authorization: Bearer $STOPGAP_KEY"'
"""What curl sends where nobody may call without an API key, which no page knows."""

OPEN = (
    Snippet(language="curl", before="curl '", after="'"),
    Snippet(
        language="Python",
        before='import json\nfrom urllib.request import urlopen\n\nwith urlopen("',
        after='") as answer:\n    print(json.load(answer))',
    ),
    Snippet(
        language="JavaScript",
        before='const answer = await fetch("',
        after='");\nconsole.log(await answer.json());',
    ),
)

WITH_KEY = (
    Snippet(language="curl", before=f"curl {KEY} \\\n  '", after="'"),
    Snippet(
        language="Python",
        before="import json\nimport os\nfrom urllib.request import Request, urlopen\n\n"
        'key = os.environ["STOPGAP_KEY"]\nrequest = Request(\n    "',
        after='",\n    headers={"Authorization": f"Bearer {key}"},\n)\n'
        "with urlopen(request) as answer:\n    print(json.load(answer))",
    ),
    Snippet(
        language="JavaScript",
        before='const key = process.env.STOPGAP_KEY;\nconst answer = await fetch(\n  "',
        after='",\n  { headers: { Authorization: `Bearer ${key}` } },\n);\n'
        "console.log(await answer.json());",
    ),
)
"""The same where predictions are closed: with an API key, which no page knows."""


def snippets(*, with_key: bool) -> Sequence[Snippet]:
    """Give the snippets of a GET; an address stands between quotes, percent-encoded."""
    return WITH_KEY if with_key else OPEN
