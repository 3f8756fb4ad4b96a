"""Goals that rank scores, on a model that answers those of its likeliest classes only; and the warning of its jobs."""

import pytest

from algorithms.errors import Refused
from algorithms.seam.access import Access
from jobs.admission.admission import admit
from models.cards import ModelCard, Probe
from tests.jobs_for_tests import ready_card, request, samples_card
from workers import cautions


def answering(classes: int | None) -> ModelCard:
    probe = Probe(max_batch=8, deterministic=True, decimals=None, classes=classes)
    return ready_card(probe=probe, offers=(Access.LABELS, Access.SCORES))


def ranked(card: ModelCard, rule: str) -> str | None:
    samples = samples_card()
    asked = request(card, samples, method={"name": "square"}, threat={"goal": {"targeted": rule}})
    return admit(asked, card, samples).threat.goal_rule


@pytest.mark.parametrize(
    ("classes", "rule", "advice"),
    [
        (2, "least_likely", "use random, runner_up, or name"),
        (1, "least_likely", "use random, or name"),
        (1, "runner_up", "use random, or name"),
    ],
)
def test_a_rank_that_is_out_of_sight_is_refused_with_what_is_in_sight(classes: int, rule: str, advice: str) -> None:
    with pytest.raises(Refused, match=f"the {classes} likeliest classes; {advice}") as refused:
        ranked(answering(classes), rule)
    assert (refused.value.code, refused.value.pointer) == ("goal_not_supported", "/threat/goal/targeted")


@pytest.mark.parametrize(("classes", "rule"), [(2, "runner_up"), (2, "random"), (None, "least_likely")])
def test_a_rank_in_sight_is_taken(classes: int | None, rule: str) -> None:
    assert ranked(answering(classes), rule) == rule


@pytest.mark.parametrize(("classes", "codes"), [(2, ("top_k_scores",)), (None, ())])
def test_every_job_about_such_a_model_says_so(classes: int | None, codes: tuple[str, ...]) -> None:
    assert cautions.about(answering(classes)) == codes
