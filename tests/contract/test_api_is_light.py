"""The API process stays small and quick to start: no tensor library, no scipy, no plotting."""

import json
import subprocess
import sys

HEAVY = ("torch", "onnx", "onnxruntime", "onnx2fx", "scipy", "matplotlib")
MOST_SECONDS = 2.0
LOOK = f"""
import json, sys, time
started = time.process_time()
import service.app
import service.main
seconds = time.process_time() - started
print(json.dumps({{"seconds": seconds, "heavy": [name for name in {HEAVY!r} if name in sys.modules]}}))
"""


def test_importing_the_application_loads_nothing_heavy_and_takes_less_than_two_seconds() -> None:
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True, timeout=60)
    seen = json.loads(done.stdout)
    assert seen["heavy"] == []
    assert seen["seconds"] < MOST_SECONDS  # of this process: a busy machine does not count
