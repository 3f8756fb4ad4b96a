"""The rows that a substitute learns from, as one stage of a job leaves them to the next."""

import numpy as np

from algorithms.artifacts.answered import HELD_OUT, LABELS, ROWS, SCORES, AnsweredRows
from algorithms.artifacts.wish import Arrays
from algorithms.attacks.substitute.choosing import unseen
from algorithms.seam.access import Access
from jobs.spec import JobSpec
from jobs.work.lease import JobLease
from models.named_arrays import unpacked
from models.samples import load_rows
from workers.kind import Desk


def read(lease: JobLease, desk: Desk) -> Arrays:
    """Reads what the stage before left; the first one begins with the first rows of the auxiliary samples, each once.

    A row that leaves the box is moved to its edge. Held-out rows come first. Raises NotAsDeclared.
    """
    spec, wanted = lease.spec, wanted_of(lease.spec)
    if lease.prepared is not None:
        declared = wanted.declared(spec.shape, scored(lease))
        return unpacked(desk.library.get(lease.prepared.artifact), declared)
    card = spec.auxiliary
    assert card is not None  # only such a job has the stage
    x, _ = load_rows(desk.library.get(card.sha256), range(wanted.rounds[0]))
    x = spec.threat.threat(spec.shape).clip(x, x)
    seeds, held_out = x[: wanted.seed_rows], x[wanted.seed_rows :]
    seeds = seeds[unseen(seeds, seeds[:0])]
    held_out = held_out[unseen(held_out, seeds)]
    return {
        ROWS: np.concatenate([held_out, seeds]),
        LABELS: np.zeros(0, np.int64),
        SCORES: np.zeros((0, scored(lease)), np.float32),
        HELD_OUT: np.array([len(held_out)], np.int64),
    }


def wanted_of(spec: JobSpec) -> AnsweredRows:
    """Returns what the job's method wants answered."""
    wanted = spec.wanted
    assert isinstance(wanted, AnsweredRows)
    return wanted


def scored(lease: JobLease) -> int:
    """Counts the scores that the model gives for a row; 0: it gives labels alone."""
    model = lease.spec.model
    return model.classes.count if Access.SCORES in model.offers else 0
