"""A supervisor whose runner spins: `... tests.e2e.sandbox.holder FOLDER` says its number, and waits to be killed."""

import sys
import time
from pathlib import Path

from tests.e2e.sandbox.attempt import NOBODY
from tests.e2e.sandbox.table import ENDINGS
from tests.e2e.sandbox.taken_over import begun, order

if __name__ == "__main__":
    process = begun("strict", "probe", Path(sys.argv[1]))
    process.wait_until_ready()
    order(process, "probe", ENDINGS["spin"], NOBODY)
    sys.stdout.write(f"{process.pid}\n")
    sys.stdout.flush()
    time.sleep(3600)
