"""The whole API in process, on a real store, a real queue and a real library; the tests themselves play the worker."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog
from cryptography.fernet import Fernet
from fastapi import FastAPI
from fastapi.testclient import TestClient

from algorithms.seam.access import Access
from algorithms.seam.claims import Finding, Kind
from jobs.installation import logs
from jobs.installation.settings import Settings
from jobs.result import ChunkResult
from jobs.store.sections.keys import KeyRecord
from jobs.store.store import Store
from jobs.work.lease import Commit, Lease
from jobs.work.queue import Queue
from models.cards import Inspection, ModelInput, ModelOutput, Reads
from models.library import Library
from service.app import create_app
from service.edge.security import SCOPES, new_key
from tests.jobs_for_tests import inspected

ONNX = {"Content-Type": "application/octet-stream"}
SHAPE = (4,)
MOST_BYTES = 100_000
BOX = "".join(f"(assert (<= X_{i} 1.0))\n(assert (>= X_{i} 0.0))\n" for i in range(SHAPE[0]))
PROPERTY = f"{BOX}(assert (>= Y_0 Y_2))\n"
TRUSTED_ORIGIN = "http://10.0.0.5:8080"
ENDPOINT: dict[str, Any] = {
    "kind": "endpoint",
    "name": "served",
    "url": f"{TRUSTED_ORIGIN}/v2/models/m/infer",
    "protocol": "open_inference_v2",
    "input": {"shape": list(SHAPE), "dtype": "float32"},
    "output": {"kind": "logits", "classes": 3},
}


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def some_samples(count: int = 6) -> bytes:
    rng = np.random.default_rng(5)
    return npz(x=rng.random((count, *SHAPE), dtype=np.float32), y=np.arange(count) % 3)


@dataclass(frozen=True)
class Api:
    """The application, its parts, and callers made on demand."""

    app: FastAPI
    settings: Settings
    store: Store
    library: Library

    def under(self, **settings: Any) -> "Api":
        """The same server, store and library under other settings."""
        changed = self.settings.model_copy(update=settings)
        store = Store(changed, Queue(changed.redis_url), self.library)
        app = create_app(changed, store, self.library)
        return replace(self, app=app, settings=changed, store=store)

    def key(self, tenant: str = "acme", scopes: tuple[str, ...] = SCOPES) -> str:
        key = new_key()
        record = KeyRecord(
            id=key.id,
            tenant=tenant,
            scopes=frozenset(scopes),
            secret_hash=key.secret_hash,
            created_at=datetime.now(UTC),
        )
        self.store.keys.add(record)
        return key.text

    def stranger(self) -> TestClient:
        return TestClient(self.app, raise_server_exceptions=False)

    def caller(self, tenant: str = "acme", scopes: tuple[str, ...] = SCOPES) -> TestClient:
        client = self.stranger()
        client.headers["Authorization"] = f"Bearer {self.key(tenant, scopes)}"
        return client

    def incoming(self) -> list[Path]:
        return list(self.library.incoming().iterdir())

    # What the caller does first in most tests.

    def a_model(self, caller: TestClient, content: bytes = b"a model") -> dict[str, Any]:
        """Uploaded and inspecting."""
        answer = caller.post("/v1/models?name=net", content=content, headers=ONNX)
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    def an_endpoint(self, caller: TestClient, **change: Any) -> dict[str, Any]:
        """Registered, and inspecting where its origin is trusted."""
        answer = caller.post("/v1/models", json=ENDPOINT | change)
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    def a_ready_model(self, caller: TestClient, content: bytes = b"a model") -> dict[str, Any]:
        model = self.a_model(caller, content)
        self.inspect(model["id"])
        return dict(caller.get(f"/v1/models/{model['id']}").json())

    def samples(self, caller: TestClient, content: bytes | None = None) -> dict[str, Any]:
        answer = caller.post("/v1/samples?name=rows", content=content or some_samples(), headers=ONNX)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def a_job_request(self, caller: TestClient, **change: Any) -> dict[str, Any]:
        model, samples = self.a_ready_model(caller), self.samples(caller)
        smallest = {"model_id": model["id"], "samples_id": samples["id"], "method": {"name": "pgd"}}
        return smallest | change

    def a_job(self, caller: TestClient, **change: Any) -> dict[str, Any]:
        answer = caller.post("/v1/jobs", json=self.a_job_request(caller, **change))
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    def an_audit_request(self, caller: TestClient, **change: Any) -> dict[str, Any]:
        job = self.a_job_request(caller, method={"name": "pgd"})
        return {"model_id": job["model_id"], "samples_id": job["samples_id"], "recipe": [{"name": "pgd"}]} | change

    def an_audit(self, caller: TestClient, **change: Any) -> dict[str, Any]:
        """Of one job."""
        answer = caller.post("/v1/audits", json=self.an_audit_request(caller, **change))
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    # What a worker does.

    def lease(self, object_id: str, chunk: int = 0) -> Lease:
        lease = self.store.leases.acquire(object_id, chunk)
        assert lease is not None
        return lease

    def inspect(self, model_id: str, found: Inspection | None = None, *, lease: Lease | None = None) -> None:
        """Something ordinary, unless `found` is given."""
        ordinary = Inspection(
            input=ModelInput(name="x", dtype="float32", shape=SHAPE, batch=None),
            output=ModelOutput(name="y", classes=3, kind="logits"),
            reads=Reads(output="y", as_="logits", because="graph"),
            opset=18,
            offers=(Access.LABELS, Access.SCORES, Access.GRADIENTS),
        )
        lease = lease or self.lease(model_id)
        accepted = self.store.leases.commit(lease, inspected(lease, found or ordinary))
        assert accepted

    def refuse(self, model_id: str, code: str, detail: str) -> None:
        self.store.leases.fail(self.lease(model_id), code, detail, retry=False)

    def compute(self, job_id: str, *, finds: bool = True, lease: Lease | None = None) -> None:
        """One chunk, an adversarial point for each sample or none."""
        lease = lease or self.lease(job_id)
        rows = lease.indices
        digest = None
        if finds:
            x = np.zeros((len(rows), *SHAPE), np.float32)
            data = npz(index=np.array(rows), x=x, label=np.ones(len(rows), np.int64))
            digest = self.library.put(data)
        result = ChunkResult(
            findings=tuple(a_finding(row, found=finds) for row in rows),
            adversarials=digest,
            queries=2 * len(rows),
            gradients=3 * len(rows),
            device="cpu",
            isolation="basic",
        )
        accepted = self.store.leases.commit(lease, Commit(result=result))
        assert accepted


def a_finding(row: int, *, found: bool) -> Finding:
    return Finding(
        index=row,
        label=0,
        predicted=0,
        kind=Kind.UPPER_BOUND if found else Kind.ABSTAINED,
        norm="l2",
        value=0.5 if found else None,
        queries=2,
        gradients=3,
        ended="finished",
        details={"read_as": 1} if found else {},
    )


@pytest.fixture(autouse=True)
def production_logs() -> Iterator[None]:
    logs.write_as_json("info")
    yield
    structlog.reset_defaults()


@pytest.fixture
def api(empty_valkey_url: str, tmp_path: Path) -> Api:
    settings = Settings(
        redis_url=empty_valkey_url,
        library=f"file://{tmp_path / 'library'}",
        max_upload_bytes=MOST_BYTES,
        trusted_origins=(TRUSTED_ORIGIN,),
        secret_keys=(Fernet.generate_key().decode(),),
        requests_per_second=0,  # a test asks as fast as it can
        failed_keys_per_minute=0,
    )
    library = Library(settings.library)
    store = Store(settings, Queue(settings.redis_url), library)
    return Api(create_app(settings, store, library), settings, store, library)


@pytest.fixture
def caller(api: Api) -> TestClient:
    return api.caller()
