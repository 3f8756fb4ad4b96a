"""Which files a runner may open: Python, the system's libraries, our code. Never a folder that holds anybody's data."""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from workers.confinement.landlock import EXECUTE, IOCTL_DEV, READ, WRITE_FILE
from workers.confinement.levels import NotConfined, RunnerKind

CHECKOUT = Path(__file__).resolve().parents[2]
CODE = ("algorithms", "jobs", "models", "workers")  # the checkout may also hold a data folder, an .env, a history
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/nix/store")

_PROCESSOR = "/proc/cpuinfo"
FACTS = (  # about the processor: without them a library takes slower ways, which round differently
    _PROCESSOR,
    "/proc/self/maps",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/dev/urandom",
)
NETWORK = (  # names, and whose certificates are believed
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
)
CARD_DRIVERS = ("/dev/nvidiactl", "/dev/dxg")  # Linux has the one, Linux within Windows the other
CARD_LIBRARIES = ("/usr/local/nvidia", "/usr/local/cuda", "/run/opengl-driver")  # where clusters and NixOS keep CUDA's
CARD = ("/sys/bus/pci/devices", "/sys/devices", "/proc/driver/nvidia", "/proc/self", "/proc/devices", "/proc/modules")


def files(kind: RunnerKind) -> Mapping[Path, int]:
    """Returns {path: rights}, for landlock."""
    return {
        **dict.fromkeys(_programs(), READ | EXECUTE),
        CHECKOUT / "pyproject.toml": READ,  # our version
        **{Path(name): READ for name in FACTS},
        **(dict.fromkeys(_network(), READ) if kind == "probe" else {}),
        **(_card() if kind == "card" else {}),
    }


def check_processor_was_seen() -> None:
    """Raises NotConfined unless the libraries could read what they choose their kernels by.

    Landlock knows a file of /proc by an inode that the kernel may forget when memory is short, and makes anew: then the
    rule is lost, for good. What can be read after the imports could be read all the time.
    """
    if os.path.exists(_PROCESSOR):
        try:
            os.close(os.open(_PROCESSOR, os.O_RDONLY))
        except OSError:
            raise NotConfined("landlock", "the machine forgot what was allowed while libraries were imported") from None


def _programs() -> Iterator[Path]:
    yield from (CHECKOUT / name for name in CODE)
    yield from map(Path, LIBRARIES)
    yield from (Path(prefix, "lib") for prefix in (sys.base_prefix, sys.prefix))
    yield from (Path(entry) for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages"))
    yield from (Path(entry) for entry in os.environ.get("LD_LIBRARY_PATH", "").split(":") if entry.startswith("/"))


def _network() -> Iterator[Path]:
    yield from map(Path, NETWORK)
    yield from (Path(os.environ[name]) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name))


def _card() -> dict[Path, int]:
    """What CUDA's own libraries open: the card's devices, and what the kernel says of it."""
    devices = (*Path("/dev").glob("nvidia*"), *map(Path, CARD_DRIVERS))
    libraries = dict.fromkeys(map(Path, CARD_LIBRARIES), READ | EXECUTE)
    return {**{Path(name): READ for name in CARD}, **libraries, **dict.fromkeys(devices, READ | WRITE_FILE | IOCTL_DEV)}
