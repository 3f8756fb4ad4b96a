"""What a result was computed with. Of libraries, what their metadata say: this process imports none of them."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from jobs.installation.version import VERSION

PACKAGES = ("numpy", "torch", "onnx", "onnx2fx", "onnxruntime", "onnxruntime-gpu")


def versions() -> dict[str, str]:
    """{package: version}, and the kind of `cpu`: bit-equality is promised for one of it and one build."""
    return {"brinell": VERSION, **{name: found for name in PACKAGES if (found := _version(name))}, "cpu": _cpu()}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown"
