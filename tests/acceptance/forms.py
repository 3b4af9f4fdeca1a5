"""The forms of a page, as a browser finds them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(kw_only=True)
class Form:
    """One form: where it goes, how, and the fields that it sends."""

    action: str
    method: str
    encoding: str
    fields: dict[str, str] = field(default_factory=dict)  # name -> the value that stands in it


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what belongs to a form."""
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            method, encoding = told.get("method", "get"), told.get("enctype", "")
            self.forms.append(Form(action=told["action"], method=method, encoding=encoding))
        elif tag == "input" and "name" in told:
            self.forms[-1].fields[told["name"]] = told.get("value", "")
        elif tag == "select":
            self._select = told["name"]
        elif tag == "option" and self._select is not None and "value" in told:
            fields = self.forms[-1].fields
            fields.setdefault(self._select, told["value"])
            if "selected" in told:
                fields[self._select] = told["value"]
        elif tag == "a":
            self.links.append(told["href"])

    def handle_data(self, data: str) -> None:
        """Take a list's first option for its value, where the option names none."""
        if self._select is not None and data.strip():
            self.forms[-1].fields.setdefault(self._select, data.strip())

    def handle_endtag(self, tag: str) -> None:
        """Note the end of a list."""
        if tag == "select":
            self._select = None


def forms(page: str) -> dict[str, Form]:
    """Find a page's forms, by where they go."""
    reader = _Reader()
    reader.feed(page)
    return {form.action: form for form in reader.forms}


def links(page: str) -> list[str]:
    """Find where a page's links lead."""
    reader = _Reader()
    reader.feed(page)
    return reader.links
