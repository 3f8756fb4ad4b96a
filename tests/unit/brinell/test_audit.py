"""`brinell audit` and `brinell audits` against the stand-in server: what is asked, printed, written and exited with."""

import json

import pytest
from rich.console import Console

from brinell.session import report_files as audit_files
from tests.unit.brinell.stand_in import problem

AUDIT = ("audit", "m.onnx", "--samples", "s.npz")
pytestmark = pytest.mark.usefixtures("an_empty_folder")


@pytest.fixture
def policy(an_empty_folder):
    (an_empty_folder / "policy.yaml").write_text("rules:\n  - {name: a, metric: clean_accuracy, at_least: 0.9}\n")
    return ("--policy", "policy.yaml")


def request(server):
    return json.loads([body for method, path, _, body in server.requests if path == "/v1/audits"][-1])


def test_brackets_are_printed_one_line_a_sample_and_summed_up(run, server):
    code, out, err = run(*AUDIT)
    lines = out.splitlines()
    assert code == 0
    assert lines[0].split() == ["sample", "label", "certified", "by", "clever", "found", "by"]
    assert lines[10].split()[3::3] == ["misclassified", "misclassified"]
    assert "median bracket: 0.3100 ≤ r* ≤ 0.8000" in out
    assert "median found: 95% interval 0.6000 to ∞" in out
    assert "unusual clever scores: 2 degenerate, 1 gradient_masked" in out
    assert "skipped nearest_neighbor: It needs neighbours" in out
    assert "error lower_above_upper (1 of 18 samples)" in out
    assert "Verdict" not in out
    assert "Auditing: 50%, running, 0 of 2 jobs ended, about 12 s left" in err


@pytest.mark.parametrize(
    ("known", "line"),
    [
        ((0.31, None), "0.3100 ≤ r*, with no end above"),
        ((None, 0.8), "r* ≤ 0.8000, with nothing proven below"),
        ((0.0, None), None),
        ((None, None), None),
    ],
)
def test_an_end_that_is_not_known_is_left_out(known, line, run, server, monkeypatch):
    report = server.report()
    ends = ("median_lower_bound", "median_upper_bound", "median_lower_interval", "median_upper_interval")
    report["summary"] |= dict(zip(ends, (*known, None, None), strict=True))
    monkeypatch.setattr(server, "report", lambda: report)
    _, out, _ = run(*AUDIT)
    assert [told.split(": ", 1)[1] for told in out.splitlines() if "median bracket" in told] == ([line] if line else [])
    assert "median found" not in out
    report["summary"]["median_upper_interval"] = {"low": None, "high": None}
    found = [told.strip() for told in run(*AUDIT)[1].splitlines() if "median found" in told]
    none = "median found: none, since half of the samples or more were not broken at 0.5"
    assert found == ([] if known[1] else [none])


def test_a_report_of_an_older_server_is_shown(run, server, monkeypatch):
    old = server.report()
    for name in ("median_lower_interval", "median_upper_interval", "clever_median_interval", "clever_statuses"):
        del old["summary"][name]
    for part in (old["summary"], *old["samples"]):
        del part["estimates"]
    monkeypatch.setattr(server, "report", lambda: old)
    code, out, _ = run(*AUDIT)
    assert code == 0 and "median bracket: 0.3100" in out
    assert "clever" in out.splitlines()[0] and "clever, an estimate: mean 0.5200, median 0.5000" in out


def test_a_second_score_has_its_column_and_a_draft_is_called_one(run, server, monkeypatch):
    report = server.report()
    for sample in report["samples"]:
        if "clever" in sample["estimates"]:
            sample["estimates"]["great"] = sample["estimates"]["clever"]
    report["summary"]["estimates"]["great"] = report["summary"]["estimates"]["clever"]
    report["settings"] |= {"recipe": "quick-2", "draft": True}
    monkeypatch.setattr(server, "report", lambda: report)
    _, out, _ = run(*AUDIT)
    assert out.splitlines()[0].split()[4:6] == ["clever", "great"]
    assert "great, an estimate: mean 0.5200" in out and "the recipe quick-2 is a draft" in out


VERDICTS = {"pass": 0, "fail": 1, "inconclusive": 3}


@pytest.mark.parametrize(("verdict", "code"), VERDICTS.items())
def test_the_verdict_is_the_exit_code(run, server, policy, verdict, code):
    server.verdict = verdict
    ended, out, _ = run(*AUDIT, *policy)
    assert ended == code
    assert out.endswith(f"Verdict: {verdict}\n")
    assert (
        "robust: empirical_robust_accuracy at 0.5 ≥ 0.98, observed 0.9000 in [0.8200, 0.9700] (empirical). The" in out
    )
    assert "740 samples would decide it" in out


