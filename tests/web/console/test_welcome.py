"""The first page: it says how the service is."""

from contextlib import closing
from pathlib import Path

from tests.databases import PostgresqlServer

from stopgap import wiring
from stopgap.settings import Settings
from stopgap.web.parts import NAME


def test_how_the_service_is(tmp_path: Path, postgresql: PostgresqlServer) -> None:
    """The page says whether all is there; without the database it still says what to do."""
    name = postgresql.create()
    app = wiring.create_app(Settings(data=tmp_path, database_url=postgresql.url(name)))
    with closing(app.extensions[NAME]):
        client = app.test_client()
        assert "The service is up" in client.get("/").text
        postgresql.drop(name)
        page = client.get("/")
    assert page.status_code == 200
    assert "Predictions are up, the database is away" in page.text
    assert "Hello, world!" in page.text
