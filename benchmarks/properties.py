"""Properties of the competition's acasxu, decided as `brinell verify` and `POST /v1/properties` decide them.

    python -m benchmarks.properties [--seconds 116] [--set acasxu]

45 networks of five inputs, two properties: 90 instances with a verdict each. `--seconds` are the processor's. No answer
may contradict the competition's, and each sat is what onnxruntime answered. Data: BRINELL_BENCH_DATA. Set
OMP_NUM_THREADS=1.
"""

import argparse
import csv
import time

from benchmarks import data
from models.onnx.gate.check import check
from models.onnx.properties.deciding import decide
from models.onnx.properties.verdict import PropertyVerdict


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=116.0, help="of the processor, for an instance at the most")
    parser.add_argument("--set", default="acasxu", choices=["acasxu", "mnist_fc"])
    options = parser.parse_args()
    data.need()
    rows = list(csv.DictReader((data.FOLDER / "verification" / options.set / "verdicts.csv").open()))
    decided, wrong, all_seconds = 0, 0, 0.0
    for row in rows:
        found, seconds = timed(options.set, row, options.seconds)
        is_decided = found.answer in ("sat", "unsat")
        decided, all_seconds = decided + is_decided, all_seconds + seconds
        wrong += is_decided and row["consensus"] in ("sat", "unsat") and found.answer != row["consensus"]
        print(
            f"{row['onnx']} {row['vnnlib']} {row['consensus']} {found.answer} {found.domains} {seconds:.1f} s",
            flush=True,
        )
    print(f"{options.set}: {decided} of {len(rows)} decided, {wrong} wrong, {all_seconds:.0f} processor seconds in all")


def timed(name: str, row: dict[str, str], seconds: float) -> tuple[PropertyVerdict, float]:
    """Decide about one instance: the verdict, and the processor seconds it took."""
    folder = data.FOLDER / "verification" / name
    model, text = check((folder / row["onnx"]).read_bytes(), is_classifier=False), (folder / row["vnnlib"]).read_text()
    began = time.process_time()
    found = decide(model, text, lambda: time.process_time() - began > seconds)
    return found, time.process_time() - began


if __name__ == "__main__":
    main()