def test_a_gate_that_gives_no_verdict_has_not_passed(run, server, policy):
    assert run(*AUDIT, *policy)[0] == 2


@pytest.mark.parametrize("state", ["failed", "cancelled", "expired"])
def test_an_audit_that_did_not_succeed_ends_with_2(run, server, state):
    server.audit_states = [state]
    assert run(*AUDIT)[0] == 2


def test_time_up_ends_with_3_and_cancels_the_audit(run, server):
    server.audit_states = ["running"]
    code, _, err = run(*AUDIT, "--timeout", "0.2")
    assert code == 3
    assert "/v1/audits/aud_1/cancel" in server.paths("POST")
    assert "asked to stop" in err


def test_what_an_audit_asks_for_is_what_was_said(run, server, policy):
    server.verdict = "pass"
    where = ("--norm", "linf", "--epsilon", "0.1", "--box", "-3,3")
    run(*AUDIT, *policy, *where, "--recipe", "standard-1", "--limit", "7", "--seed", "3", "--baseline", "aud_0")
    assert request(server) == {
        "model_id": "mdl_1",
        "samples_id": "smp_1",
        "recipe": "standard-1",
        "threat": {"norm": "linf", "epsilon": 0.1, "box": [-3, 3]},
        "samples": {"limit": 7},
        "seed": 3,
        "baseline_audit_id": "aud_0",
        "policy": "rules:\n  - {name: a, metric: clean_accuracy, at_least: 0.9}\n",
    }


def test_any_inputs_are_valid_where_the_box_is_none(run, server):
    run(*AUDIT, "--box", "none")
    assert request(server)["threat"] == {"norm": "l2", "box": None}


def test_a_baseline_needs_a_server_that_stays(run):
    code, _, err = run(*AUDIT, "--baseline", "aud_0")
    assert code == 2
    assert "brinell up" in err


def test_a_recipe_may_be_methods(run, server):
    run(*AUDIT, "--recipe", "pgd, crown")
    assert request(server)["recipe"] == [{"name": "pgd"}, {"name": "crown"}]


def test_what_was_not_said_is_left_to_the_server(run, server):
    run("audit", "mdl_1", "--samples", "smp_1")
    assert request(server) == {"model_id": "mdl_1", "samples_id": "smp_1", "threat": {"norm": "l2"}, "seed": 0}


def test_json_is_the_document_and_nothing_else(run, server):
    code, out, _ = run(*AUDIT, "--json")
    assert code == 0
    assert json.loads(out) == server.report()


def test_every_form_is_written_where_it_was_asked_for(run, server, an_empty_folder, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(an_empty_folder / "summary"))
    (an_empty_folder / "summary").write_text("before\n")
    assert run(*AUDIT, "--report", "r.html", "--junit", "r.xml", "--markdown", "r.md")[0] == 0
    written = {name: (an_empty_folder / name).read_text() for name in ("r.html", "r.xml", "r.md", "summary")}
    assert written == {"r.html": "<html>", "r.xml": "<junit>", "r.md": "<markdown>", "summary": "before\n<markdown>\n"}


def test_reports_are_written_where_the_gate_fails_too(run, server, policy, an_empty_folder):
    server.verdict = "fail"
    assert run(*AUDIT, *policy, "--junit", "r.xml")[0] == 1
    assert (an_empty_folder / "r.xml").exists()


def test_a_summary_that_cannot_be_written_does_not_change_the_verdict(
    run, server, policy, an_empty_folder, monkeypatch
):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(an_empty_folder))
    for server.verdict, code in VERDICTS.items():
        server.audit_states = ["succeeded"]
        ended, _, err = run(*AUDIT, *policy)
        assert ended == code
        assert "Cannot add to the step's summary" in err and "itself failed" not in err


@pytest.mark.parametrize(("verdict", "code"), [("pass", 2), ("fail", 1)])
def test_a_report_that_cannot_be_written_is_said_and_is_no_success(run, server, policy, monkeypatch, verdict, code):
    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    server.verdict = verdict
    ended, out, err = run(*AUDIT, *policy, "--report", "r.html")
    assert ended == code
    assert "Cannot write r.html: No space left on device" in err and f"Verdict: {verdict}" in out


def test_without_a_policy_a_job_that_failed_ends_with_2(run, server, policy):
    server.lost_jobs = 1
    code, _, err = run(*AUDIT)
    assert code == 2 and "(c) failed" in err
    server.verdict, server.audit_states = "pass", ["succeeded"]
    assert run(*AUDIT, *policy)[0] == 0, "its rules need no job that failed"


def test_a_summary_that_github_would_drop_is_not_made_longer(run, server, an_empty_folder, monkeypatch):
    monkeypatch.setattr(audit_files, "SUMMARY_BYTES", 10)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(an_empty_folder / "summary"))
    assert "too long" in run(*AUDIT)[2]
    assert not (an_empty_folder / "summary").exists()


