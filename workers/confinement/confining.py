"""Confinement of a runner: what the process that holds an uploaded model may still do. Two calls, in this order.

    confined = confine(parent, level="strict", kind="compute", memory_bytes=None)   # the very first act
    ...                                                                             # the imports, which start threads
    seal(confined, kind="compute")                                                  # before the first byte of a model

`basic`: limits of the machine's resources, no capability and no way to any, death with the parent. `strict` adds
landlock, before the imports, since it holds for a thread and those it starts; a filter of system calls, after them,
over all threads; and, where the machine allows them, namespaces. Without landlock or the filter there is no `strict`.
"""

import os
from importlib import import_module

from workers.confinement import landlock, namespaces, openable, privileges, resources, seccomp
from workers.confinement.levels import Confined, Isolation, NotConfined, RunnerKind


def confine(parent: int, *, level: Isolation, kind: RunnerKind, memory_bytes: int | None) -> Confined:
    """Gives up what a model needs not have, while there is one thread. Raises NotConfined."""
    resources.limit(memory_bytes=memory_bytes)
    resources.die_with(parent)
    if level == "basic":
        privileges.give_up()
        return Confined("basic")
    if len(os.listdir("/proc/self/task")) != 1:
        raise NotConfined("landlock", "the process has more than one thread already")
    denied = namespaces.leave(keep_network=kind == "probe")
    privileges.give_up()
    for package in openable.CODE:
        import_module(package)  # found while the checkout itself may still be listed
    landlock.restrict(openable.files(kind), may_connect=kind == "probe")
    return Confined("strict", denied)


def seal(confined: Confined, *, kind: RunnerKind) -> None:
    """Ends the time of imports: from here on only the permitted system calls are made. Raises NotConfined."""
    if confined.level == "strict":
        openable.check_processor_was_seen()
        seccomp.restrict(kind)
