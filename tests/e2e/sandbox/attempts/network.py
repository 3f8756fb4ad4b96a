"""Talking to anybody but the supervisor."""

import ctypes
import os
import socket

from tests.e2e.sandbox.attempt import Attempt, Target
from tests.e2e.sandbox.native import call

MPTCP, ALG, METADATA = 262, 38, ("169.254.169.254", 80)
FAST_OPEN = 0x20000000


def connect_to_the_loopback(target: Target) -> None:
    """Connects to the API or to Redis on the same machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
        tcp.connect(("127.0.0.1", target.port))


def connect_while_sending(target: Target) -> None:
    """Connects by sending (TCP Fast Open), where only `connect` is forbidden."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
        tcp.sendto(b"hostile", FAST_OPEN, ("127.0.0.1", target.port))


def connect_over_many_paths(target: Target) -> None:
    """Connects by multipath TCP, where only TCP is forbidden."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, MPTCP) as tcp:
        tcp.connect(("127.0.0.1", target.port))


def reach_for_the_metadata(target: Target) -> None:
    """Finds a way to the cloud's address of machine credentials. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.connect(METADATA)


def send_a_datagram(target: Target) -> None:
    """Sends a datagram, as a question of a name would be."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.sendto(b"hostile", ("127.0.0.1", target.port))


def listen(target: Target) -> None:
    """Lets others connect to it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()


def open_a_socket_of_ipv6(target: Target) -> None:
    """Opens a socket of IPv6."""
    socket.socket(socket.AF_INET6, socket.SOCK_STREAM).close()


def connect_to_a_file(target: Target) -> None:
    """Connects to a socket in the file system: Docker's, or a database's."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as unix:
        unix.connect(target.socket)


def connect_to_an_abstract_name(target: Target) -> None:
    """Connects to a socket that no file stands for."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as unix:
        unix.connect("\0" + target.abstract)


def open_a_pair_of_sockets(target: Target) -> None:
    """Opens two sockets that are connected, to pass open files through."""
    for end in socket.socketpair():
        end.close()


def read_packets(target: Target) -> None:
    """Reads all packets of the machine."""
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()


def forge_packets(target: Target) -> None:
    """Writes packets of its own making."""
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()


def ask_for_routes(target: Target) -> None:
    """Asks the kernel for its networks (netlink)."""
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close()


def use_ciphers_of_the_kernel(target: Target) -> None:
    """Opens the kernel's ciphers, where holes were found."""
    socket.socket(ALG, socket.SOCK_SEQPACKET).close()


def talk_to_the_host(target: Target) -> None:
    """Opens a socket to the machine around this one."""
    socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).close()


def open_a_ring(target: Target) -> None:
    """Opens a ring by which files and sockets are opened past filters (io_uring)."""
    os.close(call("io_uring_setup", 1, ctypes.create_string_buffer(120)))


ATTEMPTS = tuple(
    map(
        Attempt,
        (
            connect_to_the_loopback,
            connect_while_sending,
            connect_over_many_paths,
            reach_for_the_metadata,
            send_a_datagram,
            listen,
            open_a_socket_of_ipv6,
            connect_to_a_file,
            connect_to_an_abstract_name,
            open_a_pair_of_sockets,
            read_packets,
            forge_packets,
            ask_for_routes,
            use_ciphers_of_the_kernel,
            talk_to_the_host,
            open_a_ring,
        ),
    )
)