def test_without_waiting_the_id_is_all_that_is_printed(run, server):
    code, out, _ = run(*AUDIT, "--no-wait")
    assert (code, out) == (0, "aud_1\n")
    assert "/v1/audits/aud_1" not in server.paths("GET")


def test_nobody_leaves_a_private_server_behind_with_an_audit_on_it(run):
    code, _, err = run(*AUDIT, "--no-wait")
    assert code == 2
    assert "brinell up" in err


WRONG_USAGE = {
    "a missing model": ["audit", "absent.onnx", "--samples", "s.npz"],
    "missing samples": ["audit", "m.onnx", "--samples", "absent.npz"],
    "a missing policy": [*AUDIT, "--policy", "absent.yaml"],
    "a policy that is a folder": [*AUDIT, "--policy", "."],
    "a policy that is no text": [*AUDIT, "--policy", "binary"],
    "an empty policy": [*AUDIT, "--policy", "empty"],
    "a negative radius": [*AUDIT, "--epsilon", "-1"],
    "a box of one end": [*AUDIT, "--box", "1"],
    "a baseline that is no audit": [*AUDIT, "--baseline", "before.json"],
    "a report nowhere": [*AUDIT, "--report", "absent/r.html"],
    "a report over a folder": [*AUDIT, "--junit", "."],
    "a report of what is not awaited": [*AUDIT, "--no-wait", "--report", "r.html"],
    "an unknown form": ["audits", "report", "aud_1", "--format", "pdf"],
}


@pytest.mark.parametrize("arguments", WRONG_USAGE.values(), ids=WRONG_USAGE.keys())
def test_wrong_usage_ends_with_4_before_anything_is_sent(run, server, an_empty_folder, arguments):
    (an_empty_folder / "binary").write_bytes(b"\xff\xfe\x00")
    (an_empty_folder / "empty").write_text("\n")
    assert run(*arguments)[0] == 4
    assert server.requests == []


def test_a_policy_that_the_server_cannot_read_is_wrong_usage(run, server, policy):
    server.faults = [problem(422, "invalid_request", "The policy cannot be read: it is neither JSON nor YAML.")]
    code, _, err = run(*AUDIT, *policy)
    assert code == 4
    assert "neither JSON nor YAML" in err
    assert server.paths("POST") == ["/v1/audits"], "nothing was uploaded in vain"


def test_all_that_is_wrong_with_a_request_is_told(run, server):
    errors = [{"pointer": f"/policy/rules/{i}", "detail": f"Rule {i} is wrong."} for i in range(3)]
    server.faults = [None, None, problem(422, "invalid_request", "Rule 0 is wrong.", errors=errors)]
    code, _, err = run(*AUDIT)
    assert code == 4
    assert [err.count(f"Rule {i} is wrong.") for i in range(3)] == [1, 1, 1]


def test_a_fault_of_a_request_is_told_by_its_field_and_without_the_words_of_http(run, server):
    errors = [{"pointer": "/threat/epsilon", "detail": "Input should be greater than 0"}]
    detail = "/threat/epsilon: Input should be greater than 0. Correct what `errors` lists and send it again."
    server.faults = [None, None, problem(422, "invalid_request", detail, errors=errors)]
    code, _, err = run(*AUDIT)
    assert code == 4
    assert "threat.epsilon: Input should be greater than 0" in err
    assert "/threat" not in err and "`errors`" not in err


def test_audits_are_listed_shown_cancelled_and_deleted(run, server):
    assert "aud_1" in run("audits", "list")[1]
    assert "samples_total" in run("audits", "show", "aud_1")[1]  # it runs
    assert "median bracket" in run("audits", "show", "aud_1")[1]
    assert json.loads(run("audits", "show", "aud_1", "--json")[1])["id"] == "aud_1"
    assert run("audits", "cancel", "aud_1")[0] == 0
    assert run("audits", "delete", "aud_1")[0] == 0


def test_a_report_is_saved_or_printed_as_it_came(run, server, an_empty_folder):
    assert run("audits", "report", "aud_1", "--format", "markdown")[1] == "<markdown>"
    assert run("audits", "report", "aud_1", "-o", "r.html")[0] == 0
    assert (an_empty_folder / "r.html").read_text() == "<html>"


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_the_terminal(run, server, monkeypatch, width):
    narrow = Console(width=width, highlight=False, markup=False)
    for module in ("printing.terminal", "printing.brackets_table"):
        monkeypatch.setattr(f"brinell.{module}.out", narrow)
    table = run(*AUDIT)[1].splitlines()[:13]
    assert table[12].startswith("    11 ")
    assert max(map(len, table)) <= width
