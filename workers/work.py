"""What a lease asks of a runner, question by question. Model code runs at the other end of the pipe, never here."""

from collections.abc import Callable
from time import monotonic
from typing import TypeVar

from jobs.record import ChunkResult, Lease, Progress
from models.library import Library
from models.samples import load_rows
from workers import translation
from workers.endings import Computed, Ending, Failed, Inspected, ModelRefused
from workers.frames import Frame
from workers.limits import Isolation
from workers.runner_process import RunnerProcess
from workers.versions import versions

T = TypeVar("T")


class Work:
    """One chunk, or one inspection. Another thread may read `progress`, where it stands, and `heard`, since when."""

    def __init__(
        self, lease: Lease, library: Library, *, keep: Callable[[bytes], str], device: str, isolation: Isolation
    ) -> None:
        """`keep` puts bytes into the library in the name of the lease's job, and returns their digest."""
        self.progress = Progress(samples_total=len(lease.indices))
        self.heard = monotonic()
        self._lease = lease
        self._library = library
        self._keep = keep
        self._device = device
        self._isolation = isolation

    def inspect(self, runner: RunnerProcess) -> Ending:
        """Raises RunnerDied, FrameError, and what the library raises."""
        card = _present(self._lease.model)
        request = translation.inspect_request(card, self._library.get(card.sha256), device=self._device)
        answer = self._ask(runner, request)
        match answer.kind:
            case "inspected":
                return Inspected(translation.inspection(answer))
            case "refused":
                return ModelRefused(*translation.refusal(answer))
        return Failed("model_fault", translation.fault(answer), retry=False)

    def open(self, runner: RunnerProcess) -> Ending | None:
        """Put the job's model into a fresh runner. None: it is open. Raises as `inspect`."""
        card = _present(self._lease.spec).model
        answer = self._ask(runner, translation.open_request(card, self._library.get(card.sha256), device=self._device))
        return None if answer.kind == "opened" else _unanswered(answer)

    def run(self, runner: RunnerProcess) -> Ending:
        """Put the chunk's rows to the opened model. Raises as `inspect`."""
        lease, spec = self._lease, _present(self._lease.spec)
        x, y = load_rows(self._library.get(spec.samples.sha256), lease.indices)
        request = translation.run_request(lease, spec, x, y)
        answer = self._ask(runner, request, limit=translation.answer_bytes(lease, spec))
        return Computed(self._result(answer)) if answer.kind == "done" else _unanswered(answer)

    def _ask(self, runner: RunnerProcess, request: Frame, *, limit: int = 0) -> Frame:
        runner.send(request)
        while (answer := runner.receive(limit=limit)).kind == "progress":
            self.progress = translation.progress(answer, samples_total=len(self._lease.indices))
            self.heard = monotonic()
        return answer

    def _result(self, answer: Frame) -> ChunkResult:
        lease, spec = self._lease, _present(self._lease.spec)
        found = translation.findings(answer, lease)
        points = translation.adversarials(answer, lease, spec)
        return ChunkResult(
            findings=found,
            adversarials=None if points is None else self._keep(points),
            queries=sum(finding.queries for finding in found),
            gradients=sum(finding.gradients for finding in found),
            seconds=translation.seconds(answer),
            device=translation.device(answer),
            isolation=self._isolation,
            versions=versions(),
        )


def _unanswered(answer: Frame) -> Failed:
    """A model that was accepted once, and fails now."""
    if answer.kind == "refused":
        return Failed("internal", translation.refusal(answer)[1], retry=False)
    return Failed("model_fault", translation.fault(answer), retry=False)


def _present(value: T | None) -> T:
    """A lease to inspect carries a card, a lease to run carries a spec: the store promises it."""
    assert value is not None
    return value
