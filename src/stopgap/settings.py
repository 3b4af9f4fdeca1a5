"""The settings: one table of names, defaults, units, ranges and help, read once at the edge."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from stopgap.address import Network
from stopgap.errors import StartRefused
from stopgap.setting_values import (
    YES_NO,
    boolean,
    integer,
    networks,
    one_of,
    rate,
    text,
    url,
    words,
)

PREFIX = "STOPGAP_"
PLATFORM_NAMES = {"port": "PORT", "database_url": "DATABASE_URL", "limits": "REDIS_URL"}
"""Settings that hosting platforms hand over under names of their own."""

CREDENTIALS = frozenset(
    {
        "AWS_ACCESS_KEY_ID",
        "AWS_CONFIG_FILE",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CREDENTIAL_FILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_PROFILE",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SECURITY_TOKEN",
        "AWS_SESSION_TOKEN",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "BOTO_CONFIG",
        "OTEL_EXPORTER_OTLP_CLIENT_KEY",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        "PGPASSFILE",
        "PGPASSWORD",
        "PGSERVICE",
        "PGSERVICEFILE",
        "PGSSLKEY",
    }
)
"""By which a bucket, a collector and a database know who we are, read by their own libraries:
botocore's `credentials.py` and `session.py`, OpenTelemetry's specification, PostgreSQL's libpq."""

Profile = Literal["demo", "production"]


