"""Another model is attacked before a job's own: it leaves the job its part of the seconds."""

from time import monotonic

from jobs.admission.admission import admit
from jobs.hints import unpacked
from jobs.summary import Preparation
from tests.jobs_for_tests import ready_card, request, samples_card
from tests.unit.workers.work.test_warm_up import Desk, X, lease
from workers.work.surrogate import supervise


def test_half_of_a_jobs_seconds_are_left_to_try_what_was_found():
    model, other, samples = ready_card(), ready_card(id="mdl_other"), samples_card(count=len(X))
    method = {"name": "transfer", "attack": "noise", "settings": {"points": 20}}
    asked = request(model, samples, method=method, surrogate_model_id=other.id, budget={"seconds": 1000})
    spec, desk = admit(asked, model, samples, surrogate=other), Desk()
    commit = supervise(lease(spec).model_copy(update={"work": "surrogate"}), desk).commit
    assert all(message.ends - monotonic() <= 1000 / 2 for message in desk.asked)
    made = Preparation.model_validate_json(commit.fields["prepared"])
    assert any(hint.point is not None for hint in unpacked(desk.kept[made.artifact], spec.indices))
