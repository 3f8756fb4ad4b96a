"""A model behind an address, as a model under audit: rows in batches, several requests under way at a time."""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from typing import Any, NoReturn, TypeVar, final

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json

from algorithms.errors import ModelFault
from algorithms.seam.access import Access, Labels, Rows, Scores
from algorithms.seam.labeling import named
from models.cards import Endpoint
from models.endpoints import PROTOCOLS, _likeliest, _reading
from models.endpoints._client import EndpointClient
from models.endpoints._columns import Columns
from models.endpoints._faults import bad_response
from models.endpoints._guard import Resolve, resolve
from models.endpoints._likeliest import Likeliest
from models.endpoints._permit import Permit
from models.endpoints._urls import address_of

T = TypeVar("T")

LOOK_SECONDS = 0.1  # between looks at whether the permit still stands
AHEAD = 2  # batches written per request under way: the next one is ready when an answer comes in

OFFERS: dict[str, frozenset[Access]] = {
    "logits": frozenset({Access.LABELS, Access.SCORES}),
    "probabilities": frozenset({Access.LABELS, Access.SCORES}),
    "labels": frozenset({Access.LABELS}),
}


@final
class RemoteClassifier:
    """A remote classifier speaks `algorithms.seam.access.Model`.

    What a row is answered in company is the endpoint's own affair. `columns`: what is known of their names already.
    """

    substitutes = None

    def __init__(
        self,
        endpoint: Endpoint,
        permit: Permit,
        *,
        max_batch: int,
        resolve: Resolve = resolve,
        columns: Columns | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._protocol = PROTOCOLS[endpoint.protocol]
        self._options = self._protocol.Options.model_validate(endpoint.options)
        self._max_batch = max_batch
        self._loop = asyncio.Runner()
        address = address_of(endpoint.url, {endpoint.origin} if permit.trusted else frozenset())
        self._is_withdrawn = permit.is_withdrawn
        self._client = EndpointClient(address, permit, seconds=endpoint.limits.timeout_seconds, resolve=resolve)
        self.shape = endpoint.input.shape
        self._named = endpoint.output.named
        self._columns = columns or Columns()
        self.classes = self._named.count
        self.fewest_classes = self.classes  # that a row was answered by so far
        self.gives_probabilities = endpoint.output.kind == "probabilities"
        self._nothing = np.zeros(0, np.int64) if endpoint.output.kind == "labels" else np.zeros((0, self.classes), "f4")
        self.offers = dict.fromkeys(OFFERS[endpoint.output.kind], self)

    def computed_with(self) -> Mapping[str, str]:
        return {}  # its own affair

    def labels(self, rows: Rows) -> Labels:
        """Answer labels, (m,): of scores the largest, the first of equals."""
        answer = self._ask(rows)
        return answer if answer.ndim == 1 else named(answer)

    def scores(self, rows: Rows) -> Scores:
        """Answer scores as the endpoint gives them out, (m, classes): logits or probabilities."""
        return self._ask(rows)

    def close(self) -> None:
        self._loop.run(self._client.aclose())
        self._loop.close()

    def _ask(self, rows: Rows) -> NDArray[Any]:
        """(m, *shape) -> (m, classes) float32, or (m,) int64. Raises ModelFault."""
        sent = rows.astype(self._endpoint.input.dtype)
        batches = [sent[i : i + self._max_batch] for i in range(0, len(sent), self._max_batch)]
        try:
            return np.concatenate([self._nothing, *self._loop.run(self._while_permitted(self._answers(batches)))])
        except* ModelFault as faults:
            fault = _first(faults)
        raise fault

    async def _while_permitted(self, answers: Coroutine[Any, Any, T]) -> T:
        """Ends what is asked, and what waits for its turn, as soon as the permit is withdrawn."""
        async with asyncio.TaskGroup() as group:
            looking = group.create_task(self._look())
            found = await answers
            looking.cancel()
        return found

    async def _look(self) -> NoReturn:
        while not self._is_withdrawn():
            await asyncio.sleep(LOOK_SECONDS)
        raise ModelFault("The job was cancelled.")

    async def _answers(self, batches: list[Rows]) -> list[NDArray[Any]]:
        """In the order of the batches."""
        answers: list[Any] = [None] * len(batches)
        waiting = iter(enumerate(batches))
        slots = asyncio.Semaphore(self._endpoint.limits.concurrency)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(len(batches), AHEAD * self._endpoint.limits.concurrency)):
                group.create_task(self._work_off(waiting, slots, answers))
        return answers

    async def _work_off(
        self, waiting: Iterator[tuple[int, Rows]], slots: asyncio.Semaphore, answers: list[Any]
    ) -> None:
        for position, rows in waiting:
            body = to_json(self._protocol.encode(rows, self._options))
            async with slots:
                answer = await self._client.post(body)
            answers[position] = self._numbers(answer, len(rows))

    def _numbers(self, answer: bytes, rows: int) -> NDArray[Any]:
        tree, kind = _reading.read(answer), self._endpoint.output.kind
        try:
            found = self._protocol.decode(tree, self._options)
            names = [] if isinstance(found, Likeliest) else self._protocol.names(tree, self._options)
        except (LookupError, TypeError, ValueError, AttributeError, StopIteration):
            raise bad_response(
                "The endpoint's answer does not have the form of its protocol (an error told with status 200 has not"
                " either); check both."
            ) from None
        if kind == "labels":
            if isinstance(found, Likeliest):
                raise bad_response("The option classes goes with scores; register output.kind logits or probabilities.")
            return _reading.labels(found, rows, self._named)
        if isinstance(found, Likeliest):
            some, fewest = _likeliest.scores(found, rows, self._named, kind)
            self.fewest_classes = min(self.fewest_classes, fewest)
            return some
        scores = _reading.scores(found, rows, self.classes, kind)
        self._columns.are_numbers = np.array(found, dtype=object).size == rows
        self._columns.check(names, scores)
        return scores


def _first(faults: BaseExceptionGroup[ModelFault]) -> ModelFault:
    """One request's fault ends them all."""
    found: BaseException = faults
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, ModelFault)
    return found
