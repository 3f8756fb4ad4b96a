"""docs/api.md and the OpenAPI document say the same: calls, scopes, parameters, answers, codes, fields."""

import re
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest

from algorithms.registry import METHODS
from algorithms.seam.claims import Finding
from audits.asking.drafts import RECIPES
from audits.asking.record import Audit
from audits.asking.request import AuditRequest
from audits.document.report import MEDIA_TYPES
from audits.document.verdict import Verdict
from jobs.record import Job
from jobs.registration import EndpointRequest
from jobs.request import JobRequest
from jobs.result import WholeFinding
from models.cards import ModelCard, SamplesCard
from service.endpoints.schemas import SCHEMAS
from service.openapi import examples
from service.wire.problems import CODES_BY_STATUS, STATUS, Problem
from tools.client_records import openapi_document

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
VERBS = ("get", "post", "put", "patch", "delete")
DESCRIBED = (
    "Problem",
    "ModelCard",
    "EndpointRequest",
    "SamplesCard",
    "MethodCard",
    "JobRequest",
    "ThreatRequest",
    "BudgetRequest",
    "Job",
    "Progress",
    "Summary",
    "Finding",
    "AuditRequest",
    "Audit",
    "AuditSummary",
    "Policy",
    "Rule",
    "Verdict",
    "RuleOutcome",
)


@cache
def openapi() -> dict[str, Any]:
    return openapi_document()


def operations() -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, item in openapi()["paths"].items()
        for method, operation in item.items()
        if method in VERBS
    }


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """The part itself, or what it refers to."""
    if "$ref" not in part:
        return part
    _, _, kind, name = part["$ref"].split("/")
    return cast(dict[str, Any], openapi()["components"][kind][name])


def section(title: str) -> str:
    text = PAGE.read_text(encoding="utf-8")
    match = re.search(rf"^#+ {title}\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert match is not None, f"docs/api.md has no section {title}"
    return match[1]


def rows(text: str) -> list[list[str]]:
    table = [line for line in text.splitlines() if line.startswith("| `") or re.match(r"\| \d", line)]
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in table]


def words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def calls_of_the_page() -> dict[str, list[str]]:
    return {words(row[0])[0]: row for row in rows(section("Calls"))}


def test_the_page_and_the_document_name_the_same_calls() -> None:
    assert set(calls_of_the_page()) == set(operations())


@pytest.mark.parametrize("call", operations())
def test_scope_parameters_and_answers_of_a_call_are_as_written(call: str) -> None:
    _, scope, parameters, answers = calls_of_the_page()[call]
    operation = operations()[call]
    scopes = [s for way in operation.get("security", []) for named in way.values() for s in named]
    assert scope == (f"`{scopes[0]}`" if scopes else "any" if "security" in operation else "none")
    named = [p["name"] for p in operation.get("parameters", []) if p["in"] != "path"]
    assert sorted(w.lower() for w in words(parameters)) == sorted(n.lower() for n in named)
    good = sorted(status for status in operation["responses"] if int(status) < 400)
    assert sorted(answers.split(", ")) == good


def test_the_page_has_the_table_of_codes() -> None:
    table = {int(row[0]): tuple(words(row[1])) for row in rows(section("Errors"))}
    assert table == CODES_BY_STATUS


@pytest.mark.parametrize("name", DESCRIBED)
def test_the_page_names_the_fields_of_an_object_and_no_others(name: str) -> None:
    fields = [words(row[0])[0] for row in rows(section(name))]
    assert sorted(fields) == sorted(openapi()["components"]["schemas"][name]["properties"])


def test_every_code_but_those_of_no_call_is_declared_by_some_call() -> None:
    said = [
        a["description"] for o in operations().values() for status, a in o["responses"].items() if int(status) >= 400
    ]
    declared = {code for description in said for code in description.split(", ")}
    assert set(STATUS) - declared == {"idempotency_in_progress", "method_not_allowed", "head_too_large"}


@pytest.mark.parametrize("call", operations())
def test_every_error_answer_of_a_call_is_a_problem_with_known_codes(call: str) -> None:
    for status, said in operations()[call]["responses"].items():
        if int(status) >= 400:
            answer = resolved(said)
            assert answer["description"] == said["description"]
            assert answer["content"]["application/problem+json"]["schema"]["$ref"].endswith("/Problem")
            assert all(STATUS[code] == int(status) for code in answer["description"].split(", "))


def test_every_form_of_a_report_is_declared() -> None:
    forms = operations()["GET /v1/audits/{audit_id}/report"]["responses"]["200"]["content"]
    assert set(forms) == set(MEDIA_TYPES.values())
    assert forms["application/json"]["schema"] == {"$ref": "#/components/schemas/Report"}


def test_a_job_of_an_audit_may_be_in_use() -> None:
    assert "in_use" in operations()["DELETE /v1/jobs/{job_id}"]["responses"]["409"]["description"]


@pytest.mark.parametrize("call", [call for call in operations() if " /v1" in call])
def test_every_call_under_v1_declares_a_key_and_what_happens_without(call: str) -> None:
    operation = operations()[call]
    assert operation["security"]
    assert {"401", "403", "429", "503"} <= set(operation["responses"])


@pytest.mark.parametrize("call", ["POST /v1/models", "POST /v1/samples", "POST /v1/jobs", "POST /v1/audits"])
def test_every_body_is_described(call: str) -> None:
    content = operations()[call]["requestBody"]["content"]
    assert all("schema" in said for said in content.values())
    assert "application/json" not in content or content["application/json"]["examples"]


