"""A sample's answer is its own: the same bits and the same count, alone or in company, today and tomorrow."""

from dataclasses import replace

from algorithms.seam.claims import Outcome
from tests.laws.members import N, go, held, samples, undisturbed


def told(outcomes: list[Outcome]) -> list[tuple[object, bytes | None]]:
    return [(o.finding.model_dump_json(), None if o.x_adv is None else o.x_adv.tobytes()) for o in outcomes]


@held(in_every_norm=True)
def test_alone_or_in_company_a_sample_gets_the_same_answer_and_the_same_count(method, norm):
    """The first, the one in the middle and the last."""
    some = range(0, N, 2)
    alone = [told(go(method, norm, what=samples((i,))))[0] for i in some]
    assert alone == [told(undisturbed(method, norm))[i] for i in some]


@held()
def test_the_same_seed_gives_the_same_bits(method, norm):
    assert told(go(method, norm)) == told(undisturbed(method, norm))


@held()
def test_the_order_of_samples_changes_no_answer(method, norm):
    backwards = told(go(method, norm, what=samples(tuple(reversed(range(N))))))
    assert backwards[::-1] == told(undisturbed(method, norm))


@held(lambda method: method.cohort)
def test_samples_in_groups_get_the_same_answers(method, norm):
    grouped = go(replace(method, chunk=2), norm, groups=3)
    assert told(grouped) == told(undisturbed(method, norm))
