"""Namespaces of a runner's own, where the machine allows them: no network, no System V objects, no host name of ours.

They come on top: what they keep away, landlock and the filter of system calls keep away as well.
"""

from workers.confinement.calls import call

FLAGS = {"user": 0x10000000, "net": 0x40000000, "ipc": 0x08000000, "uts": 0x04000000}  # linux/sched.h


def leave(*, keep_network: bool) -> tuple[str, ...]:
    """Leaves the namespaces of the machine, while there is one thread; returns the names of those that were denied.

    The first, of users, gives an ordinary user the right to the others. A network is kept by who calls endpoints.
    """
    denied = []
    for name, flag in FLAGS.items():
        if name == "net" and keep_network:
            continue
        try:
            call("unshare", flag)
        except OSError:
            denied.append(name)
    return tuple(denied)
