"""The OpenAPI document, held against the server that serves it: Schemathesis, all checks on."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import strategies
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig

from tests.acceptance.server import Server, running
from tests.pictures import each_kind

EXAMPLES = 30
"""Requests made up for each operation, beside those for each edge of its schema."""

IMAGES = strategies.sampled_from(list(each_kind().values()))
for _kind in each_kind():
    schemathesis.openapi.media_type(f"image/{_kind}".replace("jpg", "jpeg"), IMAGES)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server that keeps more guests' images than usual."""
    with running(tmp_path_factory.mktemp("openapi"), STOPGAP_GUEST_IMAGES="100000") as one:
        yield one


@pytest.fixture(scope="module")
def api(server: Server) -> Any:
    """Load the document as a client would."""
    generation = GenerationConfig(deterministic=True, max_examples=EXAMPLES)
    project = ProjectConfig(generation=generation)
    config = SchemathesisConfig(seed=9, projects=ProjectsConfig(default=project))
    return schemathesis.openapi.from_url(f"{server.url}/openapi.json", config=config)


schema = schemathesis.pytest.from_fixture("api")


def test_the_document_is_one(server: Server) -> None:
    """The document is OpenAPI 3.1."""
    answer = server.client().get("/openapi.json")
    assert answer.header("Content-Type") == "application/json"
    document = answer.json()
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


@schema.parametrize()
def test_anybody(case: schemathesis.Case) -> None:
    """What the document allows is answered as it says; what it does not is refused."""
    case.call_and_validate()
