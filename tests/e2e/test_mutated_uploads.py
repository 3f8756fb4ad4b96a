"""Some seconds of `make fuzz`: mutants of the bundled models, and what is handmade and ends soon."""

import os
import tempfile
from functools import partial
from pathlib import Path

import pytest

from brinell.machine.local import Installation
from tests.faults.history import History, read
from tests.fuzz.checker import judge
from tests.fuzz.handmade import WEAKNESSES
from tests.fuzz.mutations import mutant
from tests.fuzz.seeds import bundled
from tests.fuzz.sitting import File, Target, mutant_file, try_all
from tests.patience import PATIENCE_SECONDS
from tests.unit.models.onnx.test_gate import as_bytes

pytestmark = pytest.mark.slow

MUTANTS = 25
OF_KERNELS = "memory of kernels"


def test_mutants_kill_nobody_and_leave_nothing(
    installation: Installation, installation_folder: Path, tmp_path: Path
) -> None:
    temporary = Path(tempfile.gettempdir())
    here = Target(
        installation.url, installation.api_key, os.getpid(), installation_folder / "library", temporary, str(tmp_path)
    )
    seeds = bundled()
    made = [partial(lambda n: mutant_file(str(n), mutant(seeds, 9, n)), number) for number in range(MUTANTS)]
    built = [build for build in WEAKNESSES[OF_KERNELS] if not isinstance(build, str)]
    made += [partial(File, f"{OF_KERNELS} {n}", "by hand", as_bytes(build())) for n, build in enumerate(built)]
    history = History(tmp_path / "history.jsonl")
    try_all(here, made, history, callers=1)
    history.close()
    verdict = judge(read(tmp_path / "history.jsonl"))
    assert verdict.complaints(PATIENCE_SECONDS) == []
    assert verdict.tried == len(made)
    assert verdict.parsed > MUTANTS / 2 and verdict.opened > MUTANTS / 10
