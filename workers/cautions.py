"""What the numbers of every job about a model have to be read with, by the model's card alone: stable words."""

from models.cards import ModelCard


def about(model: ModelCard) -> tuple[str, ...]:
    """Tells, by codes, what the inspection of a model saw that its numbers have to be read with."""
    probe, reads = model.probe, model.reads
    seen = {
        "endpoint_not_deterministic": probe is not None and not probe.deterministic,
        "output_guessed": reads is not None and reads.because == "values",
        "scores_rounded": probe is not None and probe.decimals is not None,
        "top_k_scores": probe is not None and probe.classes is not None,
    }
    return tuple(code for code, is_so in seen.items() if is_so)
