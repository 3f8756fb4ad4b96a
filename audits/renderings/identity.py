"""What was audited and with what, as pairs of words: enough to check the report and to repeat it. Pure."""

import json
from collections.abc import Iterator
from typing import Any

from audits.document.report import JobRow, Report
from audits.renderings.words import many, norm, number, size
from models.cards import ModelCard

Pairs = list[tuple[str, str]]

BECAUSE = {
    "graph": "by its graph",
    "values": "guessed by its values: no bounds are offered",
    "told": "as its upload said",
}


def groups(report: Report) -> Iterator[tuple[str, Pairs]]:
    """Groups what is known as (title, [(name, value)])."""
    yield "Model", list(_model(report.model))
    yield "Data", list(_data(report))
    yield "Threat model", list(_threat(report))
    yield "Settings", list(_settings(report))
    yield "Versions", list(report.versions.items())


def digests(report: Report) -> Pairs:
    """Lists the digests: SHA-256, hex."""
    known = report.digests.model_dump()
    if report.model.endpoint:
        known = {"description of the endpoint; its model has none": known.pop("model")} | known
    return [(name, value) for name, value in known.items() if value is not None]


def policy(report: Report) -> str | None:
    """Shows the policy as it was read; None where there was none."""
    given = report.settings.policy
    return None if given is None else json.dumps(given, indent=2, ensure_ascii=False)


def params(job: JobRow) -> str:
    return compact({name: value for name, value in job.params.items() if name != "name"}) or "no parameters"


def compact(values: dict[str, Any]) -> str:
    """Sets parameters on one line."""
    return ", ".join(f"{name} = {_value(value)}" for name, value in values.items() if value is not None)


def _value(value: Any) -> str:
    if isinstance(value, list | dict) and len(value) > 8:
        return f"{len(value)} values"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _model(card: ModelCard) -> Iterator[tuple[str, str]]:
    yield "name", card.name
    yield "id", card.id
    yield "kind", card.kind
    if card.endpoint:
        yield "origin", f"{card.endpoint.origin} ({card.endpoint.protocol})"
    else:
        yield "size", size(card.size_bytes)
    if card.input:
        batch = f"batch {card.input.batch}" if card.input.batch else "any batch"
        yield "input", f"{card.input.name}: {card.input.dtype} {_shape(card.input.shape)}, {batch}"
    if card.output:
        yield "output", f"{card.output.name}: {card.output.kind} of {card.output.classes} classes"
    if card.reads:
        yield "read as", f"{card.reads.as_} ({BECAUSE[card.reads.because]})"
    if card.label_output_differs:
        judged = "label" if card.reads and card.reads.as_ == "label" else "largest score"
        yield "label output", f"is not the largest score on some rows: the {judged} is judged"
    if card.preprocessing:
        shown = card.preprocessing.model_dump(mode="json")
        yield "preprocessing", f"(x - {_value(shown['subtract'])}) / {_value(shown['divide'])}"
    if card.opset is not None:
        yield "opset", str(card.opset)
    yield "offers", ", ".join(card.offers)
    for withheld in card.withheld:
        yield f"without {withheld.offer}", withheld.reason
    if card.substitutes:
        yield "substitutes", f"stand for gradients of {', '.join(card.substitutes)}, for the attack bpda alone"
    if card.parity:
        yield "gradient path", f"differs by {number(card.parity.max_abs_difference)} at most on {card.parity.rows} rows"


def _data(report: Report) -> Iterator[tuple[str, str]]:
    data, card = report.data, report.data.card
    yield "name", card.name
    yield "id", card.id
    yield "rows", f"{many(card.count, 'row')} of {card.dtype} {_shape(card.shape)}, {size(card.size_bytes)}"
    yield "values", f"{number(card.minimum)} to {number(card.maximum)}"
    yield "selected", f"{many(data.selected, 'sample')}: {data.selection}"
    yield "labels", "given" if data.labels == "given" else "none given: the model's own answers"
    if data.misclassified is not None:
        yield "misclassified", f"{many(data.misclassified, 'sample')}, counted as distance 0"


def _threat(report: Report) -> Iterator[tuple[str, str]]:
    threat = report.threat
    yield "norm", norm(report)
    yield "epsilon", number(threat.epsilon) if threat.epsilon is not None else "none: the smallest change is looked for"
    yield "goal", "untargeted" if threat.goal == "untargeted" else f"targeted: {_value(_targets(threat.goal))}"
    yield "valid inputs", _domain(threat.box)


def _targets(goal: Any) -> Any:
    return goal.model_dump(mode="json")["targeted"]


def _domain(box: tuple[Any, Any] | None) -> str:
    """A box of every feature's own ends would fill pages."""
    if box is None:
        return "any real number"
    if all(isinstance(end, int | float) for end in box):
        return f"[{number(box[0])}, {number(box[1])}]"
    return "a box with ends of its own for each feature"


def _settings(report: Report) -> Iterator[tuple[str, str]]:
    yield "recipe", f"{report.settings.recipe}{', a draft' if report.settings.draft else ''}"
    yield "seed", str(report.settings.seed)
    yield "policy", "none" if report.settings.policy is None else many(len(report.rules), "rule")
    if report.settings.baseline_audit_id:
        yield "baseline", report.settings.baseline_audit_id
    yield "audit", report.audit_id
    yield "format", report.format


def _shape(shape: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, shape))}]"
