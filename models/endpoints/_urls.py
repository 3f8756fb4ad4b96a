"""What the address of an endpoint may look like. Read once, by rules without exceptions, and compared in that form.

No URL library stands in between: each repairs other things, and what it repairs one reader sees and another does not.
"""

import re
from collections.abc import Set
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import idna

from algorithms.errors import Refused
from models.endpoints._addresses import may_be_called

LONGEST_URL = 2048
LONGEST_HOST = 253
DEFAULT_PORTS = {"https": 443, "http": 80}
PUBLIC_PORTS = (443, 8443)
LOCAL_NAMES = ("local", "internal", "localhost", "onion", "localdomain", "home", "lan", "corp", "intranet", "arpa")

_URL = re.compile(r"(https?)://([^/?#@\\]+)((?:/[^?#\\]*)?(?:\?[^#\\]*)?)", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+))(?::([0-9]{1,5}))?")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_VISIBLE = re.compile(r"[\x21-\x7e]+")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")


@dataclass(frozen=True)
class Address:
    """An address has a `host` in lower-case ASCII, without brackets, and a `target`, path and query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Write host and port as the Host header says them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Write scheme://host:port, the port always: two origins are the same where these are equal."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def address_of(url: str, trusted_origins: Set[str]) -> Address:
    """Read an address.

    Raises Refused(invalid_request, pointer /url) where it may not be called, whatever it resolves to.

    An origin the operator trusts may be plain http, local, and on any port.
    """
    address = _read(url)
    if address.origin not in trusted_origins:
        _check_public(address)
    return address


def origin_of(text: str) -> str:
    """Bring a trusted origin, as an operator writes it, into the form of `Address.origin`. Raises ValueError."""
    try:
        address = _read(text)
    except Refused as refused:
        raise ValueError(refused.detail) from None
    if address.target != "/":
        raise ValueError("an origin is scheme://host:port, without a path")
    return address.origin


def _read(url: str) -> Address:
    if len(url) > LONGEST_URL or not url.isprintable() or " " in url:
        raise _refused(f"An address has at most {LONGEST_URL} characters, and no spaces or control characters.")
    if not (parts := _URL.fullmatch(url)):
        raise _refused("Write it as https://host[:port]/path, without user, password, fragment or backslash.")
    scheme, authority, target = parts[1].lower(), parts[2], parts[3]
    if not (found := _AUTHORITY.fullmatch(authority)):
        raise _refused("Its host cannot be read; write a name, or an IPv6 address in brackets.")
    port = int(found[3]) if found[3] else DEFAULT_PORTS[scheme]
    if not 0 < port < 65536:
        raise _refused("A port is a number from 1 to 65535.")
    if target and not _VISIBLE.fullmatch(target):
        raise _refused("Percent-encode what is not ASCII in its path.")
    return Address(scheme, _ipv6(found[1]) if found[1] else _host(found[2]), port, _rooted(target))


def _rooted(target: str) -> str:
    return target if target.startswith("/") else f"/{target}"


def _ipv6(text: str) -> str:
    try:
        return str(IPv6Address(text))
    except AddressValueError:
        raise _refused("Its host is no IPv6 address.") from None


def _host(text: str) -> str:
    """An IPv4 address in its one canonical form, or a name in ASCII (IDNA 2008)."""
    name = text.lower() if text.isascii() else _in_ascii(text)
    labels = name.split(".")
    if len(name) > LONGEST_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        raise _refused("Its host is no name that can be looked up (letters, digits, hyphens, no trailing dot).")
    if _NUMBER.fullmatch(labels[-1]):  # the system's resolver would read 0x7f.1 and 2130706433 as addresses
        return _ipv4(name)
    return name


def _in_ascii(text: str) -> str:
    try:
        return idna.encode(text).decode("ascii").lower()
    except idna.IDNAError:
        raise _refused("Its host is no name of IDNA 2008; write it in its xn-- form.") from None


def _ipv4(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except AddressValueError:
        raise _refused("Write an IPv4 address as four decimal numbers.") from None


def _check_public(address: Address) -> None:
    trust = f"or have the operator trust it: BRINELL_TRUSTED_ORIGINS={address.origin}"
    if address.scheme != "https":
        raise _refused(f"Use https, {trust}.")
    if address.port not in PUBLIC_PORTS:
        raise _refused(f"Use port {' or '.join(map(str, PUBLIC_PORTS))}, {trust}.")
    is_number = ":" in address.host or address.host.replace(".", "").isdigit()
    if is_number and not may_be_called(address.host):
        raise _refused(f"This address is not one of the public internet; use one that is, {trust}.")
    labels = address.host.split(".")
    if not is_number and (len(labels) < 2 or labels[-1] in LOCAL_NAMES):
        raise _refused(f"This name is a local one; use one of the public internet, {trust}.")


def _refused(detail: str) -> Refused:
    return Refused(f"This cannot be the address of an endpoint. {detail}", pointer="/url")
