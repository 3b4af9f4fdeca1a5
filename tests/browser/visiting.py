"""A visitor: one browser with nothing in it yet, which notes whatever its pages complain of."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Route

OPERATOR, PASSWORD = "olga", "eleven-green-kettles-sing"
"""An operator of the site, beside `orhan`."""

Scheme = Literal["light", "dark"]
OK = 200
TIMEOUT = 10_000
"""Milliseconds after which a test gives up on a page."""


class Visitor:
    """Somebody with a browser of their own.

    Args:
        browser: The one that is running.
        url: The site's.
        scripts: Whether this one runs JavaScript.
        scheme: What this one's system says of light and dark.
        width: Of the window, in pixels.
    """

    def __init__(
        self,
        browser: Browser,
        url: str,
        *,
        scripts: bool = True,
        scheme: Scheme = "light",
        width: int = 1280,
    ) -> None:
        self.url = url
        self.scripts = scripts
        self.context = browser.new_context(
            base_url=url,
            java_script_enabled=scripts,
            color_scheme=scheme,
            reduced_motion="reduce",
            viewport={"width": width, "height": 800},
            permissions=["clipboard-read", "clipboard-write"],
        )
        self.context.set_default_timeout(TIMEOUT)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        self.refused: set[str] = set()  # addresses that are meant to answer with an error
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._look)

    def _hear(self, message: ConsoleMessage) -> None:
        meant = message.location["url"].removeprefix(self.url) in self.refused
        if message.type in {"error", "warning"} and not meant:
            self.complaints.append(f"{message.text} ({message.location['url']})")

    def _look(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.url).netloc:
            self.strangers.append(request.url)

    def goto(self, path: str) -> None:
        """Open a page."""
        self.page.goto(path)

    @contextmanager
    def before_the_script(self, path: str, script: str) -> Iterator[None]:
        """Open a page whose script is on its way as long as the block lasts."""
        held = list[Route]()

        def held_back(route: Route) -> None:
            held.append(route)

        address = f"**/{script}*"
        self.page.route(address, held_back)
        self.page.goto(path, wait_until="commit")
        yield
        assert held, f"{path} did not ask for {script}"
        for route in held:
            route.continue_()
        self.page.unroute(address)

    def sign_in(self, name: str, password: str) -> None:
        """Sign in by the form of the first page."""
        self.goto("/")
        self.page.get_by_label("Username").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.locator("main").get_by_role("button", name="Sign in").click()

    def be(self, name: str, password: str) -> None:
        """Have signed in already, without the way there."""
        assert (
            self.context.request.post(
                f"{self.url}/login", form={"username": name, "password": password}
            ).status
            == OK
        )

    def network(self) -> list[dict[str, Any]]:
        """Begin to note what each answer weighs, in bytes over the wire, headers and all."""
        session = self.context.new_cdp_session(self.page)
        session.send("Network.enable")
        finished: list[dict[str, Any]] = []

        def note(told: dict[str, Any]) -> None:
            finished.append(told)

        session.on("Network.loadingFinished", note)
        return finished

    def has_seen_no_fault(self) -> None:
        """Hold that no page complained in the console, and none asked another host for anything."""
        assert self.complaints == []
        assert self.strangers == []

    def close(self) -> None:
        """Close the browser."""
        self.context.close()
