"""`/v1/methods`: what can be asked for, straight from the registry."""

from typing import Any, Literal

from fastapi import APIRouter

from algorithms.mathematics.norms import Measure
from algorithms.method import Method
from algorithms.registry import METHODS
from algorithms.seam.access import Access
from algorithms.seam.claims import Kind
from models.record import Record
from service.edge.dependencies import AnyCaller
from service.openapi.declaring import declares

router = APIRouter(tags=["methods"])


class MethodCard(Record):
    """A card is one row of the registry, as a client needs it."""

    name: str
    version: str
    family: Literal["score", "attack", "certificate"]
    threat_model: Literal["white_box", "black_box_score", "black_box_decision"]
    needs: tuple[Access, ...]
    norms: tuple[Measure, ...]
    goals: tuple[Literal["untargeted", "targeted"], ...]
    epsilon: Literal["required", "optional", "refused"]
    samples: Literal["required", "refused"]
    keeps_lattice: bool
    proves: Kind | Literal["exact"]
    reference: str
    params_schema: dict[str, Any]


def card_of(method: Method) -> MethodCard:
    """Makes a method's card of its row."""
    facts = {name: getattr(method, name) for name in MethodCard.model_fields if name != "params_schema"}
    return MethodCard(**facts, params_schema=method.params.model_json_schema())


CARDS = [card_of(method) for method in METHODS]


@router.get("/v1/methods", response_model=list[MethodCard], responses=declares())
def list_methods(caller: AnyCaller) -> list[MethodCard]:  # noqa: ARG001 - any valid key may read it
    """Lists what can be asked for."""
    return CARDS
