"""The settings table and how it is read."""

from pathlib import Path

import pytest

from stopgap.settings import (
    SettingInvalid,
    SettingMissing,
    Settings,
    SettingUnknown,
    read_settings,
)

PRODUCTION = {
    "STOPGAP_PROFILE": "production",
    "STOPGAP_SECRET": "s" * 32,
    "DATABASE_URL": "postgresql://user@host/name",
}


def test_nothing_said_is_the_demo() -> None:
    """With an empty environment the demo profile is served on loopback."""
    settings = read_settings({})
    assert settings == Settings()
    assert (settings.profile, settings.host, settings.port) == ("demo", "127.0.0.1", 5000)
    assert settings.guests
    assert settings.demo_account


def test_production_has_its_own_defaults() -> None:
    """Production has no guests, no demo account, secure cookies and password rules."""
    settings = read_settings(PRODUCTION)
    assert not settings.guests
    assert not settings.demo_account
    assert settings.secure_cookies
    assert settings.password_rules


def test_every_production_default_can_be_overridden() -> None:
    """What the environment says wins over the profile."""
    assert read_settings(PRODUCTION | {"STOPGAP_GUESTS": "true"}).guests


@pytest.mark.parametrize("missing", ["STOPGAP_SECRET", "DATABASE_URL"])
def test_production_needs(missing: str) -> None:
    """Production does not start without a secret and a database."""
    environ = {name: value for name, value in PRODUCTION.items() if name != missing}
    with pytest.raises(SettingMissing, match=missing):
        read_settings(environ)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STOPGAP_PORT", "65536"),
        ("STOPGAP_PORT", "-1"),
        ("STOPGAP_PORT", "http"),
        ("STOPGAP_PORT", "5_201"),
        ("STOPGAP_PORT", " 5201 "),
        ("STOPGAP_PORT", "+5201"),
        ("PORT", "x"),
        ("STOPGAP_PROFILE", "test"),
        ("STOPGAP_GUESTS", "maybe"),
        ("STOPGAP_CONTRACTS", ","),
        ("STOPGAP_CONTRACTS", " "),
        ("STOPGAP_TRUSTED_PROXIES", ","),
        ("STOPGAP_TRUSTED_PROXIES", "10.0.0.0/33"),
        ("STOPGAP_SOURCE_URL", "javascript:alert(1)"),
        ("STOPGAP_SOURCE_URL", "https://"),
        ("STOPGAP_SOURCE_URL", 'https:// bad " url'),
        ("STOPGAP_SOURCE_URL", 'https://host/a"b'),
        ("STOPGAP_SOURCE_URL", "https://host/a b"),
        ("STOPGAP_TRACES", "http://"),
        ("STOPGAP_TRACES", "http://:4318/v1/traces"),
        ("STOPGAP_TRACES", "http://collector:port/v1/traces"),
        ("STOPGAP_WORKERS", "0"),
        ("STOPGAP_WORKERS", "٣"),
        ("STOPGAP_SECRET", "short"),
        ("STOPGAP_PREVIOUS_SECRET", "short"),
    ],
)
def test_out_of_range(name: str, value: str) -> None:
    """A value that a setting cannot have stops the start, naming the setting."""
    with pytest.raises(SettingInvalid, match=f"^{name} "):
        read_settings({name: value})


@pytest.mark.parametrize(
    "value", ["/srv/data\r", "/srv/data ", " /srv/data", '"/srv/data"', "'/srv/data'", "  ", '""']
)
@pytest.mark.parametrize("name", ["STOPGAP_DATA", "STOPGAP_METRICS_TOKEN", "DATABASE_URL"])
def test_what_a_file_of_settings_leaves_around_a_value(name: str, value: str) -> None:
    """Blanks, line ends and quotes around a value stop the start: it would be another one."""
    with pytest.raises(SettingInvalid, match=f"^{name} must be without blanks"):
        read_settings({name: value})


def test_what_is_inside_a_value_stays() -> None:
    """A value may hold blanks and quotes."""
    assert read_settings({"STOPGAP_DATA": '/srv/it\'s "ours"'}).data.name == 'it\'s "ours"'


def test_unknown_name() -> None:
    """A STOPGAP_ name that is no setting stops the start."""
    with pytest.raises(SettingUnknown, match="STOPGAP_PROT"):
        read_settings({"STOPGAP_PROT": "5000"})


@pytest.mark.parametrize("name", ["STOPGAP_SECRET", "STOPGAP_PREVIOUS_SECRET"])
def test_a_secret_is_never_repeated(name: str) -> None:
    """What is wrong with a secret is told without it."""
    with pytest.raises(SettingInvalid) as refusal:
        read_settings({name: "hunter2"})
    assert "hunter2" not in refusal.value.detail


def test_own_name_wins_over_the_platforms() -> None:
    """STOPGAP_PORT wins over PORT."""
    assert read_settings({"STOPGAP_PORT": "1", "PORT": "2"}).port == 1
    assert read_settings({"PORT": "2"}).port == 2


def test_secret_from_a_file(tmp_path: Path) -> None:
    """A _FILE variable names the file that holds the value, however an editor ends its lines."""
    file = tmp_path / "secret"
    for content in (b"%s\n", b"%s", b"%s\r\n", b"%s \n\n", b"\xef\xbb\xbf%s\r\n"):
        file.write_bytes(content % (b"x" * 40))
        assert read_settings({"STOPGAP_SECRET_FILE": str(file)}).secret == "x" * 40


@pytest.mark.parametrize("content", ["", "\n", " \r\n"])
def test_an_empty_file(tmp_path: Path, content: str) -> None:
    """A _FILE variable whose file is empty stops the start, lest a default take its place."""
    file = tmp_path / "url"
    file.write_text(content)
    with pytest.raises(SettingInvalid, match="STOPGAP_DATABASE_URL_FILE"):
        read_settings({"STOPGAP_DATABASE_URL_FILE": str(file)})


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A _FILE variable whose file cannot be read stops the start."""
    with pytest.raises(SettingInvalid, match="STOPGAP_SECRET_FILE"):
        read_settings({"STOPGAP_SECRET_FILE": str(tmp_path / "none")})


def test_networks_are_read() -> None:
    """Trusted proxies are addresses or networks."""
    settings = read_settings({"STOPGAP_TRUSTED_PROXIES": "10.0.0.0/8, ::1"})
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "::1/128"]
