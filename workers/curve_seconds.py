"""When the points of a search's curve were reached: seconds beside a finding, which itself knows no clock."""

from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from typing import Any

from algorithms.driver.progress import RunProgress
from algorithms.seam.claims import Details, Finding
from algorithms.searches.splitting.curve import MOST

DECIMALS = 3


class CurveSeconds:
    """Curve seconds are counted from the run's begin, which its samples share.

    A point that is first seen at one beat, or seen to have moved, follows from answers that were in at the beat before:
    between the two, conversations were held, and the next questions were asked.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._began = self._beat = clock()
        self._curves = dict[int, list[Any]]()
        self._seconds = dict[int, list[float]]()

    def look(self, progress: RunProgress) -> None:
        """Take in the curves of all samples; it is called once a beat."""
        now = self._clock()
        for trial in progress.trials:
            if (curve := _curve(trial.notes)) is not None:
                self._see(trial.index, curve)
        self._beat = now

    def told(self, findings: Iterable[Finding]) -> dict[int, list[float]]:
        """Give the seconds of each point in the findings' curves, by the index of the upload."""
        told = dict[int, list[float]]()
        for finding in findings:
            if (curve := _curve(finding.details)) is not None:
                self._see(finding.index, curve)
                told[finding.index] = self._seconds[finding.index]
        return told

    def _see(self, index: int, curve: list[Any]) -> None:
        known = self._curves.get(index, [])
        if curve is known:
            return
        kept, said = self._seconds.get(index, []), round(self._beat - self._began, DECIMALS)
        stood = [at < len(known) and known[at] == point for at, point in enumerate(curve)]
        self._curves[index] = curve
        self._seconds[index] = [kept[at] if same else said for at, same in enumerate(stood)]


def fit(seconds: Mapping[int, tuple[float, ...]], findings: Iterable[Finding]) -> bool:
    """Tell whether seconds are about points of these findings' curves, one for each."""
    points = {finding.index: len(_curve(finding.details) or ()) for finding in findings}
    return all(points.get(index) == len(said) for index, said in seconds.items())


def _curve(details: Details) -> list[Any] | None:
    curve = details.get("curve")
    return curve if isinstance(curve, list) and len(curve) <= MOST else None
