"""Where tests have their models opened: on the processor, or on a card where `BRINELL_DEVICE=cuda` (`make card`)."""

import os

from models.device import Device
from workers.confinement.levels import RunnerKind
from workers.confinement.resources import CARD_MEMORY_BYTES, MEMORY_BYTES

DEVICE: Device = "cuda" if os.environ.get("BRINELL_DEVICE") == "cuda" else "cpu"
RUNNER: RunnerKind = "card" if DEVICE == "cuda" else "compute"
RUNNER_MEMORY = CARD_MEMORY_BYTES if DEVICE == "cuda" else MEMORY_BYTES
