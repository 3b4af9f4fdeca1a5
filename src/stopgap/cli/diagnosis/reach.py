"""Who reaches a server that is set up so, and as whom."""

from collections.abc import Iterator

from stopgap.address import is_of_this_machine
from stopgap.cli.diagnosis.diagnosis import Diagnosis, fine, warning
from stopgap.cli.serving.serve import PortTaken, free_address
from stopgap.clock import Clock
from stopgap.settings import Settings


def port(settings: Settings, _clock: Clock) -> Iterator[Diagnosis]:
    """See whether it is free."""
    try:
        free_address(settings.host, settings.port)
    except PortTaken as error:
        told = f"Something listens on port {settings.port} of {settings.host}."
        yield warning(told, f"If that is not this server: {error.detail}")
    else:
        yield fine(f"Port {settings.port} on {settings.host} is free.")


def source_link(settings: Settings, _clock: Clock) -> Iterator[Diagnosis]:
    """See whether the pages have one."""
    if settings.source_url is None:
        fix = "Set STOPGAP_SOURCE_URL to the repository's address."
        yield warning("The pages do not link to their source code.", fix)
    else:
        yield fine(f"The pages link to {settings.source_url}.")


def who_may_sign_in(settings: Settings, _clock: Clock) -> Iterator[Diagnosis]:
    """See whether anybody is let in who has no account of ours."""
    let_in = {"guests": settings.guests, "the demo account": settings.demo_account}
    named = " and ".join(name for name, is_let_in in let_in.items() if is_let_in)
    if not named:
        yield fine("Only accounts of this server can sign in.")
    elif not is_of_this_machine(settings.host):
        told = f"Whoever reaches {settings.host} can sign in: {named} may."
        fix = "Fine for a demo; else set STOPGAP_PROFILE=production."
        yield warning(told, fix)
    else:
        yield fine(f"On this machine alone, {named} may sign in.")


def cookies(settings: Settings, _clock: Clock) -> Iterator[Diagnosis]:
    """See whether browsers keep them."""
    if not settings.secure_cookies:
        yield fine("Cookies are Secure where HTTPS is seen.")
    elif settings.trusted_proxies or is_of_this_machine(settings.host):
        yield fine("Cookies are always Secure: people stay signed in over HTTPS alone.")
    else:
        told = "Cookies are always Secure: over plain HTTP nobody stays signed in."
        fix = "Put a proxy in front that speaks HTTPS, and name it in STOPGAP_TRUSTED_PROXIES."
        yield warning(told, fix)


def proxies(settings: Settings, _clock: Clock) -> Iterator[Diagnosis]:
    """See who is believed about addresses."""
    if any(network.prefixlen == 0 for network in settings.trusted_proxies):
        told = "Every address is trusted as a proxy, so anybody can claim to be anybody."
        yield warning(told, "Name your proxies' own networks in STOPGAP_TRUSTED_PROXIES.")
    elif settings.trusted_proxies:
        named = ", ".join(str(network) for network in settings.trusted_proxies)
        yield fine(f"Proxies are believed at {named}.")
    elif not is_of_this_machine(settings.host):
        told = "No proxy is trusted; behind one, all clients seem to have its address."
        yield warning(told, "If there is one, name its network in STOPGAP_TRUSTED_PROXIES.")
    else:
        yield fine("No proxy is trusted, and none is needed.")
