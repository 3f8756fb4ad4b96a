"""Admission of a property: it is read, and compared with the card of the model that it is about, before it is a job."""

import math

from algorithms.errors import Refused
from jobs.admission.admission import shape_of
from jobs.property import PropertyRequest, PropertySpec
from models.cards import ModelCard
from models.properties.vnnlib import read_property

ONE_NUMBER = {"logit", "probability", "decision"}  # readings of outputs that have one number a row


def admit_property(request: PropertyRequest, card: ModelCard, text: str) -> PropertySpec:
    """Makes the job as it will run.

    Raises Conflict(model_not_ready), Refused(access_too_weak, unsupported_signature) for models that properties are not
    about, and Refused(invalid_request, shape_mismatch) for texts that cannot be read, or are about another model.
    """
    shape = shape_of(card)
    outputs = _outputs(card)
    read_property(text, math.prod(shape), outputs)
    return PropertySpec(request=request, model=card, shape=shape, outputs=outputs)


def _outputs(card: ModelCard) -> int:
    """Counts the numbers that the uploaded graph gives out for a row."""
    if card.kind != "onnx" or card.input is None or card.output is None or card.reads is None:
        raise Refused(
            f"A property is about a graph, and a model of kind {card.kind} has none: upload the ONNX file.",
            code="access_too_weak",
            pointer="/model_id",
        )
    if card.output.kind == "labels":
        raise Refused(
            "A property is about numbers, and this graph gives out labels: export it without the last step.",
            code="access_too_weak",
            pointer="/model_id",
        )
    if card.input.dtype != "float32":
        raise Refused(
            f"A property is about float32 inputs, and this graph takes {card.input.dtype}: export it for float32.",
            code="unsupported_signature",
            pointer="/model_id",
        )
    return 1 if card.reads.as_ in ONE_NUMBER else card.output.classes