class SettingUnknown(StartRefused):
    """An environment variable begins with STOPGAP_ but names no setting: a typo must not pass."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not a setting; `stopgap doctor --settings` lists them all.")


class SettingInvalid(StartRefused):
    """A setting has a value that it cannot have."""

    def __init__(self, name: str, allowed: str, received: str) -> None:
        super().__init__(f"{name} must be {allowed}; it is {received!r}.")


class SettingMissing(StartRefused):
    """The production profile needs a setting that has no safe default."""

    def __init__(self, name: str, remedy: str) -> None:
        super().__init__(f"The production profile needs {name}: {remedy}.")


def _setting(
    parse: Callable[[str], Any],
    allowed: str,
    default: Any,
    text: str,
    *,
    production: Any = ...,
    secret: bool = False,
) -> Any:
    """Make one row of the table: how to read it, what it may be, what it is if nobody says."""
    row = {
        "parse": parse,
        "allowed": allowed,
        "help": text,
        "secret": secret,
        "production": default if production is ... else production,
    }
    return field(default=default, metadata=row)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting, with its default in the demo profile."""

    profile: Profile = _setting(
        one_of("demo", "production"),
        "demo or production",
        "demo",
        "demo: a demo account, guests, SQLite, a generated secret; production: none of these",
    )
    host: str = _setting(
        text, "an address", "127.0.0.1", "address to listen on; 0.0.0.0 for every interface"
    )
    port: int = _setting(integer(0, 65535), "0 to 65535", 5000, "TCP port to listen on")
    workers: int = _setting(integer(1, 64), "1 to 64", 1, "worker processes")
    threads: int = _setting(
        integer(4, 256),
        "4 to 256",
        16,
        "threads a worker gives to Flask's views: a quarter to predictions, a quarter to "
        "images, an eighth to uploads",
    )
    contracts: tuple[str, ...] = _setting(
        words,
        "module:attribute or file.py:attribute, separated by commas",
        ("stopgap.contracts.madcompany:contract",),
        "the contracts to serve",
    )
    stand_in: Literal["random", "stable"] = _setting(
        one_of("random", "stable"),
        "random or stable",
        "random",
        "random: a new draw for each request; stable: the same inputs always get the same answer",
    )
    predictions: Literal["open", "signed-in"] = _setting(
        one_of("open", "signed-in"),
        "open or signed-in",
        "open",
        "who may predict: everybody, or only callers with a session or an API key",
    )
    source_url: str | None = _setting(
        url, "an http:// or https:// URL", None, "where the source code is; pages link to it"
    )
    data: Path = _setting(
        Path, "a folder", Path("stopgap-data"), "folder of everything that is kept on disk"
    )
    secret: str | None = _setting(
        text,
        "at least 32 characters",
        None,
        "key under which session ids and API keys are hashed; the demo keeps one in its data",
        secret=True,
    )
    previous_secret: str | None = _setting(
        text,
        "at least 32 characters",
        None,
        "the secret before this one: API keys that were made under it go on, sessions do not",
        secret=True,
    )
    database_url: str | None = _setting(
        text,
        "sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME",
        None,
        "the database; the demo has an SQLite file in the data folder",
        secret=True,
    )
    objects: str | None = _setting(
        text,
        "a folder or s3://BUCKET/PREFIX",
        None,
        "where images and models' files are kept; by default a folder in the data folder",
    )
    journal: Literal["strict", "available"] = _setting(
        one_of("strict", "available"),
        "strict or available",
        "strict",
        "when an answer cannot be put on record: refuse it (503), or give it and count the loss",
    )
    journal_fsync: Literal["off", "interval", "always"] = _setting(
        one_of("off", "interval", "always"),
        "off, interval or always",
        "interval",
        "when records are forced to the disk: by the system, each second, or before each answer",
    )
    journal_days: int = _setting(
        integer(1, 3650), "1 to 3650 days", 365, "days for which answers are kept"
    )
    journal_url: str | None = _setting(
        text,
        "sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME",
        None,
        "the journal's database; by default a file beside SQLite's, or the same PostgreSQL",
        secret=True,
    )
    metrics_token: str | None = _setting(
        text,
        "a text",
        None,
        "a bearer token that may read /metrics, as operators may without it",
        secret=True,
    )
    limits: str = _setting(
        text,
        "memory:// or valkey://[:PASSWORD@]HOST[:PORT][/NUMBER]",
        "memory://",
        "where failed sign-ins and limited predictions are counted: in each worker alone, or for "
        "all who name a Valkey or Redis (valkeys:// has TLS; redis:// and rediss:// are the same)",
        secret=True,
    )
    trusted_proxies: tuple[Network, ...] = _setting(
        networks,
        "addresses or networks, separated by commas",
        (),
        "proxies whose X-Forwarded-For and X-Forwarded-Proto are believed",
    )
    guests: bool = _setting(
        boolean, YES_NO, True, "whether an unknown name is welcomed as a guest", production=False
    )
    demo_account: bool = _setting(
        boolean, YES_NO, True, "whether the account orhan / 12345 exists", production=False
    )
    secure_cookies: bool = _setting(
        boolean,
        YES_NO,
        False,
        "whether cookies are always Secure; otherwise only when the request came by HTTPS",
        production=True,
    )
    password_rules: bool = _setting(
        boolean,
        YES_NO,
        False,
        "whether a new password needs 15 characters and must not be a common one",
        production=True,
    )
    session_hours: int = _setting(
        integer(1, 8760), "1 to 8760 hours", 336, "hours until an account's session ends"
    )
    guest_hours: int = _setting(
        integer(1, 168), "1 to 168 hours", 24, "hours until a guest's session and images end"
    )
    login_failures: int = _setting(
        integer(1, 1_000_000),
        "1 to 1000000",
        10,
        "failed sign-ins to one account from one address in 15 minutes before a pause",
    )
    image_bytes: int = _setting(
        integer(1_000, 104_857_600),
        "1000 to 104857600 bytes",
        10_485_760,
        "bytes of an image, at most",
    )
    image_pixels: int = _setting(
        integer(1_000, 400_000_000), "1000 to 400000000", 40_000_000, "pixels of an image, at most"
    )
    account_images: int = _setting(
        integer(1, 1_000_000), "1 to 1000000", 1_000, "images that one account may keep"
    )
    guest_images: int = _setting(
        integer(1, 1_000_000), "1 to 1000000", 50, "images that guests from one address may keep"
    )
    guest_bytes: int = _setting(
        integer(1_000_000, 10**12),
        "1000000 to 1000000000000 bytes",
        1_073_741_824,
        "bytes that all guests' images may take together",
    )
    max_requests: int = _setting(
        integer(16, 100_000),
        "16 to 100000",
        1_000,
        "requests inside a worker at once; more are refused with 503, except /status, /health and "
        "/metrics",
    )
    prediction_limit: str | None = _setting(
        rate,
        "a number/second, /minute, /hour or /day: 100/second",
        None,
        "predictions that an account, or else an address, may ask of one worker, or of all that "
        "share STOPGAP_LIMITS; no limit if unset",
    )
    body_seconds: int = _setting(
        integer(1, 600), "1 to 600 seconds", 30, "seconds in which a request's body must arrive"
    )
    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        one_of("debug", "info", "warning", "error"),
        "debug, info, warning or error",
        "info",
        "the least important event that is logged; of libraries, none below `info`",
    )
    access_log: bool = _setting(
        boolean,
        YES_NO,
        False,
        "whether every request is logged: id, method, path without query, status, time, address",
    )
    traces: str | None = _setting(
        url,
        "an http:// or https:// URL",
        None,
        "where traces are sent: a collector that takes OTLP over HTTP, such as "
        "http://collector:4318/v1/traces",
        secret=True,
    )
    trace_percent: int = _setting(
        integer(0, 100),
        "0 to 100 percent",
        1,
        "of requests that are traced, where no trusted proxy has decided",
    )


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables.

    `STOPGAP_<NAME>` sets a value, `STOPGAP_<NAME>_FILE` names a file that holds it.

    Raises:
        SettingUnknown: a STOPGAP_ variable names no setting.
        SettingInvalid: a value is out of its range, or its file cannot be read, or is empty.
        SettingMissing: production needs a secret and a database.
    """
    rows = {PREFIX + row.name.upper(): row for row in fields(Settings)}
    for name in environ:
        if name.startswith(PREFIX) and name.removesuffix("_FILE") not in rows:
            raise SettingUnknown(name)
    values = {row.name: _read(name, row.name, row.metadata, environ) for name, row in rows.items()}
    given = {name: value for name, value in values.items() if value is not None}
    if given.get("profile") == "production":
        defaults = {row.name: row.metadata["production"] for row in fields(Settings)}
        given = defaults | given
    settings = Settings(**given)
    _check(settings)
    return settings


WRAPPED = re.compile(r"""\s.*|.*\s|(["']).*\1""", re.DOTALL)
"""What comes of a settings file with line ends of Windows, or with quotes that nobody removes."""


def _read(name: str, key: str, row: Mapping[str, Any], environ: Mapping[str, str]) -> Any:
    """Read one setting; None where the environment does not say."""
    told = name if environ.get(name) else PLATFORM_NAMES.get(key, name)
    text = environ.get(told)
    if path := environ.get(f"{name}_FILE"):
        told = name
        try:
            text = Path(path).read_text(encoding="utf-8-sig").strip()
        except (OSError, ValueError) as error:
            raise SettingInvalid(f"{name}_FILE", "a file that can be read", path) from error
        if not text:
            raise SettingInvalid(f"{name}_FILE", "a file that holds a value", f"{path}, empty")
    if not text:
        return None
    shown = "(not shown)" if row["secret"] else text
    if WRAPPED.fullmatch(text):
        raise SettingInvalid(told, "without blanks, line ends or quotes around it", shown)
    try:
        return row["parse"](text)
    except ValueError as error:
        raise SettingInvalid(told, row["allowed"], shown) from error


SECRET_MIN = 32


def _check(settings: Settings) -> None:
    """Hold the settings against each other."""
    for name in ("secret", "previous_secret"):
        secret = getattr(settings, name)
        if secret is not None and len(secret) < SECRET_MIN:
            raise SettingInvalid(PREFIX + name.upper(), "at least 32 characters", "(not shown)")
    if settings.profile == "production":
        if settings.secret is None:
            command = "python -c 'import secrets; print(secrets.token_hex(32))'"
            raise SettingMissing("STOPGAP_SECRET", f"make one with `{command}`")
        if settings.database_url is None:
            raise SettingMissing("DATABASE_URL", "for example postgresql://user@host/stopgap")


def environment_of_others() -> dict[str, str]:
    """Copy the environment without what is ours, for programs that are not to know our secrets."""
    own = CREDENTIALS.union(PLATFORM_NAMES.values())
    return {
        name: value
        for name, value in os.environ.items()
        if name not in own and not name.startswith(PREFIX)
    }
