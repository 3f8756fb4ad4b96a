"""`brinell demo`: the whole way once, on the bundled digits: a table and a report in under two minutes."""

from pathlib import Path
from typing import Annotated, Any

import typer

from brinell.client import Client
from brinell.errors import BrinellError
from brinell.machine import checkout
from brinell.printing.brackets_table import print_brackets, print_outline
from brinell.printing.comparing import Audited, sentences
from brinell.printing.terminal import out, plain, say
from brinell.session.connecting import private_server
from brinell.session.uploading import upload_model, upload_samples
from brinell.session.watching import audit
from brinell.wire.deadline import Deadline

SAMPLES = 20
MODEL = "model_provable.onnx"  # small enough for a proof to come as near as an attack
CONVOLUTIONAL = ("model.onnx", "model_robust.onnx")  # where it does not
RECIPE = "quick-2"  # a draft, which has both estimates
METHODS: list[Any] = [
    {"name": "clever", "batches": 25, "batch_size": 64},
    {"name": "steepest", "climbers": 36, "steps": 8},
    "noise",
    "square",
    "pgd",
    "fmn",
    "crown",
    "alpha_crown",
    {"name": "branch_and_bound", "domains": 100},
]
FOLDER = Path("demo")
READING = (
    "Each line below is a digit. No change smaller than `certified` makes the model read it otherwise, a change as "
    "large as `found` does, and the true distance, r*, lies between the two. The other columns are estimates of it: "
    "they prove nothing."
)
PATIENCE_SECONDS = 900.0  # ten times what it takes on a quiet machine


def demo(
    compare: Annotated[
        bool,
        typer.Option(
            "--compare", help="Audit two convolutional models instead, one trained against an adversary, and compare."
        ),
    ] = False,
) -> None:
    """Audit the bundled model on 20 handwritten digits, end to end; writes demo/report.html.

    Starts everything privately and stops it again.
    """
    digits = checkout.find() / "examples" / "digits"
    for name in (*(CONVOLUTIONAL if compare else [MODEL]), "samples.npz"):
        if not (digits / name).is_file():
            raise BrinellError(f"{digits / name} is missing; the demo needs the whole checkout.", code="needs_checkout")
    FOLDER.mkdir(exist_ok=True)
    with private_server() as client:
        out.print(plain(READING))
        samples_id = upload_samples(client, digits / "samples.npz")["id"]
        if not compare:
            _audit(client, digits / MODEL, "the model", samples_id, "report.html", recipe=METHODS)
            return
        first, second = (digits / name for name in CONVOLUTIONAL)
        standard = _audit(client, first, "the standard model", samples_id, "report.html", recipe=RECIPE)
        robust = _audit(
            client,
            second,
            "the adversarially trained model",
            samples_id,
            "robust.html",
            recipe=RECIPE,
            baseline_audit_id=standard.report["audit_id"],
        )
        _print_comparison(robust, standard)


def _audit(client: Client, model: Path, name: str, samples_id: str, page: str, **more: Any) -> Audited:
    """Print its table, write its page."""
    deadline = Deadline(PATIENCE_SECONDS)
    model_id = upload_model(client, model, deadline, name=f"digits: {name}")["id"]
    request = {"model_id": model_id, "samples_id": samples_id, "samples": {"limit": SAMPLES}, **more}
    done = audit(client, request, f"Auditing {name}", deadline)
    report = client.report(done["id"])
    out.print(f"\n{name[0].upper()}{name[1:]}\n", style="bold")
    print_brackets(report["samples"], report["model"].get("classes_named"))
    print_outline(report)
    (FOLDER / page).write_bytes(client.rendering(done["id"], "html"))
    say(f"Wrote {FOLDER / page}: open it in a browser.")
    return Audited(name, report)


def _print_comparison(ours: Audited, baseline: Audited) -> None:
    out.print("\nCompared\n", style="bold")
    for sentence in sentences(ours, baseline):
        out.print(plain(f"{sentence[0].upper()}{sentence[1:]}"))
