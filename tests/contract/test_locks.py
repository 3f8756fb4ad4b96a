"""The locks of the images hold all that an image needs, in the versions of constraints.txt, each file by its hash."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKS = {"service": ("service",), "worker-cpu": ("workers", "cpu"), "worker-gpu": ("workers", "gpu")}
UNLOCKED = {"torch"}  # which build there is depends on the index
MAKERS = {"hatchling", "packaging", "pathspec", "pluggy", "tomlkit", "trove-classifiers"}  # of the editable install
OF_THE_CARD = {"flatbuffers", "packaging", "protobuf"}  # needs of onnxruntime-gpu, which is not installed here
IMAGE = {"python_version": "3.11", "python_full_version": "3.11.14", "sys_platform": "linux"}
EVERY_LOCK = pytest.mark.parametrize("name", LOCKS)


def entries(name: str) -> dict[str, tuple[str, list[str]]]:
    """package -> version, hashes"""
    text = (ROOT / "docker" / f"{name}.lock").read_text().replace("\\\n", " ")
    found = {}
    for line in text.splitlines():
        requirement, *hashes = line.split()
        package, _, version = requirement.partition("==")
        found[str(canonicalize_name(package.partition("[")[0]))] = (version, hashes)
    return found


def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line.partition("==") for line in lines if not line.startswith("#")]
    return {str(canonicalize_name(package)): version for package, _, version in pins}


def needed(extras: tuple[str, ...]) -> set[str]:
    """What these extras lead to, by what is installed here says of itself. What is not here has no needs."""
    ways = [Requirement(text) for text in (*PROJECT["dependencies"], *(t for extra in extras for t in EXTRAS[extra]))]
    met: set[tuple[str, frozenset[str]]] = set()
    while ways:
        way = ways.pop()
        package, asked = str(canonicalize_name(way.name)), frozenset(way.extras)
        if package == "brinell":
            ways += [Requirement(text) for extra in asked for text in EXTRAS[extra]]
        elif (package, asked) not in met:
            met.add((package, asked))
            ways += _needs_of(package, asked)
    return {package for package, _ in met}


def _needs_of(package: str, extras: frozenset[str]) -> list[Requirement]:
    try:
        stated = [Requirement(text) for text in metadata.requires(package) or []]
    except metadata.PackageNotFoundError:
        return []
    environments = [{**IMAGE, "extra": extra} for extra in ("", *extras)]
    return [r for r in stated if r.marker is None or any(map(r.marker.evaluate, environments))]


@EVERY_LOCK
def test_every_package_of_a_lock_is_pinned_as_in_the_constraints_and_by_hash(name: str) -> None:
    pinned, known = entries(name), constraints()
    assert {package: version for package, (version, _) in pinned.items()} == {p: known.get(p) for p in pinned}
    for package, (_, hashes) in pinned.items():
        assert hashes and all(re.fullmatch("--hash=sha256:[0-9a-f]{64}", one) for one in hashes), package


@EVERY_LOCK
def test_a_lock_holds_all_that_its_image_needs_and_nothing_else(name: str) -> None:
    locked, wanted = set(entries(name)), needed(LOCKS[name]) - UNLOCKED
    assert locked | OF_THE_CARD >= wanted | MAKERS
    assert locked <= wanted | MAKERS | (OF_THE_CARD if name == "worker-gpu" else set())


def test_what_the_images_install_is_locked_but_for_what_torch_brings() -> None:
    commands = {
        file.name: re.findall(
            r"pip install --no-cache-dir (.*?)(?: \\| && pip check)?$", file.read_text(), re.MULTILINE
        )
        for file in sorted((ROOT / "docker").glob("*.Dockerfile"))
    }
    by_lock = "--no-deps --require-hashes --requirement {}.lock"
    torch = '--no-build-isolation --constraint constraints.txt --editable ".[workers,{}]"'
    assert commands == {
        "service.Dockerfile": [by_lock.format("service"), '--no-deps --no-build-isolation --editable ".[service]"'],
        "worker.Dockerfile": [
            by_lock.format("worker-gpu"),
            torch.format("gpu"),
            by_lock.format("worker-cpu"),
            torch.format("cpu"),
        ],
    }
