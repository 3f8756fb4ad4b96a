"""What was not computed, in a sentence."""

from audits.document.report import Skipped
from audits.evidence.table import table_of


def test_a_gap_names_the_skipped_methods_that_would_have_filled_it():
    skipped = [Skipped(method=name, reason="It cannot.") for name in ("crown", "bpda", "clever", "no_longer_here")]
    gaps = table_of([], [], skipped, selected=0, labelled=True).gaps
    assert gaps["certificate"] == "The audit has no certificate of the model itself (skipped: crown)."
    assert gaps["attack"] == "The audit has no attack (skipped: bpda)."
    assert gaps["clever"] == "The audit has no CLEVER score (skipped: clever)."
    assert gaps["smoothing"] == "The audit has no certificate by smoothing."
