"""A worker on a card: jobs through the queue, locked up as on the processor, and results that name the card."""

from collections.abc import Iterator
from pathlib import Path

import onnxruntime
import pytest

from tests.e2e.machine import Machine

pytestmark = pytest.mark.card


@pytest.fixture
def machine(empty_valkey_url: str, tmp_path: Path) -> Iterator[Machine]:
    found = Machine(empty_valkey_url, tmp_path)
    found.worker()
    yield found
    found.stop()


@pytest.mark.parametrize("name", ["pgd", "clever", "crown", "square"])
def test_a_job_on_the_card_ends_and_says_on_which(machine: Machine, card: str, name: str) -> None:
    model, samples = machine.upload_model(), machine.upload_samples()
    assert {"gradients", "bounds"} <= set(model.offers), model.withheld
    asked = {"method": {"name": name}, "threat": {"norm": "linf"}, "samples": {"indices": [0, 1, 2]}}
    job = machine.ended(machine.submit(model, samples, asked, chunk_size=2))
    assert job.state == "succeeded", job.error
    assert job.summary is not None
    assert job.summary.device == "cuda"
    told = job.summary.versions
    assert told["card"] == card
    assert {"cuda", "cudnn", "batch"} <= told.keys()
    has_provider = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    assert told["provider"] == ("CUDAExecutionProvider" if has_provider else "CPUExecutionProvider")


def test_the_strictest_level_that_the_machine_has_is_reached_on_a_card_too(machine: Machine) -> None:
    """`strict` on a runner of the card computes there: it does not fall back to the processor."""
    model, samples = machine.upload_model(), machine.upload_samples()
    asked = {"method": {"name": "pgd"}, "threat": {"norm": "linf"}, "samples": {"indices": [0]}}
    summary = machine.ended(machine.submit(model, samples, asked, chunk_size=1)).summary
    assert summary is not None
    assert (summary.device, summary.isolation) == ("cuda", "strict"), summary.isolation_denied
