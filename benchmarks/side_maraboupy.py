"""The side of `maraboupy`: one box and one class after the other, which Marabou says can be reached, or cannot."""

import re
import time
import warnings
from pathlib import Path
from typing import Any

from benchmarks.sides import serve

with warnings.catch_warnings():  # of parsers that it has not
    warnings.simplefilter("ignore")
    from maraboupy import Marabou, MarabouCore, MarabouUtils  # type: ignore[import-not-found]


def decide(model: str, properties: str, seconds: float) -> dict[str, Any]:
    """Decide whether some rival reaches the label within the box: sat, unsat or unknown, within so many seconds."""
    text, began = Path(properties).read_text(), time.perf_counter()
    for rival, label in re.findall(r"\(>= Y_(\d+) Y_(\d+)\)", text):
        left = seconds - (time.perf_counter() - began)
        verdict = _reached(model, text, int(rival), int(label), int(left)) if left >= 1 else "unknown"
        if verdict != "unsat":
            return {"verdict": verdict}
    return {"verdict": "unsat"}


def _reached(model: str, text: str, rival: int, label: int, seconds: int) -> str:
    net = Marabou.read_onnx(model)
    inputs, outputs = net.inputVars[0].flatten(), net.outputVars[0].flatten()
    for sign, at, end in re.findall(r"\(assert \(([<>])= X_(\d+) (\S+)\)\)", text):
        (net.setUpperBound if sign == "<" else net.setLowerBound)(inputs[int(at)], float(end))
    above = MarabouUtils.Equation(MarabouCore.Equation.GE)
    above.addAddend(1.0, outputs[rival])
    above.addAddend(-1.0, outputs[label])
    above.setScalar(0.0)
    net.addEquation(above)
    options = Marabou.createOptions(verbosity=0, timeoutInSeconds=seconds)
    code, _, _ = net.solve(verbose=False, options=options)
    return code if code in ("sat", "unsat") else "unknown"


if __name__ == "__main__":
    serve({"decide": decide})
