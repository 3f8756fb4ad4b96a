"""A second score and a second smoothed certificate need no line in audits: tried in a copy of the checkout."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCORE = """
from dataclasses import replace
from typing import Literal

from algorithms.scores.clever.score import METHOD as CLEVER, CleverParams


class SecondParams(CleverParams):
    name: Literal["second"] = "second"


METHOD = replace(CLEVER, name="second", called=None, params=SecondParams, reported=())
"""
CERTIFICATE = """
from dataclasses import replace
from typing import Literal

from algorithms.certificates.smoothing import METHOD as SMOOTHING, SmoothingParams


class WiderParams(SmoothingParams):
    name: Literal["wider"] = "wider"


METHOD = replace(SMOOTHING, name="wider", params=WiderParams)
"""
AUDIT = """
from audits.renderings.render import render
from tests.unit.audits.test_compose import made

recipe = [{"name": name} for name in ("pgd", "smoothing", "wider", "clever", "second")]
rules = [
    {"name": "the second score", "metric": "second_median", "at_least": 0.5},
    {"name": "smoothed", "metric": "smoothed_certified_accuracy", "at": 0.2, "at_least": 0.5},
]
first = made(recipe=recipe)
report = made(recipe=recipe, policy={"rules": rules}, baseline=first, baseline_audit_id="aud_b", wrong=(8, 9))
print(render(report, "json").decode())
print(render(report, "html").decode())
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, str]:
    """The report of an audit by them, as JSON and as a page."""
    here = tmp_path_factory.mktemp("checkout")
    for folder in ("algorithms", "audits", "jobs", "models", "tests"):
        shutil.copytree(ROOT / folder, here / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (here / "algorithms" / "scores" / "second.py").write_text(SCORE)
    (here / "algorithms" / "certificates" / "wider.py").write_text(CERTIFICATE)
    environment = {"PYTHONPATH": str(here), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", AUDIT],
        cwd=here,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    document, page = done.stdout.split("\n", 1)
    return json.loads(document), page


def test_every_estimate_stands_beside_the_bracket_by_its_method(told):
    report, _ = told
    assert set(report["samples"][0]["estimates"]) == {"smoothing", "wider", "clever", "second"}
    assert set(report["summary"]["estimates"]) == {"smoothing", "wider", "clever", "second"}
    assert report["samples"][0]["upper_by"] == "pgd" and report["samples"][0]["lower"] is None


def test_the_score_has_its_metrics_its_alarm_its_limitation_and_its_comparison(told):
    report, _ = told
    score, smoothed = report["rules"]
    assert (score["evidence"], score["verdict"], score["observed"]) == ("estimate", "warn", 0.35)
    assert (smoothed["evidence"], smoothed["verdict"]) == ("certified", "pass")
    assert "second_above_attack" in {alarm["code"] for alarm in report["alarms"]}
    assert any(sentence.startswith("second is an estimate") for sentence in report["limitations"])
    assert [one["measure"] for one in report["comparisons"]] == ["upper", "clever", "second"]


def test_the_page_shows_both_beside_those_that_were_there(told):
    _, page = told
    for words in ("Median CLEVER score", "Median second score", "second against the distance found", "second score"):
        assert words in page
    assert "Smoothed by smoothing" in page and "Smoothed by wider" in page