def references(part: Any) -> set[str]:
    """All that a part of the document refers to, directly or through others."""
    found: set[str] = set()
    ahead = re.findall(r"'(#/components/[^']+)'", str(part))
    while ahead:
        if (name := ahead.pop()) not in found:
            found.add(name)
            ahead += re.findall(r"'(#/components/[^']+)'", str(resolved({"$ref": name})))
    return found


def test_every_reference_of_the_document_leads_somewhere() -> None:
    assert all(resolved({"$ref": reference}) for reference in references(openapi()))
    assert openapi()["openapi"].startswith("3.1")


def test_every_schema_is_called_by_a_title_of_its_own() -> None:
    schemas = openapi()["components"]["schemas"]
    assert {name for name, schema in schemas.items() if schema.get("title") != name} == set()
    assert {name for name in schemas if not re.fullmatch(r"([A-Z]+[a-z]+)+", name)} == set()  # no path of a module


@pytest.mark.parametrize("name", ["ModelCard", "SamplesCard", "Job", "Audit", "Finding", "JobPage", "Progress"])
def test_an_answer_has_every_field(name: str) -> None:
    schema, sometimes = openapi()["components"]["schemas"][name], {"Progress": {"preparing"}}
    assert schema["properties"].keys() - set(schema["required"]) == sometimes.get(name, set())


def test_a_report_of_an_older_service_may_lack_what_came_later() -> None:
    report = SCHEMAS["report"]
    assert "comparisons" in report["properties"] and "comparisons" not in report["required"]
    assert "probe" not in report["$defs"]["ModelCard"]["required"]


@pytest.mark.parametrize("page", ["api.md", "command-line.md"])
def test_the_pages_name_every_recipe(page: str) -> None:
    (row,) = re.findall(r"^\| `(?:--)?recipe` \|.*$", (PAGE.parent / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"`([a-z]+-\d+)`", row)) == set(RECIPES)


def test_fields_and_parameters_have_names_and_no_titles() -> None:
    parameters = [parameter["schema"] for call in operations().values() for parameter in call.get("parameters", [])]
    fields = [
        f for schema in openapi()["components"]["schemas"].values() for f in schema.get("properties", {}).values()
    ]
    assert len(fields) > 100 and not any("title" in described for described in (*parameters, *fields))


def test_every_call_has_a_short_name_of_its_own() -> None:
    names = [call["operationId"] for call in operations().values()]
    assert len(set(names)) == len(names)
    assert {
        name for name in names if not re.fullmatch(r"(create|get|list|delete|cancel|verify|stream)(_[a-z]+){1,2}", name)
    } == set()
    assert {"create_job", "get_job", "list_jobs", "create_audit", "get_report", "list_findings"} <= set(names)


def test_each_methods_parameters_have_a_name_of_their_own() -> None:
    names = {name for name in openapi()["components"]["schemas"] if "Params" in name}
    assert names == {method.params.__name__ for method in METHODS}
    assert len(names) == len(METHODS)


@pytest.mark.parametrize("call", ["POST /v1/jobs", "POST /v1/audits"])
def test_requests_list_the_parameters_of_every_method(call: str) -> None:
    asked = references(operations()[call]["requestBody"])
    assert {f"#/components/schemas/{method.params.__name__}" for method in METHODS} <= asked


@pytest.mark.parametrize("call", operations())
def test_answers_name_a_method_and_list_no_parameters(call: str) -> None:
    assert {name for name in references(operations()[call]["responses"]) if "Params" in name} == set()


def test_what_is_bytes_says_so() -> None:
    """Generators of clients take and give files where a string's format is binary."""
    bodies = [call["requestBody"]["content"] for call in operations().values() if "requestBody" in call]
    answers = [answer.get("content", {}) for call in operations().values() for answer in call["responses"].values()]
    kinds = [
        content["application/octet-stream"] for content in (*bodies, *answers) if "application/octet-stream" in content
    ]
    assert [said["schema"] for said in kinds] == [{"type": "string", "format": "binary"}] * 4


def test_the_examples_are_what_they_show() -> None:
    assert ModelCard.model_validate(examples.MODEL).state == "ready"
    assert EndpointRequest.model_validate(examples.ENDPOINT_REQUEST).limits.burst == 10
    assert EndpointRequest.model_validate(examples.TEMPLATE_REQUEST).auth is not None
    assert SamplesCard.model_validate(examples.SAMPLES).count == 200
    assert JobRequest.model_validate(examples.JOB_REQUEST).seed == 0
    assert JobRequest.model_validate(examples.SMALLEST_JOB_REQUEST).threat.norm == "l2"
    assert Finding.model_validate(examples.FINDING).value == 1.184
    assert WholeFinding.model_validate(examples.WHOLE_FINDING).curve_seconds == (0.031, 0.24, 0.97)
    assert AuditRequest.model_validate(examples.AUDIT_REQUEST).policy is not None
    assert AuditRequest.model_validate(examples.SMALLEST_AUDIT_REQUEST).recipe == "quick-1"
    assert Audit.model_validate(examples.AUDIT).progress.samples_total == 400
    assert Verdict.model_validate(examples.VERDICT).rules[0].needed_samples == 899
    assert Job.model_validate(examples.JOB).progress.samples_total == 20
    assert Problem.model_validate(examples.PROBLEM).status == STATUS[examples.PROBLEM["code"]]
