"""The page stands alone, is well formed, leaves nothing out, and believes no name."""

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from audits.renderings.html import SECTIONS, render
from tests.reports_for_tests import report
from tests.unit.audits.renderings.documents import (
    DOCUMENTS,
    HOSTILE,
    of_a_stranger,
    without_attacks,
    without_certificates,
)

VOID = {"meta", "br", "img"}
PAGES = {name: render(document) for name, document in DOCUMENTS.items()}


class Page(HTMLParser):
    """Collects what the tests ask for, and complains about tags that do not match."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.sources: list[str] = []
        self.headings: list[int] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        self.tags.append((tag, known))
        if tag not in VOID:
            self.open.append(tag)
        self.ids += [known["id"]] if "id" in known else []
        self.targets += [known["href"]] if "href" in known else []
        self.sources += [known["src"]] if "src" in known else []
        self.headings += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(params=PAGES, scope="module")
def page(request):
    return Page(PAGES[request.param])


def test_of_an_endpoint_its_calls_are_counted_and_its_digest_is_called_what_it_is():
    text = Page(PAGES["an endpoint's"]).text
    assert "1\u202f234 HTTP calls" in text and "2026-11-22 09:30:00 to 2026-11-22 09:30:00 UTC" in text
    assert "description of the endpoint; its model has none" in text
    assert "description of the endpoint" not in PAGES["twenty samples"]


def test_of_each_method_it_is_told_how_strictly_its_model_was_locked_up_and_what_the_machine_denied():
    whole = DOCUMENTS["twenty samples"]
    first, *others = (job.model_copy(update={"isolation": "strict"}) for job in whole.jobs)
    lesser = first.model_copy(update={"isolation": "basic", "isolation_denied": ("landlock",)})
    page = Page(render(whole.model_copy(update={"jobs": (lesser, *others)})))
    assert page.text.count("isolation basic (denied by the machine: landlock)") == 1
    assert page.text.count("isolation strict") == len(others)


@pytest.mark.parametrize("name", ["twenty samples", "tabular"])
def test_the_gallery_names_the_class_that_each_point_is_read_as(name):
    page = render(DOCUMENTS[name])
    assert "read as 2 at" in page and "no longer so at" in page, "it is not known of the first"


def test_every_link_leads_to_a_place_in_the_page_and_no_place_is_there_twice(page):
    assert len(page.ids) == len(set(page.ids))
    assert {target.removeprefix("#") for target in page.targets} <= set(page.ids)
    assert all(target.startswith("#") for target in page.targets)


def test_nothing_is_fetched(page):
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    loaders = {"link", "iframe", "object", "embed", "base", "form", "audio", "video", "foreignobject"}
    assert not loaders & {tag for tag, _ in page.tags}
    assert not any(name.startswith("on") or name == "style" for _, known in page.tags for name in known)


@pytest.mark.parametrize("name", PAGES)
def test_no_address_stands_where_a_browser_would_follow_it(name):
    assert not re.search(r"""(src|href|action|url\(|@import)\s*[=("'\s]\s*["']?(https?:)?//""", PAGES[name])


def test_headings_descend_one_level_at_a_time(page):
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(page.headings))


def test_tables_have_captions_and_their_heads_a_scope(page):
    tags = [tag for tag, _ in page.tags]
    assert tags.count("table") == tags.count("caption")
    assert all("scope" in known for tag, known in page.tags if tag == "th")


def test_every_chart_is_told_in_words(page):
    charts = [known for _, known in page.tags if known.get("role") == "img"]
    named = [known["aria-labelledby"].split() for known in charts]
    assert all(set(names) <= set(page.ids) for names in named)
    assert all("alt" in known for tag, known in page.tags if tag == "img")


def test_the_page_allows_its_own_script_and_style_and_no_other():
    source = PAGES["a stranger's"]
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', source)
    assert policy
    assert "default-src" in policy[1]
    assert "unsafe" not in policy[1]
    assert source.count("<script>") == source.count("<style>") == 1


def test_a_hostile_name_is_text():
    page = Page(render(of_a_stranger()))
    assert "<script>alert(1)</script> | `x` [y](https://evil.example)" in page.text
    assert sum(tag == "script" for tag, _ in page.tags) == 1
    assert not set("\u202e\x00\ufffe") & set(page.text)
    assert HOSTILE not in page.text  # the characters that nobody sees are made visible


@pytest.mark.parametrize("name", ["twenty samples", "five hundred", "no certificates"])
def test_every_sample_rule_alarm_and_method_is_there(name):
    document, page = DOCUMENTS[name], Page(PAGES[name])
    assert {f"row-{row.index}" for row in document.samples} <= set(page.ids)
    assert {f"alarm-{alarm.code}" for alarm in document.alarms} <= set(page.ids)
    for shown in (
        *(rule.name for rule in document.rules),
        *(skip.reason for skip in document.skipped),
        *(job.job_id for job in document.jobs),
        *document.limitations,
        *document.versions.values(),
        *document.digests.model_dump().values(),
    ):
        assert shown in page.text


@pytest.mark.parametrize(
    ("name", "absent"),
    [
        ("twenty samples", {"closure"}),
        ("no epsilon", set()),
        ("no attacks", {"closure", "effort", "scores", "gallery"}),
        ("no policy", {"rules", "closure"}),
        ("nothing", {"rules", "brackets", "closure", "envelope", "effort", "scores", "baseline", "gallery", "samples"}),
    ],
)
def test_a_section_without_content_is_left_out(name, absent):
    sections = {section.name for section in SECTIONS}
    assert sections & set(Page(PAGES[name]).ids) == sections - absent


def test_without_a_certificate_the_page_says_that_nothing_is_proven():
    page = Page(render(without_certificates()))
    assert "nothing is proven below the points found" in page.text
    assert "certified: no nearer point exists" not in page.text


def test_without_an_attack_the_page_ends_no_bracket():
    page = Page(render(without_attacks()))
    assert "For half of the samples it is proven that no change below 0.310 fools the model." in page.text
    assert "Median found distance" not in page.text and "Whether the rest breaks is not known." in page.text


def test_a_score_never_carries_the_sign_of_a_bound():
    cells = re.findall(r'<td class="number estimate"[^>]*>([^<]*)', PAGES["twenty samples"])
    assert {cell.strip()[0] for cell in cells} == {"≈", "–"}


def test_five_hundred_samples_fit_in_two_megabytes():
    assert len(PAGES["five hundred"].encode()) < 2_000_000


def test_the_same_report_gives_the_same_page():
    assert render(report()) == PAGES["twenty samples"]


def test_classes_are_called_by_the_names_of_the_model_beside_their_columns():
    document = report()
    names = tuple(f"tree {n}" for n in range(10))
    named = document.model_copy(update={"model": document.model.model_copy(update={"classes_named": names})})
    label = document.samples[0].label
    assert f"<small>tree {label}</small>" in render(named)
    same = document.model.model_copy(update={"classes_named": tuple(map(str, range(10)))})
    assert render(document.model_copy(update={"model": same})) == render(document)
