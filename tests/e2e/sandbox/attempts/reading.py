"""Reading what is not the model's."""

import ctypes
import os
import stat
from pathlib import Path

from tests.e2e.sandbox.attempt import Attempt, Target
from tests.e2e.sandbox.native import HERE, call, reach


def read_the_url_of_redis(target: Target) -> None:
    """Reads the address and password of Redis: all tenants, all keys, forged jobs."""
    assert target.secret in Path(target.data, "redis-url").read_text()


def read_the_api_key(target: Target) -> None:
    """Reads the API key of `brinell up`."""
    Path(target.data, "api-key").read_text()


def read_the_secret_key(target: Target) -> None:
    """Reads the key that the credentials of endpoints are sealed with."""
    Path(target.data, "secret-key").read_text()


def read_an_object_of_the_library(target: Target) -> None:
    """Reads the model or the samples of another tenant."""
    Path(target.data, "library", "object").read_bytes()


def list_the_library(target: Target) -> None:
    """Lists what all tenants have uploaded."""
    os.listdir(Path(target.data, "library"))


def read_passwd(target: Target) -> None:
    """Reads the users of the machine."""
    Path("/etc/passwd").read_text()


def list_the_root(target: Target) -> None:
    """Lists the root of the file system."""
    os.listdir("/")


def read_by_openat2(target: Target) -> None:
    """Reads a secret by the newer way to open a file."""
    how = b"\0" * 24  # read only
    os.close(call("openat2", HERE, os.fsencode(f"{target.data}/redis-url"), how, len(how)))


def read_by_handle(target: Target) -> str:
    """Opens a file by its handle, past all folders on the way."""
    return reach("open_by_handle_at", 0, b"\0" * 64, os.O_RDONLY)


def take_a_handle(target: Target) -> None:
    """Takes the handle of a secret."""
    handle = ctypes.create_string_buffer((128).to_bytes(4, "little"), 136)
    mount = ctypes.create_string_buffer(8)
    call("name_to_handle_at", HERE, os.fsencode(f"{target.data}/redis-url"), handle, mount, 0)


def read_the_disk(target: Target) -> None:
    """Makes a node for the disk below the file system, and reads it raw."""
    node = f"{target.data}/disk"
    device = os.stat(target.checkout).st_dev
    os.mknod(node, 0o600 | stat.S_IFBLK, device)
    try:
        Path(node).open("rb").close()
    finally:
        os.unlink(node)


def read_physical_memory(target: Target) -> None:
    """Opens the memory of the machine."""
    os.close(os.open("/dev/mem", os.O_RDONLY))


def make_a_terminal(target: Target) -> None:
    """Opens a new terminal, to type into others' from."""
    os.close(os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY))


def watch_the_library(target: Target) -> None:
    """Is told of every file that comes into the library."""
    watching = call("inotify_init1", 0)
    try:
        call("inotify_add_watch", watching, os.fsencode(f"{target.data}/library"), 0x100)
    finally:
        os.close(watching)


def watch_all_files(target: Target) -> None:
    """Is asked before any process opens a file."""
    os.close(call("fanotify_init", 0, 0))


def see_that_a_file_is_there(target: Target) -> None:
    """Asks for the size and times of a file whose name it knows."""
    os.stat(f"{target.data}/redis-url")


def read_our_code(target: Target) -> None:
    """Reads the code of this service."""
    Path(target.checkout, "models", "cards.py").read_text()


ATTEMPTS = (
    *map(
        Attempt,
        (
            read_the_url_of_redis,
            read_the_api_key,
            read_the_secret_key,
            read_an_object_of_the_library,
            list_the_library,
            read_passwd,
            list_the_root,
            read_by_openat2,
            read_by_handle,
            take_a_handle,
            read_the_disk,
            read_physical_memory,
            make_a_terminal,
            watch_the_library,
            watch_all_files,
        ),
    ),
    Attempt(see_that_a_file_is_there, "no layer hides size and times of a name that is known; no name can be listed"),
    Attempt(read_our_code, "the imports of Python need it, and it is public"),
)
