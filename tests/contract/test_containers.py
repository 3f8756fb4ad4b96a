"""What docker-compose.yml and the Dockerfiles promise about locking models in and losing nothing."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from jobs.installation.settings import Settings
from workers.confinement.openable import CODE

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILES = sorted((ROOT / "docker").glob("*.Dockerfile"))


def queue(name: str) -> str:
    """The queue a worker takes its chunks from: the image's, unless its command says otherwise."""
    command = SERVICES[name].get("command", ["-Q", "compute"])
    return command[command.index("-Q") + 1]


def is_worker(name: str) -> bool:
    return "worker.Dockerfile" in SERVICES[name].get("build", {}).get("dockerfile", "")


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_read_only_without_capabilities_and_bounded(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]


WIDER = (
    *("privileged", "cap_add", "devices", "device_cgroup_rules", "pid", "ipc", "uts", "userns_mode", "cgroup"),
    *("network_mode", "volumes_from", "extra_hosts", "sysctls", "ulimits", "user"),
)


@pytest.mark.parametrize("name", [name for name in SERVICES if is_worker(name)])
def test_a_worker_has_dockers_default_profile_and_nothing_of_the_host(name: str) -> None:
    """Under it `tests/e2e/sandbox` proves that level strict holds; what widens it would need another proof."""
    service = SERVICES[name]
    assert [key for key in WIDER if key in service] == []
    assert service["volumes"] == ["library:/var/lib/brinell"]
    (scratch,) = service["tmpfs"]
    assert {"noexec", "nosuid", "nodev"} <= set(scratch.split(":")[1].split(","))
    assert "size=" in scratch
    assert service["environment"]["BRINELL_SANDBOX"] == "${BRINELL_SANDBOX:-auto}"


def test_images_of_workers_bring_compiled_code_since_runners_may_write_none() -> None:
    text = (ROOT / "docker" / "worker.Dockerfile").read_text()
    compiled = re.findall(r"^RUN .*python -m compileall -q ([\w ]+)$", text, re.MULTILINE)
    assert [set(packages.split()) for packages in compiled] == [set(CODE)] * text.count("COPY workers")


@pytest.mark.parametrize("name", [name for name in SERVICES if is_worker(name) and queue(name) != "probe"])
def test_a_worker_that_opens_uploads_meets_redis_and_nobody_else(name: str) -> None:
    (network,) = SERVICES[name]["networks"]
    assert COMPOSE["networks"][network]["internal"] is True
    others = {other for other in SERVICES if network in SERVICES[other]["networks"] and not is_worker(other)}
    assert others == {"redis"}


def test_each_queue_has_its_workers_and_there_is_one_inspector_more_than_a_tenant_may_keep_busy() -> None:
    workers = [name for name in SERVICES if is_worker(name)]
    assert {queue(name) for name in workers} == {"compute", "inspect", "probe"}
    assert '"-Q", "compute"' in (ROOT / "docker" / "worker.Dockerfile").read_text()
    (slots,) = (int(SERVICES[name]["command"][-1]) for name in workers if queue(name) == "inspect")
    assert slots > Settings().inspections_in_flight


def test_redis_is_on_internal_networks_only_and_publishes_no_port() -> None:
    assert all(COMPOSE["networks"][network]["internal"] for network in SERVICES["redis"]["networks"])
    assert "ports" not in SERVICES["redis"]


def test_redis_has_every_write_on_disk_before_it_answers_and_evicts_nothing() -> None:
    started = " ".join(SERVICES["redis"]["command"])
    assert "'appendonly yes' 'appendfsync always'" in started
    assert "maxmemory-policy noeviction" in started


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.stem)
def test_images_run_as_a_user_of_no_rights_from_a_pinned_base(file: Path) -> None:
    text = file.read_text()
    stages = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert all(re.fullmatch(r"python:\d+\.\d+\.\d+-slim-\w+|base", stage) for stage in stages)
    finals = [stage for stage in re.split(r"^FROM ", text, flags=re.MULTILINE)[1:] if "COPY algorithms" in stage]
    assert finals
    assert all("USER 10001" in stage for stage in finals)


def test_the_image_of_the_api_holds_no_tensor_library() -> None:
    (extras,) = re.findall(r'--editable "\.\[(.+)\]"', (ROOT / "docker" / "service.Dockerfile").read_text())
    assert extras == "service"
