"""What a lease asks of a runner, question by question. Model code runs at the other end of the pipe, never here."""

from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import Literal, TypeVar

from jobs.lease import ChunkResult, Lease
from jobs.record import Progress
from jobs.summary import Preparation
from models.cards import Endpoint, ModelCard
from models.kinds import KINDS
from models.library import Library
from models.samples import load_rows
from workers.frames import Frame, FrameError
from workers.limits import Isolation
from workers.supervisor import shared_rows, translation
from workers.supervisor.endings import Computed, Ending, Failed, Inspected, ModelRefused, Prepared
from workers.supervisor.permits import Permit
from workers.supervisor.runner_process import RunnerProcess
from workers.supervisor.versions import versions

T = TypeVar("T")
Reserve = Callable[[Endpoint, int, float], float]
"""(endpoint, calls, hold) -> seconds until so many calls may go out to it, after a pause of `hold` seconds if any."""


class Work:
    """One chunk, or one inspection. Another thread may read `progress`, where it stands, and `heard`, since when."""

    def __init__(
        self,
        lease: Lease,
        library: Library,
        *,
        permit: Permit | None,
        reserve: Reserve,
        keep: Callable[[bytes], str],
        device: str,
        isolation: Isolation,
    ) -> None:
        """`keep` puts bytes into the library in the name of the lease's job, and returns their digest."""
        self.progress = Progress(samples_total=len(lease.indices))
        self.heard = monotonic()
        self._lease = lease
        self._library = library
        self._permit = permit
        self._reserve = reserve
        self._keep = keep
        self._device = device
        self._isolation = isolation

    def inspect(self, runner: RunnerProcess) -> Ending:
        """Raises RunnerDied, FrameError, and what the library raises."""
        answer = self._ask(runner, self._about_the_model("inspect"))
        match answer.kind:
            case "inspected":
                return Inspected(translation.inspection(answer))
            case "refused":
                return ModelRefused(*translation.refusal(answer))
        return Failed(*translation.fault(answer), retry=False)

    def open(self, runner: RunnerProcess) -> Ending | None:
        """Put the job's model into a fresh runner. None: it is open. Raises as `inspect`."""
        answer = self._ask(runner, self._about_the_model("open"))
        return None if answer.kind == "opened" else _unanswered(answer)

    def prepare(self, runner: RunnerProcess) -> Ending:
        """Make what all chunks of the job need, and keep it in the job's name. Raises as `inspect`."""
        x = shared_rows.auxiliary(_present(self._lease.spec), self._library)
        d = x[0].size
        answer = self._ask(runner, translation.prepare_request(x), limit=4 * d * min(len(x), d))
        if answer.kind != "prepared":
            return _unanswered(answer)
        made = self._keep(shared_rows.packed(translation.basis(answer, n=len(x), d=d)))
        return Prepared(Preparation(artifact=made, seconds=translation.seconds(answer)))

    def run(self, runner: RunnerProcess) -> Ending:
        """Put the chunk's rows to the opened model. Raises as `inspect`."""
        lease, spec = self._lease, _present(self._lease.spec)
        samples = self._library.get(spec.samples.sha256)
        x, y = load_rows(samples, lease.indices)
        pool, basis = shared_rows.pool(spec, samples), shared_rows.basis(lease, self._library)
        request = translation.run_request(lease, spec, x, y, pool=pool, basis=basis)
        answer = self._ask(runner, request, limit=translation.answer_bytes(lease, spec))
        if answer.kind == "done":
            return Computed(self._result(answer))
        failed = _unanswered(answer)
        return replace(failed, partial=self._result(answer)) if "findings" in answer.blobs else failed

    def _about_the_model(self, kind: Literal["inspect", "open"]) -> Frame:
        card = _present(self._lease.model)
        data = self._library.get(card.sha256)
        device = "cpu" if KINDS[card.kind].is_remote else self._device  # nothing is computed here
        return translation.model_request(kind, card, data, device=device, permit=self._permit)

    def _ask(self, runner: RunnerProcess, request: Frame, *, limit: int = 0) -> Frame:
        runner.send(request)
        while (answer := runner.receive(limit=limit)).kind in ("progress", "turns"):
            self.heard = max(self.heard, monotonic())
            if answer.kind == "turns":
                runner.send(self._turns(answer))
            else:
                self.progress = translation.progress(answer, samples_total=len(self._lease.indices))
        return answer

    def _turns(self, wish: Frame) -> Frame:
        endpoint = _present(self._lease.model).endpoint
        if endpoint is None:
            raise FrameError("turns were asked for where nothing is called")
        calls, hold = translation.turns(wish, endpoint.limits)
        seconds = self._reserve(endpoint, calls, hold)
        self.heard = monotonic() + seconds  # so long it will be silent because it was told to wait
        return Frame("granted", {"seconds": seconds})

    def _result(self, answer: Frame) -> ChunkResult:
        lease, spec = self._lease, _present(self._lease.spec)
        found = translation.findings(answer, lease)
        points = translation.adversarials(answer, lease, spec)
        return ChunkResult(
            findings=found,
            adversarials=None if points is None else self._keep(points),
            queries=sum(finding.queries for finding in found),
            gradients=sum(finding.gradients for finding in found),
            http_calls=translation.http_calls(answer),
            seconds=translation.seconds(answer),
            device=translation.device(answer),
            isolation=self._isolation,
            versions=versions(),
            warnings=_warnings(spec.model),
        )


def _unanswered(answer: Frame) -> Failed:
    """A model that was accepted once, and fails now."""
    if answer.kind == "refused":
        return Failed("internal", translation.refusal(answer)[1], retry=False)
    return Failed(*translation.fault(answer), retry=False)


def _warnings(card: ModelCard) -> tuple[str, ...]:
    """What the probe of an endpoint saw that its numbers have to be read with."""
    if card.probe is None:
        return ()
    seen = {
        "endpoint_not_deterministic": not card.probe.deterministic,
        "scores_rounded": card.probe.decimals is not None,
    }
    return tuple(code for code, is_so in seen.items() if is_so)


def _present(value: T | None) -> T:
    """A lease carries a card, and a lease to run a spec: the store promises it."""
    assert value is not None
    return value
