"""A runner that shuts itself in less strictly than it was asked to, as one would whose layers were lost on the way."""

import runpy
import sys

if __name__ == "__main__":
    sys.argv[-1] = "basic"
    runpy.run_module("workers.runner", run_name="__main__", alter_sys=True)
