"""`brinell demo`: the whole way once, on the bundled digits: a report in under two minutes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from brinell import checkout
from brinell.client import Client
from brinell.connecting import private_server
from brinell.deadline import Deadline
from brinell.errors import BrinellError
from brinell.records import Finding
from brinell.report_page import report_page
from brinell.scores_table import interval, interval_title, number, print_summary, status
from brinell.terminal import out, print_table, say
from brinell.uploading import upload_model, upload_samples
from brinell.watching import Evaluation, evaluate

SAMPLES = 20
REPORT = Path("demo") / "report.html"
PATIENCE_SECONDS = 600.0  # a hundred times what it takes on a quiet machine


def demo() -> None:
    """Score 20 handwritten digits of the bundled model, end to end; writes demo/report.html.

    Starts everything privately and stops it again.
    """
    digits = checkout.find() / "examples" / "digits"
    with private_server() as client:
        clever, pgd = _evaluate(client, digits / "model.onnx", digits / "samples.npz")
    _print(clever, pgd)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(report_page("digits", clever, pgd), encoding="utf-8")
    say(f"Wrote {REPORT}.")


def _evaluate(client: Client, model: Path, samples: Path) -> tuple[Evaluation, Evaluation]:
    for file in (model, samples):
        if not file.is_file():
            raise BrinellError(f"{file} is missing; `make demo` needs the whole checkout.", code="needs_checkout")
    deadline = Deadline(PATIENCE_SECONDS)
    request: dict[str, Any] = {
        "model_id": upload_model(client, model, deadline)["id"],
        "samples_id": upload_samples(client, samples)["id"],
        "threat": {"norm": "l2"},
        "samples": {"limit": SAMPLES},
    }
    clever = evaluate(client, {**request, "method": {"name": "clever", "preset": "quick"}}, "CLEVER", deadline)
    pgd = evaluate(client, {**request, "method": {"name": "pgd"}}, "PGD", deadline)
    return clever, pgd


def _print(clever: Evaluation, pgd: Evaluation) -> None:
    columns = ["#", "label", "CLEVER", interval_title(clever.findings), "status", "plain max", "PGD found"]
    rows = [_row(score, attack) for score, attack in zip(clever.findings, pgd.findings, strict=True)]
    out.print()
    print_table(columns, rows, right=frozenset(columns) - {"status"})
    print_summary(clever.job)
    print_summary(pgd.job, "PGD")
    out.print(_comparison(clever.findings, pgd.findings))


def _row(score: Finding, attack: Finding) -> list[str]:
    details = score["details"]
    return [
        *(str(score["index"]), str(score["label"]), number(score["value"]), interval(details), status(score)),
        *(number(details.get("max_sample_score")), number(attack["value"])),
    ]


def _comparison(scores: Sequence[Finding], attacks: Sequence[Finding]) -> str:
    """CLEVER is an estimate: what an attack found says how far to trust it."""
    pairs = [
        (score["value"], attack["value"])
        for score, attack in zip(scores, attacks, strict=True)
        if attack["kind"] == "upper_bound" and score["value"] is not None
    ]
    above = sum(value > found for value, found in pairs if value is not None and found is not None)
    return (
        f"\nCLEVER estimates the distance to the nearest misclassified point, PGD's find bounds it from above:\n"
        f"on {above} of {len(pairs)} samples the estimate is larger than what PGD found, and so too large.\n"
    )
