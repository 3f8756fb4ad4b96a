"""What may stand in `url`: every way to write an address that is not public, and what a trusted origin changes."""

import pytest

from algorithms.errors import Refused
from models.endpoints._urls import address_of, origin_of

NOBODY: frozenset[str] = frozenset()

DENIED = [
    # loopback and metadata, as numbers of all kinds
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://0/",
    "https://0x/",
    "https://127.0.0.1.:443/",
    "https://127.000.000.001/",
    "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/",
    "https://0xa9fea9fe/",
    "https://a.0x7f/",
    "https://1.2.3.4.5/",
    "https://256.256.256.256/",
    "https://192.0.0.192/",
    "https://168.63.129.16/",
    "https://100.100.100.200/",
    # in other digits
    "https://①②⑦.0.0.1/",
    "https://１２７.０.０.１/",
    "https://127。0。0。1/",
    # IPv6
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[2002:a9fe:a9fe::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1]/",
    "https://[ff02::1]/",
    "https://[::1/",
    "https://::1/",
    "https://[127.0.0.1]/",
    "https://[[::1]]/",
    "https://[::1].example.com/",
    # names of one's own network
    "https://localhost/",
    "https://LOCALHOST/",
    "https://redis/",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://app.localhost/",
    "https://hidden.onion/",
    "https://router.home.arpa/",
    # the rest of a URL
    "http://models.example.com/",
    "http://models.example.com:443/",
    "https://models.example.com:22/",
    "https://models.example.com:6379/",
    "https://models.example.com:0/",
    "https://models.example.com:65536/",
    "https://models.example.com:４４３/",
    "https://user@models.example.com/",
    "https://user:password@models.example.com/",
    "https://models.example.com@127.0.0.1/",
    "https://127.0.0.1\\@models.example.com/",
    "https://models.example.com\\.internal/",
    "https://models.example.com/#fragment",
    "https://models.example.com#@127.0.0.1/",
    "https://models.example.com./",
    "https://.example.com/",
    "https://models..example.com/",
    "https://-a.example.com/",
    "https://mod%65ls.example.com/",
    "https://%31%32%37.0.0.1/",
    "https://models.example.com /",
    "https://models.example.com/a b",
    "https://models.example.com/\r\nHost: internal",
    "https://models.exa\tmple.com/",
    "https://models.example.com/\x00",
    "https://models.example.com/ä",
    " https://models.example.com/",
    "https:/models.example.com/",
    "https:///models.example.com/",
    "https:models.example.com",
    "//models.example.com/",
    "models.example.com",
    "ftp://models.example.com/",
    "file:///etc/passwd",
    "gopher://models.example.com/",
    "unix:///run/docker.sock",
    "",
    "https://",
    f"https://{'a' * 64}.example.com/",
    f"https://{'a.' * 127}example.com/",
    f"https://models.example.com/{'a' * 2048}",
]


@pytest.mark.parametrize("url", DENIED)
def test_what_is_no_public_address_is_refused_before_anybody_looks_it_up(url: str) -> None:
    with pytest.raises(Refused) as refused:
        address_of(url, NOBODY)
    assert (refused.value.code, refused.value.pointer) == ("invalid_request", "/url")


def test_there_are_more_than_sixty_of_them() -> None:
    assert len(set(DENIED)) >= 60


@pytest.mark.parametrize(
    ("url", "origin", "authority", "target"),
    [
        ("https://models.example.com", "https://models.example.com:443", "models.example.com", "/"),
        ("HTTPS://Models.Example.COM:443/a?b=c", "https://models.example.com:443", "models.example.com", "/a?b=c"),
        ("https://models.example.com:8443?x", "https://models.example.com:8443", "models.example.com:8443", "/?x"),
        ("https://8.8.8.8/v2", "https://8.8.8.8:443", "8.8.8.8", "/v2"),
        ("https://[2606:4700:0:0::1111]/", "https://[2606:4700::1111]:443", "[2606:4700::1111]", "/"),
        ("https://bücher.example/", "https://xn--bcher-kva.example:443", "xn--bcher-kva.example", "/"),
        ("https://a_b.example.com/", "https://a_b.example.com:443", "a_b.example.com", "/"),
    ],
)
def test_a_public_address_is_read_into_its_one_form(url: str, origin: str, authority: str, target: str) -> None:
    address = address_of(url, NOBODY)
    assert (address.origin, address.authority, address.target) == (origin, authority, target)


@pytest.mark.parametrize(
    ("trusted", "url"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v2/models/m/infer"),
        ("http://models:80", "http://models/score"),
        ("https://[::1]:9", "https://[0:0::1]:9/"),
        ("HTTP://Model.Internal", "http://model.internal:80/x"),
    ],
)
def test_a_trusted_origin_may_be_local_plain_and_on_any_port(trusted: str, url: str) -> None:
    assert address_of(url, {origin_of(trusted)}).origin == origin_of(trusted)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8081/",
        "https://127.0.0.1:8080/",
        "http://127.0.0.2:8080/",
        "http://127.1:8080/",
        "http://127.0.0.1.example.com:8080/",
        "http://localhost:8080/",
        "http://[::ffff:127.0.0.1]:8080/",
        "http://user@127.0.0.1:8080/",
    ],
)
def test_trust_is_for_one_scheme_host_and_port(url: str) -> None:
    with pytest.raises(Refused):
        address_of(url, {origin_of("http://127.0.0.1:8080")})
