"""`brinell audit` as pipelines run it: real processes, a real server, and the exit code of every ending."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

from brinell.client import Client
from tests.e2e.command_line import environment, finish, make_folder, run, start
from tests.e2e.machine import ROOT
from tests.patience import PATIENCE_SECONDS, until

pytestmark = pytest.mark.slow
AUDIT = ("audit", "model.onnx", "--samples", "samples.npz", "--limit", "2", "--recipe", "noise")  # the quickest method
PIPELINES = ROOT / "examples" / "pipelines"


@pytest.fixture
def client(folder):
    with Client((folder / ".brinell/url").read_text().strip(), (folder / ".brinell/api-key").read_text().strip()) as it:
        yield it


@pytest.fixture(scope="module")
def audit(folder):
    """AUDIT of what is uploaded once: a model that is new has to be inspected, and gets a runner of its own."""
    with Client((folder / ".brinell/url").read_text().strip(), (folder / ".brinell/api-key").read_text().strip()) as it:
        model = it.upload_model(folder / "model.onnx", timeout_seconds=PATIENCE_SECONDS)
        samples = it.upload_samples(folder / "samples.npz")
    return (AUDIT[0], model["id"], AUDIT[2], samples["id"], *AUDIT[4:])


def gate(folder, **rule):
    """A policy of one rule, in YAML."""
    (folder / "policy.yaml").write_text(yaml.safe_dump({"rules": [{"name": "the rule", **rule}]}))
    return ("--policy", "policy.yaml")


DECIDED = {
    "no policy": ({}, 0),
    "a rule that holds": ({"metric": "clean_accuracy", "at_least": 0.9}, 0),
    "a rule that does not hold": ({"metric": "clean_accuracy", "at_most": 0.5}, 1),
    "a rule that two samples cannot decide": ({"metric": "clean_accuracy", "at_least": 0.9, "confidence": 0.95}, 3),
}


@pytest.mark.parametrize(("rule", "code"), DECIDED.values(), ids=DECIDED.keys())
def test_the_gate_is_the_exit_code(folder, audit, rule, code):
    ended, out, err = run(*audit, *(gate(folder, **rule) if rule else ()), folder=folder)
    assert ended == code, err
    assert len([line for line in out.splitlines() if re.match(r"\s+[01]\s+6 ", line)]) == 2  # two digits, both sixes
    assert "Auditing: 100%, succeeded" in err
    assert ("Verdict" in out) == bool(rule)


def test_time_up_ends_with_3_and_the_audit_is_cancelled(folder, client):
    """What is uploaded already leaves the whole time to the audit, which would take an hour."""
    model, samples = client.upload_model(folder / "model.onnx"), client.upload_samples(folder / "samples.npz")
    slow = ("audit", model["id"], "--samples", samples["id"], "--recipe", "thorough-1")
    code, _, err = run(*slow, "--timeout", "10", folder=folder)
    assert code == 3, err
    until(lambda: next(client.audits())["state"] == "cancelled", what="the cancellation")


COULD_NOT_RUN = {
    "a model that is none": (["audit", "garbage.onnx", "--samples", "samples.npz"], "[model_unparseable]"),
    "a norm that nothing of the recipe knows": ([*AUDIT, "--recipe", "smoothing", "--norm", "linf"], "access_too_weak"),
    "no server there": ([*AUDIT, "--url", "http://127.0.0.1:1", "--api-key", "k"], "Cannot reach"),
    "an audit that is not there": (["audits", "show", "aud_0123456789abcdefghijkl"], "[not_found]"),
}


@pytest.mark.parametrize(("arguments", "why"), COULD_NOT_RUN.values(), ids=COULD_NOT_RUN.keys())
def test_what_could_not_run_ends_with_2_and_a_reason(folder, arguments, why):
    (folder / "garbage.onnx").write_bytes(bytes(range(256)))
    code, out, err = run(*arguments, folder=folder)
    assert (code, out) == (2, "")
    assert why in err


WRONG_USAGE = {
    "a policy that is no YAML": ("rules: [", "neither JSON nor YAML"),
    "an unknown metric": ("rules: [{name: a, metric: beauty, at_least: 1}]", "at rules/0/metric"),
    "a rule without a bound": ("rules: [{name: a, metric: clean_accuracy}]", "at rules/0: give at_least or at_most"),
}


@pytest.mark.parametrize(("policy", "why"), WRONG_USAGE.values(), ids=WRONG_USAGE.keys())
def test_a_policy_that_cannot_be_read_ends_with_4_and_says_where(folder, policy, why):
    (folder / "bad.yaml").write_text(policy)
    code, _, err = run(*AUDIT, "--policy", "bad.yaml", folder=folder)
    assert code == 4, err
    assert why in err


@pytest.mark.parametrize("recipe", ["quick-99", "telepathy"])
def test_an_unknown_recipe_or_method_ends_with_4(folder, recipe):
    assert run(*AUDIT, "--recipe", recipe, folder=folder)[0] == 4


def test_an_audit_that_nobody_waited_for_is_found_shown_and_deleted(folder, audit):
    code, out, _ = run(*audit, "--no-wait", folder=folder)
    audit_id = out.strip()
    assert code == 0
    with Client((folder / ".brinell/url").read_text().strip(), (folder / ".brinell/api-key").read_text().strip()) as it:
        assert it.wait_for_audit(audit_id, timeout_seconds=PATIENCE_SECONDS)["state"] == "succeeded"
    assert audit_id in run("audits", "list", folder=folder)[1]
    assert "clean accuracy: 100.0%" in run("audits", "show", audit_id, folder=folder)[1]
    page = run("audits", "report", audit_id, "--format", "html", folder=folder)[1]
    assert page.startswith("<!doctype html>")
    assert run("audits", "delete", audit_id, folder=folder)[0] == 0
    assert run("audits", "show", audit_id, folder=folder)[0] == 2


def github() -> tuple[str, list[str]]:
    """Its whole shell part but the installation, and the files it keeps; on the model that is scored in no time."""
    steps = yaml.safe_load((PIPELINES / "github-actions.yml").read_text())["jobs"]["audit"]["steps"]
    script = "\n".join(step["run"] for step in steps if "run" in step and step["name"] != "Install")
    assert script.count("digits/model.onnx") == 1
    return script.replace("digits/model.onnx", "digits/model_provable.onnx"), ["html", "xml"]


def gitlab() -> tuple[str, list[str]]:
    job = yaml.safe_load((PIPELINES / "gitlab-ci.yml").read_text())["robustness"]
    return "\n".join(job["script"]), ["html", "xml"]


@pytest.mark.parametrize("pipeline", [github, gitlab])
def test_the_shell_part_of_each_pipeline_works_as_written(folder, client, pipeline):
    """On 13 samples instead of 20: as few as decide its policy."""
    script, forms = pipeline()
    assert script.count("--limit 20") == 1
    summary = folder / "summary.md"
    path = f"{Path(sys.executable).parent}:{environment()['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace("--limit 20", "--limit 13")],
        cwd=folder,
        env=environment() | {"PATH": path, "GITHUB_STEP_SUMMARY": str(summary)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Verdict: pass" in done.stdout
    cases = ET.parse(folder / "robustness.xml").getroot().iter("testcase")
    rules = yaml.safe_load((PIPELINES / "policy.yaml").read_text())["rules"]
    assert [case.get("name") for case in cases] == [rule["name"] for rule in rules]
    assert "reads digits" in summary.read_text()
    summary.unlink()
    for form in forms:
        (folder / f"robustness.{form}").unlink()


def test_without_a_server_a_private_one_does_the_audit_and_leaves_nothing(tmp_path):
    here = make_folder(tmp_path / "here")
    code, out, err = finish(start(*AUDIT, "--report", "r.html", "--json", folder=here))
    assert code == 0, err
    assert len(json.loads(out)["samples"]) == 2
    assert "private server" in err
    assert (here / "r.html").read_text().count("<svg") > 0
    assert not (here / ".brinell").exists()


SHORTER = (
    "from brinell.cli import main; from brinell.commands import demo; "
    "demo.SAMPLES, demo.RECIPE = 9, [{'name': 'clever', 'batches': 10, 'batch_size': 64}, 'fmn', 'crown']; main()"
)


@pytest.mark.timeout(6 * PATIENCE_SECONDS)
def test_the_demo_tells_which_of_two_models_is_more_robust(tmp_path):
    """By an attack, a certificate and a score, on as few digits as a sign test can tell these models apart by."""
    here = make_folder(tmp_path / "here")
    demo = start("demo", "--compare", folder=here, program=("-c", SHORTER))
    code, out, err = finish(demo, seconds=6 * PATIENCE_SECONDS)
    assert code == 0, err
    assert len(re.findall(r"^ +\d+ +\d +0\.\d+ crown", out, re.MULTILINE)) == 18
    assert out.count("median bracket: 0.") == 2
    assert "The adversarially trained model is more robust than the standard model." in out
    for page in ("report.html", "robust.html"):
        assert (here / "demo" / page).read_text().startswith("<!doctype html>")
