"""The page of the demo: whole, self-contained, and true to its numbers."""

import math
import re
import xml.etree.ElementTree as ET

import pytest

from brinell.report_page import report_page
from brinell.report_plot import Point, scatter
from brinell.watching import Evaluation
from tests.unit.brinell.stand_in import SUMMARY, finding

JOB = {"summary": SUMMARY}
SCORES = [finding(0), finding(1, value=None, kind="abstained", details={"reason": "gradient_masked"}), finding(2)]
FOUND = [finding(n, kind="upper_bound", value=0.25 + n, details={}) for n in range(2)]
NOT_FOUND = finding(2, kind="abstained", value=None, details={"reason": "not_found"})


@pytest.fixture
def page():
    return report_page("<digits>", Evaluation(JOB, SCORES), Evaluation(JOB, [*FOUND, NOT_FOUND]))


def test_every_sample_has_a_row_and_a_dot_where_it_has_both_numbers(page):
    assert len(re.findall("<tr><td>", page)) == 3
    assert page.count("<circle") == 1
    assert "gradient_masked" in page


def test_nothing_is_fetched_and_nothing_is_left_open(page):
    assert not re.search(r"https?://|src=|@import|\$[a-z]", page)
    assert "prefers-color-scheme: dark" in page


def test_names_are_escaped(page):
    assert "<digits>" not in page
    assert "&lt;digits&gt;" in page


@pytest.mark.parametrize("largest", [1e-6, 0.03, 1.0, 7.3, 4e5])
def test_dots_lie_in_the_picture_whatever_the_scale(largest):
    picture = ET.fromstring(scatter([Point(0.0, 0.0, "a"), Point(largest / 3, largest, "<b>")]))
    width, height = map(float, picture.get("viewBox").split()[2:])
    dots = picture.findall("circle")
    assert len(dots) == 2
    assert all(0 < float(dot.get("cx")) < width and 0 < float(dot.get("cy")) < height for dot in dots)
    assert 4 <= len(picture.findall("path[@class='grid']")) <= 12


def test_an_estimate_above_what_was_found_lies_in_the_marked_zone():
    picture = ET.fromstring(scatter([Point(score=1.0, found=0.5, title="a")]))
    dot = picture.find("circle")
    corner = picture.find("path[@class='above']").get("d")  # M0,0 V end H end: the upper left triangle
    left, bottom = map(float, re.match(r"M([\d.]+) ([\d.]+)V", corner).groups())
    assert float(dot.get("cx")) - left < bottom - float(dot.get("cy"))
    assert math.isfinite(left)


def test_a_plot_without_points_is_still_a_picture():
    assert ET.fromstring(scatter([])).find("circle") is None
