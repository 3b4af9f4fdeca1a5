"""The console's pages, called directly: an application with accounts and answers in it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from tests.journal.filling import add
from werkzeug.test import TestResponse

from stopgap import wiring
from stopgap.accounts.permissions import Role
from stopgap.journal.record import Record
from stopgap.parts import Parts
from stopgap.settings import Settings
from stopgap.storage.database import open_database
from stopgap.web.current import NAME
from stopgap.wiring.application import create_app

PASSWORD = "violet teapots hum"
PAGE = {"Accept": "text/html"}


@dataclass(kw_only=True)
class House:
    """An application, and those who use it."""

    app: Flask
    parts: Parts

    def client(self, name: str | None = None) -> "Person":
        """Make somebody who has signed in, or nobody."""
        person = Person(self.app.test_client())
        if name is not None:
            answer = person.post("/login", username=name, password=PASSWORD)
            assert answer.status_code == 303, answer.text
        return person

    def id(self, name: str) -> str:
        """Tell an account's id."""
        return self.parts.accounts.get(name).id

    def fill(self, *records: Record) -> None:
        """Put answers into the journal."""
        database = open_database(wiring.Locations.of(self.parts.settings).journal)
        add(database, records)
        database.close()


class Person:
    """Somebody with a browser."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, address: str, **headers: str) -> TestResponse:
        """Ask for a page."""
        return self.client.get(address, headers=PAGE | headers)

    def post(self, address: str, **form: str) -> TestResponse:
        """Send a form."""
        return self.client.post(address, data=form, headers=PAGE)


Build = Callable[..., House]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Give what builds a house: `ann` and `bob` are clients, `root` is an operator."""
    built: list[House] = []

    def build(**settings: object) -> House:
        chosen = Settings(data=tmp_path, stand_in="stable", **settings)  # type: ignore[arg-type]  # a test's own
        app = create_app(chosen)
        house = House(app=app, parts=app.extensions[NAME])
        for name, role in (("ann", Role.CLIENT), ("bob", Role.CLIENT), ("root", Role.OPERATOR)):
            house.parts.accounts.add(name, PASSWORD, role)
        built.append(house)
        return house

    yield build
    for house in built:
        house.parts.close()


@pytest.fixture
def house(build: Build) -> House:
    """Give a demo's house."""
    return build()
