"""What every page has around it: the header's links, who is signed in, light or dark."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import g, request, url_for

from stopgap.accounts.account import Caller
from stopgap.accounts.permissions import PERMISSIONS, Permission
from stopgap.errors import StopgapError
from stopgap.settings import Settings
from stopgap.storage.database_faults import AWAY
from stopgap.web import callers, cookies
from stopgap.web.current import parts
from stopgap.web.peer import host_of, is_secure

THEME_COOKIE = "stopgap_theme"
THEMES = ("light", "dark")
"""What a person may have chosen; who has chosen neither gets what the system says."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One link of the header."""

    label: str
    endpoint: str
    permission: Permission
    strangers: Callable[[Settings], bool] = lambda _: False  # whether they see it too


ENTRIES = (
    Entry(
        label="Predict",
        endpoint="console_predict.form",
        permission=Permission.PREDICT,
        strangers=lambda settings: settings.predictions == "open",
    ),
    Entry(
        label="Images",
        endpoint="console_images.gallery",
        permission=Permission.MANAGE_OWN,
        strangers=lambda settings: settings.guests,
    ),
    Entry(label="History", endpoint="console_history.page", permission=Permission.MANAGE_OWN),
    Entry(label="Keys", endpoint="console_keys.page", permission=Permission.MANAGE_OWN),
    Entry(label="Accounts", endpoint="console_accounts.page", permission=Permission.OPERATE),
    Entry(label="Service", endpoint="console_service.page", permission=Permission.OPERATE),
    Entry(label="Releases", endpoint="console_releases.page", permission=Permission.OPERATE),
)
"""The header's links in their order, the operators' own last."""


@dataclass(frozen=True, kw_only=True)
class Link:
    """One link of the header, as somebody sees it."""

    label: str
    address: str
    here: bool  # it leads to the page that is being shown
    operators: bool  # it stands in the operators' own group


def frame() -> dict[str, Any]:
    """Tell a page's templates what is around it; never fails, for error pages have it too."""
    caller = _known_caller()
    return {
        "caller": caller,
        "navigation": list(_links(caller)),
        "theme": theme(),
        "settings": parts().settings,
        "demo_is_open": _demo_is_open,
        "origin": origin(),
        "cookies_are_dropped": cookies.are_dropped(),
    }


def theme() -> str | None:
    """Tell whether the visitor has chosen light or dark; None for what the system says."""
    chosen = request.cookies.get(THEME_COOKIE)
    return chosen if chosen in THEMES else None


def origin() -> str:
    """Tell the address of this server as the visitor sees it: `https://api.example`."""
    scheme = "https" if is_secure(request, parts().settings.trusted_proxies) else "http"
    return f"{scheme}://{host_of(request)}"


def _known_caller() -> Caller | None:
    """Find who asks; nobody where that cannot be found out, as on the page that says why."""
    if "caller" in g:
        found: Caller | None = g.caller
        return found
    try:
        return callers.caller()
    except StopgapError:
        return None


def _demo_is_open() -> bool:
    """Tell whether the demo's password can be told; nobody is told it while nobody can sign in."""
    try:
        return parts().settings.demo_account and parts().accounts.is_demo_open()
    except AWAY:
        return False


def _links(caller: Caller | None) -> Iterator[Link]:
    for entry in ENTRIES:
        if _shown(entry, caller):
            blueprint = entry.endpoint.partition(".")[0]
            yield Link(
                label=entry.label,
                address=url_for(entry.endpoint),
                here=blueprint == request.blueprint,
                operators=entry.permission is Permission.OPERATE,
            )


def _shown(entry: Entry, caller: Caller | None) -> bool:
    if caller is not None:
        return entry.permission in PERMISSIONS[caller.role]
    return entry.strangers(parts().settings)
