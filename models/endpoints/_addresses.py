"""Which addresses a remote endpoint may have: our own table, since `ipaddress.is_global` has been wrong before.

CVE-2024-4032 was such a wrong table, and on Python 3.11 `is_global` still lets through cloud metadata services,
multicast and every way of wrapping an IPv4 address into an IPv6 one. Every row of the two IANA registries is denied,
those that are globally reachable included: none of them is where a model is served.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

# https://www.iana.org/assignments/iana-ipv4-special-registry, and multicast
IPV4_SPECIAL = {
    "0.0.0.0/8": "this network, RFC 791",
    "10.0.0.0/8": "private use, RFC 1918",
    "100.64.0.0/10": "shared address space, RFC 6598",
    "127.0.0.0/8": "loopback, RFC 1122",
    "169.254.0.0/16": "link local, RFC 3927",
    "172.16.0.0/12": "private use, RFC 1918",
    "192.0.0.0/24": "IETF protocol assignments, RFC 6890",
    "192.0.2.0/24": "documentation, RFC 5737",
    "192.31.196.0/24": "AS112-v4, RFC 7535",
    "192.52.193.0/24": "AMT, RFC 7450",
    "192.88.99.0/24": "6to4 relay anycast, RFC 7526",
    "192.168.0.0/16": "private use, RFC 1918",
    "192.175.48.0/24": "direct delegation AS112, RFC 7534",
    "198.18.0.0/15": "benchmarking, RFC 2544",
    "198.51.100.0/24": "documentation, RFC 5737",
    "203.0.113.0/24": "documentation, RFC 5737",
    "224.0.0.0/4": "multicast, RFC 5771",
    "240.0.0.0/4": "reserved, RFC 1112",
    "255.255.255.255/32": "limited broadcast, RFC 8190",
}

# https://www.iana.org/assignments/iana-ipv6-special-registry, and what is not global unicast
IPV6_SPECIAL = {
    "::/8": "unspecified, loopback, mapped and compatible IPv4, RFC 4291",
    "64:ff9b::/96": "NAT64 of any IPv4 address, RFC 6052",
    "64:ff9b:1::/48": "local NAT64, RFC 8215",
    "100::/64": "discard only, RFC 6666",
    "100:0:0:1::/64": "dummy prefix, RFC 9780",
    "2001::/23": "IETF protocol assignments (Teredo, ORCHID, benchmarking, AMT), RFC 2928",
    "2001:db8::/32": "documentation, RFC 3849",
    "2002::/16": "6to4 of any IPv4 address, RFC 3056",
    "2620:4f:8000::/48": "direct delegation AS112, RFC 7534",
    "3fff::/20": "documentation, RFC 9637",
    "5f00::/16": "segment routing, RFC 9602",
    "fc00::/7": "unique local, RFC 4193",
    "fe80::/10": "link local, RFC 4291",
    "fec0::/10": "site local, RFC 3879",
    "ff00::/8": "multicast, RFC 4291",
}

# Public by number, private by use.
METADATA = {
    "168.63.129.16/32": "Azure's host service",
    "192.0.0.192/32": "Oracle's metadata service",
    "100.100.100.200/32": "Alibaba's metadata service",
    "169.254.169.254/32": "metadata service of most clouds",
    "fd00:ec2::254/128": "Amazon's metadata service",
    "fd20:ce::254/128": "Google's metadata service",
}

GLOBAL_UNICAST = ip_network("2000::/3")  # all that IANA has given out of IPv6

_DENIED = tuple(ip_network(block) for block in (*IPV4_SPECIAL, *IPV6_SPECIAL, *METADATA))


def may_be_called(address: str) -> bool:
    """Tell whether an address, as `getaddrinfo` writes it, may be an endpoint's. Scoped addresses never are."""
    try:
        found: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return False
    if found.version == 6 and (found not in GLOBAL_UNICAST or "%" in address):
        return False
    return not any(found in block for block in _DENIED if block.version == found.version)
