"""Who asks just after Redis was silent is told so at once."""

from jobs.store.connection.silence import REST_SECONDS, Silence


def test_a_silence_lasts_for_a_moment_from_when_it_was_noticed():
    now = 100.0
    silence = Silence(clock=lambda: now)
    assert not silence.lasts
    silence.begin()
    assert silence.lasts
    now += REST_SECONDS
    assert not silence.lasts
