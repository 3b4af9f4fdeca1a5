"""What Heroku reads: Procfile, app.json, .python-version."""

import json
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet

from stopgap.settings import PREFIX, Settings, read_settings

ROOT = Path(__file__).resolve().parents[2]

APP_KEYS = {
    *("addons", "buildpacks", "description", "env", "environments", "formation", "image"),
    *("keywords", "logo", "name", "repository", "scripts", "stack", "success_url", "website"),
}
"""https://devcenter.heroku.com/articles/app-json-schema"""


def app() -> dict[str, Any]:
    """Read app.json."""
    read: dict[str, Any] = json.loads((ROOT / "app.json").read_text())
    return read


def test_app_keys() -> None:
    """app.json says only what Heroku reads."""
    assert set(app()) <= APP_KEYS
    for variable in app()["env"].values():
        assert set(variable) <= {"description", "value", "required", "generator"}


def test_app_settings() -> None:
    """Every variable of app.json is a setting, and its value is allowed."""
    variables = app()["env"]
    assert set(variables) <= {PREFIX + row.name.upper() for row in fields(Settings)}
    given = {name: each["value"] for name, each in variables.items() if "value" in each}
    read_settings(given)


def test_secret_is_made_there() -> None:
    """Heroku makes the secret, and asks for the address of the source."""
    variables = app()["env"]
    assert variables["STOPGAP_SECRET"]["generator"] == "secret"
    assert "value" not in variables["STOPGAP_SECRET"]
    assert variables["STOPGAP_SOURCE_URL"]["required"] is True


def test_procfile() -> None:
    """The only process is the web server, on every interface, at the port of $PORT."""
    assert (ROOT / "Procfile").read_text() == "web: python ML_server.py --host 0.0.0.0\n"


def test_python_version() -> None:
    """.python-version names a minor version that the project allows; there is no runtime.txt."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    version = (ROOT / ".python-version").read_text().strip()
    assert version.count(".") == 1
    assert SpecifierSet(project["requires-python"]).contains(version)
    assert not (ROOT / "runtime.txt").exists()
