"""The table of addresses, row by row: both ends of every block, what lies just outside, and the usual suspects."""

from ipaddress import ip_address, ip_network

import pytest

from models.endpoints._addresses import IPV4_SPECIAL, IPV6_SPECIAL, METADATA, may_be_called

BLOCKS = [*IPV4_SPECIAL, *IPV6_SPECIAL, *METADATA]


@pytest.mark.parametrize("block", BLOCKS)
def test_no_address_of_a_special_block_may_be_called(block: str) -> None:
    network = ip_network(block)
    middle = network.network_address + network.num_addresses // 2
    for address in (network.network_address, middle, network.broadcast_address):
        assert not may_be_called(str(address))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.255.255.254",
        "172.31.0.1",
        "192.168.1.1",
        "169.254.169.254",  # EC2, GCE, Azure, DigitalOcean
        "169.254.170.2",  # ECS
        "168.63.129.16",
        "192.0.0.192",
        "100.100.100.200",
        "100.64.0.1",
        "198.19.255.255",
        "224.0.0.1",
        "239.255.255.250",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:8.8.8.8",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:a9fe:a9fe::1",
        "2001:0:53aa:64c:1:2:3:4",  # Teredo
        "2001:db8::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fc00::1",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1%lo",
        "fec0::1",
        "ff02::1",
        "5f00::1",
        "3fff::1",
        "100::1",
        "100:0:0:1::1",
        "4000::1",  # never given out
        "1::1",
        "",
        "localhost",
        "2130706433",
        "127.1",
    ],
)
def test_what_is_private_by_use_or_no_address_at_all_may_not_be_called(address: str) -> None:
    assert not may_be_called(address)


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "1.1.1.1",
        "93.184.216.34",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "169.253.255.255",
        "198.17.255.255",
        "223.255.255.255",
        "168.63.129.17",
        "2606:4700::1111",
        "2a00:1450::1",
        "2001:200::1",
        "2003::1",
        "2620:4f:8001::1",
    ],
)
def test_the_public_internet_may_be_called(address: str) -> None:
    assert may_be_called(address)


@pytest.mark.parametrize("block", sorted(IPV4_SPECIAL))
def test_the_table_denies_no_more_than_it_says(block: str) -> None:
    """The addresses next to a block are denied only where another row has them."""
    network = ip_network(block)
    for number in (int(network.network_address) - 1, int(network.broadcast_address) + 1):
        if 0 <= number < 2**32:
            address = ip_address(number)
            elsewhere = any(address in ip_network(row) for row in IPV4_SPECIAL)
            assert may_be_called(str(address)) is not elsewhere
