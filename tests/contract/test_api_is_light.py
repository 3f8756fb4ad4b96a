"""The API process stays small and quick to start, for it loads no tensor library, no scipy and no plotting."""

import json
import subprocess
import sys

HEAVY = ("torch", "onnx", "onnxruntime", "onnx2fx", "scipy", "matplotlib")
LOOK = f"""
import json, sys
import service.app
import service.main
print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
"""


def test_importing_the_application_loads_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
