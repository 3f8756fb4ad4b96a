"""All attempts, in the order in which they are made."""

from tests.e2e.sandbox.attempt import Attempt
from tests.e2e.sandbox.attempts import endings, kernel, neighbors, network, offspring, others, reading, writing

ROOMS = (reading, writing, network, others, neighbors, offspring, kernel)
ATTEMPTS: dict[str, Attempt] = {attempt.name: attempt for room in ROOMS for attempt in room.ATTEMPTS}
ENDINGS: dict[str, Attempt] = {attempt.name: attempt for attempt in endings.ATTEMPTS}
