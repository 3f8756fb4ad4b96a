"""No method of the store finds another tenant's object, nor takes an id for what it is not."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from algorithms.errors import NotFound
from audits.store import Audits
from jobs.store.sections.findings import Findings
from jobs.store.sections.holdings import Holdings
from jobs.store.sections.jobs import Jobs
from jobs.store.sections.models import Models
from jobs.store.sections.objects import Objects
from jobs.store.sections.samples import KeptSamples
from jobs.store.store import Store
from tests.jobs_for_tests import Upload, samples_card

SECTIONS: dict[str, type] = {
    "models": Models,
    "samples": KeptSamples,
    "jobs": Jobs,
    "findings": Findings,
    "audits": Audits,
    "objects": Objects,
    "holdings": Holdings,
}
OF_OBJECTS = [
    f"{section}.{name}"
    for section, kind in SECTIONS.items()
    for name, method in inspect.getmembers(kind, inspect.isfunction)
    if not name.startswith("_") and "tenant" in inspect.signature(method).parameters
]
MAKERS = {"models.add", "samples.add", "jobs.create", "jobs.create_property", "audits.create", "objects.replayed"}
MAKERS |= {"holdings.hold", "holdings.put", "holdings.put_file", "holdings.make_room", "holdings.give_up_room"}
LISTS = {"models.page", "samples.page", "jobs.page", "audits.page"}
OF_THE_SECTIONS = {"jobs.load", "objects.field", "objects.page", "objects.remove"}  # what the others are made of
BY_ID = sorted(set(OF_OBJECTS) - MAKERS - LISTS - OF_THE_SECTIONS)


def method_of(store: Store, name: str) -> Callable[..., Any]:
    section, method = name.split(".")
    whole = Audits(store) if section == "audits" else getattr(store, section)
    return getattr(whole, method)


def ids_of(upload: Upload) -> dict[str, str]:
    return {
        "model_id": upload.model.id,
        "samples_id": upload.samples.id,
        "job_id": upload.job(),
        "audit_id": upload.audit(),
        "object_id": upload.model.id,
    }


def call(store: Store, name: str, tenant: str, ids: dict[str, str]) -> Any:
    method = method_of(store, name)
    parameters = set(inspect.signature(method).parameters)
    (word,) = parameters & set(ids)
    return method(tenant, ids[word], *([0] if "index" in parameters else []))


def test_there_are_methods_to_hold_to_the_law() -> None:
    laws = {"jobs.get", "models.get", "samples.get", "findings.page", "jobs.remove", "jobs.cancel", "objects.version"}
    assert laws <= set(BY_ID)
    assert len(BY_ID) > 15


@pytest.mark.parametrize("name", OF_OBJECTS)
def test_the_tenant_comes_first(name: str) -> None:
    section, method = name.split(".")
    assert list(inspect.signature(getattr(SECTIONS[section], method)).parameters)[:2] == ["self", "tenant"]


@pytest.mark.parametrize("name", BY_ID)
def test_a_foreign_id_and_an_unknown_id_are_answered_alike(store: Store, upload: Upload, name: str) -> None:
    ids = ids_of(upload)
    unknown = {word: f"{given[:4]}{'x' * 22}" for word, given in ids.items()}
    before = store.jobs.get("lab", ids["job_id"])
    said = []
    for tenant, asked in (("else", ids), ("lab", unknown)):
        with pytest.raises(NotFound) as error:
            call(store, name, tenant, asked)
        said.append((error.value.code, error.value.detail))
    assert said[0] == said[1]
    assert store.jobs.get("lab", ids["job_id"]) == before
    assert store.models.get("lab", upload.model.id) == upload.model


@pytest.mark.parametrize("name", BY_ID)
@pytest.mark.parametrize("bad", ["", "job_", "mdl_a:b", "smp_a b", "job_\n", "job_é", "../job_a", "list:job"])
def test_what_cannot_be_an_id_is_not_found(store: Store, upload: Upload, name: str, bad: str) -> None:
    with pytest.raises(NotFound):
        call(store, name, "lab", dict.fromkeys(ids_of(upload), bad))


@pytest.mark.parametrize("name", sorted(LISTS))
def test_lists_show_only_what_is_the_tenants_own(store: Store, upload: Upload, name: str) -> None:
    upload.job()
    upload.audit()
    assert method_of(store, name)("lab").items
    assert method_of(store, name)("else").items == ()


def test_a_job_cannot_use_another_tenants_model_or_samples(store: Store, upload: Upload) -> None:
    with pytest.raises(NotFound):
        store.jobs.create("else", upload.spec())
    theirs = Upload(store, "else")
    mixed = theirs.spec().model_copy(update={"samples": upload.samples})
    with pytest.raises(NotFound):
        store.jobs.create("else", mixed)
    assert store.jobs.page("else").items == ()


def test_an_id_of_another_kind_is_not_found(store: Store, upload: Upload) -> None:
    store.samples.add("lab", card := samples_card())
    with pytest.raises(NotFound):
        store.models.get("lab", card.id)
