"""A conversation under way: what it waits for, whom it is about, and who of them has left."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.driver.trial import Trial
from algorithms.seam.case import Conversation
from algorithms.seam.claims import Ended
from algorithms.seam.question import Question
from algorithms.threats.threat import Threat


@dataclass
class Talk:
    """A talk is a conversation about one sample, or about a cohort."""

    conversation: Conversation
    members: list[Trial]
    live: NDArray[np.bool_]  # (members,); shared with the Cohort, so that its method sees who has left
    answer: Any = None
    is_over: bool = False  # kept, for it is asked far more often than anyone leaves

    def stop(self, why: Ended) -> None:
        for i in np.flatnonzero(self.live):
            self.retire(int(i), why)

    def retire(self, member: int, why: Ended) -> None:
        self.live[member] = False
        self.members[member].stop(why)
        self.is_over = not self.live.any()
        if self.is_over:
            self.conversation.close()

    def next_question(self, threat: Threat) -> Question[Any] | None:
        """Send the last answer, hear the claims that follow, and return the next question: None at the end."""
        answer, self.answer = self.answer, None
        try:
            said = self.conversation.send(answer)
            while not isinstance(said, Question):
                if self.live[said.owner]:  # what is said of a sample that has left rests on answers never given
                    self.members[said.owner].hear(said, threat)
                said = next(self.conversation)
        except StopIteration:
            self.stop("finished")
            return None
        return said
