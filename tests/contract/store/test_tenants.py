"""No method of the store finds another tenant's object, nor takes an id for what it is not."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from algorithms.errors import NotFound
from jobs.store.store import Store
from tests.jobs_for_tests import Upload, samples_card

OF_OBJECTS = [
    name
    for name, method in inspect.getmembers(Store, inspect.isfunction)
    if not name.startswith("_") and {"tenant"} & set(inspect.signature(method).parameters)
]
MAKERS = {"add_model", "add_samples", "create_job", "create_audit", "hold", "replayed"}
LISTS = {"models", "samples_list", "jobs", "audits"}
BY_ID = sorted(set(OF_OBJECTS) - MAKERS - LISTS)


def ids_of(upload: Upload) -> dict[str, str]:
    return {
        "model_id": upload.model.id,
        "samples_id": upload.samples.id,
        "job_id": upload.job(),
        "audit_id": upload.audit(),
        "object_id": upload.model.id,
    }


def call(store: Store, name: str, tenant: str, ids: dict[str, str]) -> Any:
    method: Callable[..., Any] = getattr(store, name)
    (word,) = set(inspect.signature(method).parameters) & set(ids)
    return method(tenant, ids[word])


def test_there_are_methods_to_hold_to_the_law() -> None:
    assert {"job", "model", "samples_card", "findings", "remove_job", "cancel_job", "version"} <= set(BY_ID)


@pytest.mark.parametrize("name", OF_OBJECTS)
def test_the_tenant_comes_first(name: str) -> None:
    assert list(inspect.signature(getattr(Store, name)).parameters)[:2] == ["self", "tenant"]


@pytest.mark.parametrize("name", BY_ID)
def test_a_foreign_id_and_an_unknown_id_are_answered_alike(store: Store, upload: Upload, name: str) -> None:
    ids = ids_of(upload)
    unknown = {word: f"{given[:4]}{'x' * 22}" for word, given in ids.items()}
    before = store.job("lab", ids["job_id"])
    said = []
    for tenant, asked in (("else", ids), ("lab", unknown)):
        with pytest.raises(NotFound) as error:
            call(store, name, tenant, asked)
        said.append((error.value.code, error.value.detail))
    assert said[0] == said[1]
    assert store.job("lab", ids["job_id"]) == before
    assert store.model("lab", upload.model.id) == upload.model


@pytest.mark.parametrize("name", BY_ID)
@pytest.mark.parametrize("bad", ["", "job_", "mdl_a:b", "smp_a b", "job_\n", "job_é", "../job_a", "list:job"])
def test_what_cannot_be_an_id_is_not_found(store: Store, upload: Upload, name: str, bad: str) -> None:
    with pytest.raises(NotFound):
        call(store, name, "lab", dict.fromkeys(ids_of(upload), bad))


@pytest.mark.parametrize("name", sorted(LISTS))
def test_lists_show_only_what_is_the_tenants_own(store: Store, upload: Upload, name: str) -> None:
    upload.job()
    upload.audit()
    assert getattr(store, name)("lab").items
    assert getattr(store, name)("else").items == ()


def test_a_job_cannot_use_another_tenants_model_or_samples(store: Store, upload: Upload) -> None:
    with pytest.raises(NotFound):
        store.create_job("else", upload.spec())
    theirs = Upload(store, "else")
    mixed = theirs.spec().model_copy(update={"samples": upload.samples})
    with pytest.raises(NotFound):
        store.create_job("else", mixed)
    assert store.jobs("else").items == ()


def test_an_id_of_another_kind_is_not_found(store: Store, upload: Upload) -> None:
    store.add_samples("lab", card := samples_card())
    with pytest.raises(NotFound):
        store.model("lab", card.id)
