"""Real commands, real servers, and the exit code of every ending."""

import json
import os
import signal
import socket
from contextlib import suppress
from itertools import islice

import pytest

from brinell.client import Client
from tests.e2e.command_line import family, finish, gone, make_folder, run, start, up
from tests.patience import PATIENCE_SECONDS, until

pytestmark = pytest.mark.slow
DENSE = "examples/digits/model_provable.onnx"  # scored in a fraction of what convolutions take
SCORE = ("score", DENSE, "--samples", "samples.npz", "--preset", "quick")


@pytest.fixture
def client(folder):
    with Client((folder / ".brinell/url").read_text().strip(), (folder / ".brinell/api-key").read_text().strip()) as it:
        yield it


def test_a_score_is_printed_and_ends_with_0(folder):
    code, out, err = run(*SCORE, "--limit", "2", folder=folder)
    assert code == 0, err
    assert "CLEVER l2" in out
    assert "Scoring: 100%" in err
    assert len([line for line in out.splitlines() if line.lstrip()[:1] in {"0", "1"}]) == 2


def test_the_same_seed_prints_the_same_numbers(folder):
    first, second = (json.loads(run(*SCORE, "--limit", "1", "--json", folder=folder)[1]) for _ in range(2))
    assert first["findings"] == second["findings"]
    assert first["job"]["id"] != second["job"]["id"]


def test_what_is_no_model_ends_with_2_and_a_reason(folder):
    (folder / "garbage.onnx").write_bytes(os.urandom(1000))
    code, out, err = run("score", "garbage.onnx", "--samples", "samples.npz", folder=folder)
    assert (code, out) == (2, "")
    assert "[model_unparseable]" in err


def test_what_is_no_samples_file_ends_with_2_and_a_reason(folder):
    (folder / "garbage.npz").write_bytes(os.urandom(1000))
    code, _, err = run("score", "model.onnx", "--samples", "garbage.npz", folder=folder)
    assert code == 2
    assert "[samples_unreadable]" in err


def test_a_missing_file_ends_with_4(folder):
    assert run("score", "absent.onnx", "--samples", "samples.npz", folder=folder)[0] == 4


def _cancelled(client):
    job = next(client.jobs())  # the newest
    return job["state"] == "cancelled"


def test_a_score_that_takes_too_long_ends_with_3_and_is_cancelled(folder, client):
    """What is uploaded already leaves the whole time to the score, which would take an hour."""
    model, samples = client.upload_model(folder / "model.onnx"), client.upload_samples(folder / "samples.npz")
    slow = ("score", model["id"], "--samples", samples["id"], "--preset", "paper")
    code, _, err = run(*slow, "--timeout", "10", folder=folder)
    assert code == 3, err
    until(lambda: _cancelled(client), what="the cancellation")


def test_ctrl_c_cancels_the_job_and_ends_with_2(folder, client):
    before = len(list(client.jobs()))
    process = start("score", "model.onnx", "--samples", "samples.npz", "--preset", "paper", folder=folder)
    until(lambda: len(list(client.jobs())) > before, what="the job")
    process.send_signal(signal.SIGINT)
    code, _, err = finish(process)
    assert code == 2
    assert "Interrupted" in err
    until(lambda: _cancelled(client), what="the cancellation")


def test_models_samples_jobs_and_methods_are_listed_as_json(folder):
    for noun in ("models", "samples", "jobs", "methods"):
        code, out, _ = run(noun, "list", "--json", folder=folder)
        assert code == 0
        assert isinstance(json.loads(out), list)


def test_an_upload_does_not_wait_for_a_long_job(folder, client):
    """The one worker for jobs has a chunk that takes minutes; uploads have a worker of their own."""
    model = client.upload_model(folder / "model.onnx", name="digits")
    samples = client.upload_samples(folder / "samples.npz")
    method = {"name": "clever", "preset": "paper"}
    job = client.create_job({"model_id": model["id"], "samples_id": samples["id"], "method": method})
    until(lambda: client.job(job["id"])["state"] == "running", what="the job")
    again = client.upload_model(folder / "model.onnx", name="again", timeout_seconds=PATIENCE_SECONDS)
    assert (again["state"], client.job(job["id"])["state"]) == ("ready", "running")
    client.cancel_job(job["id"])


def test_a_listing_stops_at_its_limit(folder, client):
    for _ in range(3):
        client.upload_samples(folder / "samples.npz")
    assert len(json.loads(run("samples", "list", "--limit", "2", "--json", folder=folder)[1])) == 2
    assert len(list(islice(client.samples_list(), 3))) == 3


def test_a_key_opens_what_its_scopes_say_until_it_is_revoked(folder):
    code, out, err = run("keys", "create", "--tenant", "other", "--scope", "models:read", "--json", folder=folder)
    assert code == 0, err
    key = json.loads(out)
    theirs = ("--url", (folder / ".brinell/url").read_text().strip(), "--api-key", key["key"])
    assert json.loads(run("models", "list", "--json", *theirs, folder=folder)[1]) == []  # another tenant's shelf
    assert "scope_missing" in run("jobs", "list", *theirs, folder=folder)[2]
    assert key["id"] in run("keys", "list", folder=folder)[1]
    assert run("keys", "revoke", key["id"], folder=folder)[0] == 0
    assert "unauthenticated" in run("models", "list", *theirs, folder=folder)[2]


def test_a_scope_that_does_not_exist_ends_with_4(folder):
    assert run("keys", "create", "--tenant", "other", "--scope", "all:everything", folder=folder)[0] == 4


def test_a_second_up_on_the_same_folder_is_refused_and_the_first_lives_on(folder, client):
    code, _, err = run("up", "--port", "0", folder=folder)
    assert code == 2
    assert "already runs" in err
    assert client.is_ready()
    assert (folder / ".brinell/url").exists()


def test_a_port_in_use_ends_with_2(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        code, _, err = run("up", "--port", str(other.getsockname()[1]), folder=tmp_path)
    assert code == 2
    assert "--port" in err


def test_up_stopped_or_killed_leaves_nothing_running_and_starts_again_with_its_key_and_its_models(tmp_path):
    here = make_folder(tmp_path / "here")
    with up(here) as process:
        key, relatives = (here / ".brinell/api-key").read_text(), family(process.pid)
        model = json.loads(run("models", "upload", "model.onnx", "--json", folder=here)[1])
    assert process.returncode == 0
    assert len(relatives) >= 4  # valkey, api, worker, pool child
    assert gone(relatives)
    assert not (here / ".brinell/url").exists()
    with up(here) as process:
        assert (here / ".brinell/api-key").read_text() == key
        assert model["id"] in run("models", "list", folder=here)[1]
        relatives = family(process.pid)
        process.kill()
        until(lambda: gone(relatives), what="the end of all children")
    with suppress(FileNotFoundError):
        (here / ".brinell/url").unlink()
    with up(here):
        assert model["id"] in run("models", "list", folder=here)[1]


def test_score_without_a_server_starts_a_private_one_and_leaves_nothing(tmp_path):
    here = make_folder(tmp_path / "here")
    process = start(*SCORE, "--limit", "1", "--json", folder=here)
    until(lambda: len(family(process.pid)) > 4, what="a private server")
    relatives = family(process.pid)
    code, out, err = finish(process)
    assert code == 0, err
    assert len(json.loads(out)["findings"]) == 1
    assert "private server" in err
    assert gone(relatives)
    assert not (here / ".brinell").exists()
