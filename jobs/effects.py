"""What a move of the store leaves to do outside it: messages to send, bytes to delete."""

from jobs.queue import Queue
from jobs.record import Effects
from jobs.store.store import Store
from models.library import Library


def settle(effects: Effects, *, store: Store, queue: Queue, library: Library) -> None:
    """Safe to lose half-way: what is not settled is handed out again by `Store.reap`."""
    queue.send(effects.dispatches)
    for digest in effects.digests:
        library.delete(digest)
    if effects.digests:
        store.forget(effects.digests)
