"""What a supervisor lets a runner do at an endpoint."""

import base64
from datetime import UTC, datetime

import pytest

from jobs.credentials import Seal
from jobs.installation.settings import Settings
from jobs.work.lease import ModelLease
from models.cards import Endpoint, EndpointInput, EndpointOutput, Limits, ModelCard
from models.credential import Credential
from workers.messages import CallPermission
from workers.supervisor.permits import NotPermitted, Permits

ORIGIN = "https://models.example.com:443"
OLD, NEW = (base64.urlsafe_b64encode(bytes(range(n, n + 32))).decode() for n in (10, 60))
SECRET = Credential("X-Api-Key", "canary-31c2")


def lease(*, sealed=None, endpoint=True, model_id="mdl_1"):
    described = Endpoint(
        url="https://models.example.com/score",
        origin=ORIGIN,
        protocol="open_inference_v2",
        options={},
        input=EndpointInput(shape=(2,)),
        output=EndpointOutput(kind="logits", classes=2),
        limits=Limits(burst=5),
    )
    card = ModelCard(
        id=model_id,
        kind="endpoint" if endpoint else "onnx",
        name="m",
        state="inspecting",
        sha256="a",
        size_bytes=1,
        endpoint=described if endpoint else None,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    known = {"tenant": "t", "subject_id": model_id, "work": "inspect", "chunk": 0, "fence": 1, "attempt": 1}
    return ModelLease(**known, model=card, sealed=sealed)


def permits(*keys, trusted=(ORIGIN,)):
    return Permits(Settings(trusted_origins=trusted, secret_keys=keys))


def sealed(*keys, tenant="t", model_id="mdl_1"):
    return Seal(keys).close(SECRET, tenant=tenant, model_id=model_id)


def test_an_uploaded_model_needs_no_permit():
    assert permits().of(lease(endpoint=False)) is None


def test_an_endpoint_without_a_secret_is_called_without_one():
    assert permits().of(lease()) == CallPermission(trusted=True, credential=None)


def test_a_secret_is_opened_with_the_newest_or_an_older_key():
    held = lease(sealed=sealed(OLD))
    assert permits(NEW, OLD).of(held).credential == ("X-Api-Key", SECRET.value)
    assert SECRET.value not in repr(permits(NEW, OLD).of(held)) + repr(held)


def test_the_newest_key_seals():
    with pytest.raises(NotPermitted):
        permits(OLD).of(lease(sealed=sealed(NEW, OLD)))


@pytest.mark.parametrize(
    ("given", "keys"),
    [
        (sealed(OLD), (NEW,)),
        (sealed(OLD), ()),
        (sealed(OLD, tenant="other"), (OLD,)),
        (sealed(OLD, model_id="mdl_2"), (OLD,)),
        ("gAAAAA", (OLD,)),
        ("", (OLD,)),
    ],
    ids=["another key", "no key", "another tenant", "another model", "garbage", "nothing"],
)
def test_a_secret_that_is_not_ours_to_open_is_not_used(given, keys):
    with pytest.raises(NotPermitted) as refusal:
        permits(*keys).of(lease(sealed=given))
    assert SECRET.value not in refusal.value.detail


def test_an_origin_that_lost_its_trust_is_not_called():
    with pytest.raises(NotPermitted):
        permits(trusted=("https://models.example.com:8443",)).of(lease())
