"""How the service says, where it starts, what it runs uploaded models in."""

from brinell.records import Readiness


def told_isolation(ready: Readiness) -> str:
    """Says how uploaded models are locked up, and what this machine denies."""
    denied = f" (this machine denies: {', '.join(ready['isolation_denied'])})" if ready["isolation_denied"] else ""
    advice = "" if ready["isolation"] == "strict" else ": take none from people you do not trust"
    return f"Uploaded models run at isolation level {ready['isolation']}{denied}{advice}."
