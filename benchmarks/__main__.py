"""`make bench`: every comparison in turn, each in a process of its own. `python -m benchmarks NAME...`: some of them.

--quick takes tiny sizes: it shows that everything runs, and its figures mean nothing.
"""

import argparse
import subprocess
import sys

PEERS = (
    "clever_vs_art",
    "square_rows",
    "hopskipjump_vs_peers",
    "whole_way",
    "crown_batching",
    "alpha_crown",
    "tiny_model",
    "large_inputs",
    "opening",
    "runner_memory",
    "audit",
    "cores",
    "earlier",
    "carlini_wagner",
    "zoo",
    "tenants",
    "autoattack",
    "attack_speed",
    "score_attack_speed",
    "soft_label",
    "hard_label",
    "decision",
    "substitute",
    "spanning",
    "autozoom",
    "input_free",
)  # these know --quick
OTHERS: tuple[str, ...] = (
    "exact_distances",
    "nearest_neighbor",
    "endpoint_concurrency",
    "clever_repeatability",
    "calibration",
    "optimality",
    "complete_search",
    "properties",
    "closed_brackets",
    "close",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PEERS + OTHERS))
    parser.add_argument("--quick", action="store_true")
    wanted = parser.parse_args()
    failed = 0
    for name in wanted.names or PEERS + OTHERS:
        options = ["--quick"] if wanted.quick and name in PEERS else []
        failed |= subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *options], check=False).returncode
    return failed


if __name__ == "__main__":
    sys.exit(main())
