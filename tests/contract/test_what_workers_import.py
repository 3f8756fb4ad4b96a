"""Celery processes fork, so they meet no tensor library; the runner holds models, so it meets no queue and no store."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "onnx", "onnxruntime", "onnx2fx", "scipy", "matplotlib")
PRIVATE = (
    *("redis", "celery", "kombu", "audits", "fastapi", "starlette", "obstore", "pydantic_settings", "cryptography"),
    *("jobs.store", "jobs.work.queue", "jobs.installation.settings", "jobs.credentials"),
)


@pytest.mark.parametrize(
    ("modules", "forbidden"),
    [
        ("workers.app, workers.tasks", HEAVY),
        ("workers.runner.__main__, workers.runner.answering", PRIVATE),
        ("workers.kinds", HEAVY + PRIVATE),
    ],
    ids=["supervisor", "runner", "the kinds of work, loaded by both"],
)
def test_a_fresh_interpreter_that_imports_it_finds_none_of_these(modules, forbidden):
    program = f"import sys, {modules}; print(*(name for name in {forbidden!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    ("remote", "forbidden"), [(True, HEAVY), (False, ("httpcore2", "models.endpoints"))], ids=["probe", "compute"]
)
def test_a_runner_of_one_sort_of_model_holds_no_library_of_the_other(remote, forbidden):
    program = (
        f"import sys; from models.opening import load_libraries; load_libraries(remote={remote}); "
        f"print(*(name for name in {forbidden!r} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_what_is_transposed_by_differentiation_imports_no_compiler():
    """It would look for a temporary directory when first used, and a runner that is shut in has none."""
    program = (
        "import sys, torch; from models.onnx.bounds.operators.linear_maps import transposed; "
        "from models.onnx.bounds.linear.slopes import Slopes; pad = lambda x: torch.nn.functional.pad(x, (1, 0)); "
        "found = transposed(pad, [(1,)])(Slopes(torch.tensor([[2.0, 3.0]]), (2,))); "
        "print('torch._dynamo' in sys.modules, found[0].numbers.tolist())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False [[3.0]]"


def test_a_runner_finds_the_checkout_in_an_empty_directory_and_with_an_empty_environment(tmp_path):
    done = subprocess.run(
        [sys.executable, "-I", "-c", "import workers.confinement.confining"],
        cwd=tmp_path,
        env={},
        capture_output=True,
    )
    assert done.returncode == 0, "the editable install's .pth must name the checkout"


def test_before_it_is_confined_a_runner_has_one_thread_and_no_numpy():
    program = "import sys, workers.runner; print('numpy' in sys.modules, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
