"""Redis, a library and Celery workers of their own, without HTTP: what the kill tests shoot at."""

import io
import os
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from algorithms.seam.claims import Finding
from jobs.admission.admission import admit
from jobs.credentials import Seal
from jobs.installation.settings import Settings
from jobs.record import Job
from jobs.registration import EndpointRequest, register
from jobs.request import JobRequest
from jobs.states import TERMINAL
from jobs.store.store import Store
from jobs.work.queue import Queue
from models.cards import ModelCard, SamplesCard
from models.library import Library
from models.samples import inspect_samples
from tests.devices import DEVICE
from tests.patience import PATIENCE_SECONDS, until

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "examples" / "digits"
TENANT = "tests"


def children(pid: int) -> list[int]:
    """Direct children that live, the oldest first."""
    found = []
    with suppress(FileNotFoundError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(FileNotFoundError):
                found += [int(child) for child in (task / "children").read_text().split()]
    return sorted((child for child in found if is_alive(child)), key=_started)


def is_alive(pid: int) -> bool:
    return state_of(pid) not in ("Z", None)


def state_of(pid: int) -> str | None:
    """T: it is stopped; Z: it has ended; None: there is none."""
    stat = _stat(pid)
    return stat[0] if stat else None


def _started(pid: int) -> int:
    stat = _stat(pid)
    return int(stat[19]) if stat else 0


def _stat(pid: int) -> list[str] | None:
    """proc(5): what follows the name in /proc/pid/stat, from the state on."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


class Worker:
    """A Celery worker with one pool child, which has a runner at work and a spare."""

    def __init__(self, environment: dict[str, str], log: Path, name: str, queue: str = "compute,inspect") -> None:
        self._log = log.open("ab")
        command = [sys.executable, "-m", "celery", "-A", "workers.app", "worker", "-Q", queue, "-n", f"{name}@%h"]
        self.process = subprocess.Popen(
            [*command, "--pool", "prefork", "--concurrency", "1", "--without-mingle", "--without-gossip"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def pool_child(self) -> int:
        return until(lambda: children(self.process.pid), what="a pool child")[0]

    @property
    def runners(self) -> list[int]:
        """The one at work first, then the spare."""
        return children(self.pool_child)

    def kill(self) -> None:
        """-9, and gone: with a power cut the messages, leases and files stay as they are."""
        self.process.kill()
        self._gone()

    def drain(self) -> None:
        """SIGTERM, and gone."""
        self.process.terminate()
        self._gone()

    def _gone(self) -> None:
        self.process.wait(timeout=PATIENCE_SECONDS)
        self._log.close()


def _text(value: Any) -> str:
    """A setting as the environment has it."""
    return ",".join(value) if isinstance(value, tuple) else str(value)


class Machine:
    """Settings are the environment of workers, which take from `queue`; `lease_seconds` is short, as recovery is."""

    def __init__(self, redis_url: str, folder: Path, queue: str = "compute,inspect", **settings: Any) -> None:
        library = (folder / "library").as_uri()
        values = {"redis_url": redis_url, "library": library, "lease_seconds": 3.0, "device": DEVICE}
        self.settings = Settings(**values | settings)
        self.library = Library(self.settings.library)
        self.store = Store(self.settings, Queue(redis_url), self.library)
        self._takes_from = queue
        self.log = folder / "worker.log"
        self._workers: list[Worker] = []

    def worker(self) -> Worker:
        """The one that lives, or a new one."""
        alive = [worker for worker in self._workers if worker.process.poll() is None]
        return alive[0] if alive else self._start_worker()

    def _start_worker(self) -> Worker:
        environment = {f"BRINELL_{name.upper()}": _text(value) for name, value in self._chosen().items()}
        worker = Worker(environment, self.log, name=f"worker{len(self._workers)}", queue=self._takes_from)
        self._workers.append(worker)
        return worker

    def _chosen(self) -> dict[str, Any]:
        return self.settings.model_dump(include=self.settings.model_fields_set)

    def stop(self) -> None:
        for worker in self._workers:
            worker.kill()

    def upload_model(self, path: Path = DIGITS / "model.onnx") -> ModelCard:
        """Inspected by a worker, and ready."""
        digest, size, now = self._put(path)
        card = ModelCard(
            id=f"mdl_{time.time_ns()}",
            kind="onnx",
            name=path.name,
            state="inspecting",
            sha256=digest,
            size_bytes=size,
            created_at=now,
        )
        return self._inspected(card)

    def register(self, *, sealed_for: str | None = None, **request: Any) -> ModelCard:
        """An endpoint, inspected by a worker. `sealed_for`: the model its secret belongs to, if another."""
        asked = EndpointRequest.model_validate({"kind": "endpoint", **request})
        trusted = frozenset(self.settings.trusted_origins)
        made = register(asked, model_id=f"mdl_{time.time_ns()}", now=datetime.now(UTC), trusted_origins=trusted)
        self.library.put(made.document)
        sealed = None
        if made.credential is not None:
            sealed = Seal(self.settings.secret_keys).close(
                made.credential, tenant=TENANT, model_id=sealed_for or made.card.id
            )
        return self._inspected(made.card, sealed)

    def _inspected(self, card: ModelCard, sealed: str | None = None) -> ModelCard:
        self.store.models.add(TENANT, card, sealed=sealed)
        until(lambda: self.store.models.get(TENANT, card.id).state != "inspecting", what="an inspection")
        return self.store.models.get(TENANT, card.id)

    def upload_samples(self, path: Path = DIGITS / "samples.npz") -> SamplesCard:
        digest, size, now = self._put(path)
        facts = inspect_samples(path)
        card = SamplesCard(
            id=f"smp_{time.time_ns()}", name=path.name, sha256=digest, size_bytes=size, created_at=now, **dict(facts)
        )
        self.store.samples.add(TENANT, card)
        return card

    def _put(self, path: Path) -> tuple[str, int, datetime]:
        data = path.read_bytes()
        return self.library.put(data), len(data), datetime.now(UTC)

    def submit(
        self,
        model: ModelCard,
        samples: SamplesCard,
        request: dict[str, Any],
        *,
        chunk_size: int,
        auxiliary: SamplesCard | None = None,
    ) -> Job:
        asked = JobRequest.model_validate({"model_id": model.id, "samples_id": samples.id, **request})
        spec = admit(asked, model, samples, auxiliary=auxiliary).model_copy(update={"chunk_size": chunk_size})
        return self.store.jobs.create(TENANT, spec)

    def cancel(self, job: Job) -> None:
        self.store.jobs.cancel(TENANT, job.id)

    def job(self, job: Job) -> Job:
        return self.store.jobs.get(TENANT, job.id)

    def ended(self, job: Job) -> Job:
        until(lambda: self.job(job).state in TERMINAL, what="the end of a job")
        return self.job(job)

    def half_done(self, job: Job) -> Job:
        """As soon as something is committed, and not everything."""
        until(lambda: self.findings(job), what="a first committed chunk")
        assert self.job(job).state == "running"
        return job

    def findings(self, job: Job) -> list[Finding]:
        return list(self.store.findings.page(TENANT, job.id, limit=1000).items)

    def adversarials(self, job: Job) -> dict[int, np.ndarray]:
        """{row of the upload: point}"""
        points = {}
        for digest in self.store.findings.adversarial_digests(TENANT, job.id):
            with np.load(io.BytesIO(self.library.get(digest))) as npz:
                points.update(zip(npz["index"].tolist(), npz["x"], strict=True))
        return points
