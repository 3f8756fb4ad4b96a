"""Endpoints on loopback, as models under audit."""

from collections.abc import Callable
from typing import Any

from models.cards import Endpoint, EndpointInput, EndpointOutput, Limits
from models.credential import Credential
from models.endpoints._classifier import RemoteClassifier
from models.endpoints._pace import Pace, ReserveTurns
from models.endpoints._permit import Permit
from tests.served import ServedModel

FAST: dict[str, Any] = {
    "max_batch": 32,
    "concurrency": 4,
    "requests_per_second": 10_000,
    "burst": 10_000,
    "timeout_seconds": 60.0,
}


def at_once(calls: int, hold: float) -> float:
    """A bucket that never runs dry."""
    return hold


def permit(
    *,
    trusted: bool = True,
    credential: Credential | None = None,
    reserve: ReserveTurns = at_once,
    handful: int = 1,
    is_withdrawn: Callable[[], bool] = lambda: False,
) -> Permit:
    return Permit(trusted, credential, Pace(reserve, per_second=10 * handful, burst=handful), is_withdrawn)


def endpoint(server: ServedModel, shape: tuple[int, ...], classes: int, **changes: Any) -> Endpoint:
    limits = Limits(**FAST | changes.pop("limits", {}))
    return Endpoint(
        **{
            "url": server.url,
            "origin": server.origin,
            "protocol": "open_inference_v2",
            "options": {},
            "input": EndpointInput(shape=shape),
            "output": EndpointOutput(kind=changes.pop("kind", "logits"), classes=classes),
            "limits": limits,
        }
        | changes
    )


def remote(
    server: ServedModel, shape: tuple[int, ...], classes: int, *, allowed: Permit | None = None, **changes: Any
) -> RemoteClassifier:
    made = endpoint(server, shape, classes, **changes)
    return RemoteClassifier(made, allowed or permit(), max_batch=made.limits.max_batch)
