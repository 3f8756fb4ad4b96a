"""One command line in, exit code and output out, against the stand-in server."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from brinell.printing import terminal
from tests.unit.brinell.stand_in import KEY, MODEL, finding, problem

pytestmark = pytest.mark.usefixtures("an_empty_folder")


def test_scores_are_printed_one_line_a_sample_and_summed_up(run, server):
    code, out, err = run("score", "m.onnx", "--samples", "s.npz")
    assert code == 0
    assert "95% interval" in out
    assert out.count("[0.4000, 0.6000]") == 2
    assert "misclassified" in out
    assert "clean accuracy: 66.7%" in out
    assert "Scoring: 100%" in err


def test_json_is_pure_and_on_standard_output(run, server):
    code, out, _ = run("score", "m.onnx", "--samples", "s.npz", "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["job"]["state"] == "succeeded"
    assert [finding["index"] for finding in answer["findings"]] == [0, 1, 2]


def test_what_score_asks_for_is_what_was_said(run, server):
    where = ("--norm", "linf", "--box", "0,255")
    run("score", "m.onnx", "--samples", "s.npz", *where, "--preset", "quick", "--limit", "7", "--seed", "3")
    body = next(body for method, path, _, body in server.requests if (method, path) == ("POST", "/v1/jobs"))
    assert json.loads(body) == {
        "model_id": "mdl_1",
        "samples_id": "smp_1",
        "method": {"name": "clever", "preset": "quick"},
        "threat": {"norm": "linf", "box": [0, 255]},
        "samples": {"limit": 7},
        "seed": 3,
    }


def test_what_run_asks_for_is_what_was_said(run, server):
    code, out, _ = run(
        *("run", "square", "m.onnx", "--samples", "s.npz", "-p", "steps=50", "-p", "preset=quick", "--norm", "linf"),
        *("--epsilon", "0.1", "--target", "runner_up", "--box", "0,255", "--queries", "99", "--limit", "2"),
        *("--repeats", "3"),
        *("--auxiliary", "smp_2", "--adversarials", "found.npz"),
    )
    body = next(body for method, path, _, body in server.requests if (method, path) == ("POST", "/v1/jobs"))
    assert json.loads(body) == {
        "model_id": "mdl_1",
        "samples_id": "smp_1",
        "auxiliary_samples_id": "smp_2",
        "method": {"name": "square", "steps": 50, "preset": "quick"},
        "threat": {"norm": "linf", "epsilon": 0.1, "goal": {"targeted": "runner_up"}, "box": [0, 255]},
        "budget": {"queries_per_sample": 99, "gradients_per_sample": None, "repeats": 3},
        "samples": {"limit": 2},
        "seed": 0,
    }
    assert code == 0
    assert "estimate" in out and "square: " in out and "CLEVER" not in out


def test_a_method_that_takes_no_samples_is_asked_without(run, server):
    code, out, _ = run("run", "input_free", "m.onnx", "--limit", "2")
    body = next(body for method, path, _, body in server.requests if (method, path) == ("POST", "/v1/jobs"))
    assert json.loads(body) == {
        "model_id": "mdl_1",
        "method": {"name": "input_free"},
        "threat": {"norm": "l2"},
        "budget": {"gradients_per_sample": None},
        "samples": {"limit": 2},
        "seed": 0,
    }
    assert code == 0 and "input_free: " in out
    assert not any(path == "/v1/samples" for _, path, _, _ in server.requests)


def test_a_method_about_samples_is_wrong_usage_without_them_before_anything_is_uploaded(run, server):
    code, _, err = run("run", "clever", "m.onnx")
    assert code == 4 and "--samples" in err
    assert not any(method == "POST" for method, _, _, _ in server.requests)


def test_a_matrix_of_models_asks_for_every_pair_and_for_the_attack_itself_on_the_diagonal(run, server):
    code, out, _ = run("transfer", "m.onnx", "mdl_2", "--samples", "s.npz", "--attack", "pgd", "-p", "steps=5")
    bodies = [json.loads(body) for method, path, _, body in server.requests if (method, path) == ("POST", "/v1/jobs")]
    attack, settings = {"name": "pgd", "steps": 5}, {"steps": 5}
    crossed = {"name": "transfer", "attack": "pgd", "settings": settings}
    assert [(b.get("surrogate_model_id"), b["model_id"], b["method"]) for b in bodies] == [
        (None, "mdl_1", attack),
        ("mdl_1", "mdl_2", crossed),
        ("mdl_2", "mdl_1", crossed),
        (None, "mdl_2", attack),
    ]
    assert {body["samples_id"] for body in bodies} == {"smp_1"}
    assert code == 0 and "on m.onnx" in out and "mdl_2" in out


def test_a_pair_that_does_not_fit_leaves_its_cell_empty_with_the_reason(run, server):
    server.unfit = {"mdl_2"}
    matrix = ("transfer", "m.onnx", "mdl_2", "--samples", "s.npz", "--attack", "pgd")
    code, out, err = run(*matrix)
    assert code == 0 and "on m.onnx" in out
    assert "m.onnx on mdl_2: It has no slopes." in err and "mdl_2 on mdl_2: It has no slopes." in err
    cells = json.loads(run(*matrix, "--json")[1])
    assert [(cell["job"] is None, cell["refused"]) for cell in cells] == [
        (False, None),
        (True, "It has no slopes."),
        (False, None),
        (True, "It has no slopes."),
    ]
    server.unfit = {"mdl_1", "mdl_2"}
    code, _, err = run(*matrix)
    assert code == 4 and "It has no slopes." in err


def test_one_model_alone_makes_no_matrix(run, server):
    assert run("transfer", "m.onnx", "--samples", "s.npz")[0] == 4
    assert run("transfer", "m.onnx", "m.onnx", "--samples", "s.npz")[0] == 4


def test_any_inputs_are_valid_where_the_box_is_none(run, server):
    run("run", "pgd", "m.onnx", "--samples", "s.npz", "--box", "none")
    body = next(body for method, path, _, body in server.requests if (method, path) == ("POST", "/v1/jobs"))
    assert json.loads(body)["threat"] == {"norm": "l2", "box": None}


@pytest.mark.parametrize("command", ["score", "run pgd", "audit", "models upload"])
def test_what_an_output_is_goes_with_the_upload(run, server, command):
    samples = () if command == "models upload" else ("--samples", "s.npz")
    run(*command.split(), "m.onnx", *samples, "--output", "decision")
    (query,) = [query for path, query in server.queries if path == "/v1/models"]
    assert query["output"] == ["decision"]


def test_a_model_that_was_uploaded_is_told_no_more(run, server):
    code, _, err = run("score", "mdl_1", "--samples", "smp_1", "--output", "logit")
    assert (code, server.requests) == (4, [])
    assert "was read when it was uploaded" in " ".join(err.split())


def test_ids_are_not_uploaded(run, server):
    code, _, _ = run("score", "mdl_1", "--samples", "smp_1")
    assert code == 0
    assert server.paths("POST") == ["/v1/jobs"]


def test_an_endpoint_is_registered_from_a_file(run, server):
    Path("endpoint.json").write_text('{"kind": "endpoint"}')
    code, out, _ = run("models", "register", "endpoint.json", "--json")
    assert (code, json.loads(out)["id"]) == (0, "mdl_1")


WRONG_USAGE = {
    "no command": [],
    "unknown command": ["audti"],
    "unknown option": ["score", "m.onnx", "--samples", "s.npz", "--nrom", "l2"],
    "bad value": ["score", "m.onnx", "--samples", "s.npz", "--norm", "l3"],
    "number out of range": ["score", "m.onnx", "--samples", "s.npz", "--limit", "0"],
    "missing option": ["score", "m.onnx"],
    "missing model file": ["score", "absent.onnx", "--samples", "s.npz"],
    "missing samples file": ["score", "m.onnx", "--samples", "absent.npz"],
    "no parameter": ["run", "pgd", "m.onnx", "--samples", "s.npz", "-p", "steps"],
    "no box": ["run", "pgd", "m.onnx", "--samples", "s.npz", "--box", "1"],
    "missing auxiliary file": ["run", "pgd", "m.onnx", "--samples", "s.npz", "--auxiliary", "absent.npz"],
    "no JSON": ["models", "register", "m.onnx"],
    "a folder": ["models", "upload", "."],
    "no address": ["models", "list", "--url", "somewhere", "--api-key", "k"],
    "no folder to write to": ["jobs", "adversarials", "job_1", "--output", "absent/a.npz"],
}


@pytest.mark.parametrize("arguments", WRONG_USAGE.values(), ids=WRONG_USAGE.keys())
def test_wrong_usage_ends_with_4(run, server, arguments):
    assert run(*arguments)[0] == 4


def test_help_ends_with_0(run):
    assert run("score", "--help")[0] == 0


def test_no_server_ends_with_2_and_says_how_to_start_one(run):
    code, _, err = run("models", "list")
    assert code == 2
    assert "brinell up" in err


def test_an_unreachable_server_ends_with_2(run):
    code, _, err = run("models", "list", "--url", "http://127.0.0.1:1", "--api-key", KEY)
    assert code == 2
    assert "Cannot reach" in err


def test_a_refused_model_ends_with_2_and_its_reason(run, server):
    server.faults = [problem(422, "shape_bomb", "Make it smaller.")]
    code, _, err = run("score", "m.onnx", "--samples", "s.npz")
    assert code == 2
    assert "Make it smaller. [shape_bomb]" in err


@pytest.mark.parametrize("state", ["failed", "cancelled", "expired"])
def test_a_job_that_did_not_succeed_ends_with_2(run, server, state):
    server.job_states = [state]
    assert run("score", "m.onnx", "--samples", "s.npz")[0] == 2


def test_time_up_ends_with_3_and_cancels_the_job(run, server):
    server.job_states = ["running"]
    code, _, err = run("score", "m.onnx", "--samples", "s.npz", "--timeout", "0.2")
    assert code == 3
    assert "/v1/jobs/job_1/cancel" in server.paths("POST")
    assert "asked to stop" in err


def test_an_interruption_cancels_the_job_and_ends_with_2(run, server, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("brinell.session.watching.samples_note", interrupt)  # as Ctrl-C while the progress is drawn
    code, _, err = run("score", "m.onnx", "--samples", "s.npz")
    assert code == 2
    assert "/v1/jobs/job_1/cancel" in server.paths("POST")
    assert "Interrupted" in err


def test_a_bug_is_a_sentence_not_a_traceback(run, server):
    server.faults = [(200, {"unexpected": True}, {})]
    code, _, err = run("models", "list")
    assert code == 2
    assert "please report" in err


def test_control_characters_of_a_name_do_not_reach_the_terminal(run, server):
    server.model = {**MODEL, "name": "evil\x1b[31m\r\nname"}
    _, out, _ = run("models", "list")
    assert "\x1b" not in out
    assert "evil" in out


def test_methods_are_listed_and_an_unknown_one_is_wrong_usage(run, server):
    assert "clever" in run("methods", "list")[1]
    assert run("methods", "show", "clvr")[0] == 4


def test_a_methods_parameters_are_shown_as_a_table(run, server):
    _, out, _ = run("methods", "show", "clever")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "needs scores, gradients" in lines
    assert "radius auto | number >0 auto of the ball" in lines


def test_a_job_that_has_ended_is_shown_with_its_summary_in_words(run, server):
    server.job_states = ["running", "succeeded"]
    assert "success" not in (live := run("jobs", "show", "job_1")[1]) and "running" in live
    code, out, _ = run("jobs", "show", "job_1")
    assert code == 0 and "clever: 3 samples (2 estimates, 1 misclassified), labels given" in out
    assert "clean accuracy: 66.7%" in out and "http_calls" not in out
    assert json.loads(run("jobs", "show", "job_1", "--json")[1])["summary"]["queries"]["http_calls"] == 0


def test_a_job_about_classes_is_shown_as_such(run, server):
    told, server.job_states = server.job, ["succeeded"]
    server.job = lambda state: told(state) | {"request": {"method": {"name": "input_free"}, "samples_id": None}}
    _, out, _ = run("jobs", "show", "job_1")
    assert "3 classes, no samples" in out and "3 samples" not in out and "clean accuracy" not in out


def test_adversarials_are_saved_as_they_came(run, server, tmp_path):
    assert run("jobs", "adversarials", "job_1", "--output", "a.npz")[0] == 0
    assert (tmp_path / "a.npz").read_bytes() == b"PK-npz"


def test_the_server_left_in_the_data_folder_is_found_with_its_key(run, api, tmp_path):
    folder = tmp_path / ".brinell"
    folder.mkdir()
    (folder / "url").write_text(api.url)
    (folder / "api-key").write_text(KEY)
    assert "mdl_1" in run("models", "list")[1]


def test_the_local_key_is_not_sent_to_another_server(run, api, tmp_path):
    folder = tmp_path / ".brinell"
    folder.mkdir()
    (folder / "url").write_text("http://127.0.0.1:1")
    (folder / "api-key").write_text(KEY)
    code, _, err = run("models", "list", "--url", api.url)
    assert code == 2
    assert "--api-key" in err
    assert api.requests == []


def test_an_address_left_by_a_server_that_was_killed_is_no_server(run, tmp_path):
    folder = tmp_path / ".brinell"
    folder.mkdir()
    (folder / "url").write_text("http://127.0.0.1:1")
    (folder / "api-key").write_text(KEY)
    assert "No server" in run("models", "list")[2]


def test_keys_need_a_server_on_this_machine(run):
    code, _, err = run("keys", "list")
    assert code == 2
    assert "brinell up" in err


def test_outside_a_checkout_the_local_commands_say_what_they_need(run, monkeypatch, tmp_path):
    monkeypatch.setattr("brinell.machine.checkout.__file__", str(tmp_path / "brinell" / "machine" / "checkout.py"))
    for arguments in (["up"], ["demo"], ["score", "m.onnx", "--samples", "s.npz"]):
        code, _, err = run(*arguments)
        assert code == 2
        assert "needs a Brinell checkout" in err


@pytest.mark.parametrize("width", [80, 120])
def test_a_table_fits_the_terminal(run, server, monkeypatch, width, capsys):
    monkeypatch.setattr(terminal, "out", Console(width=width, highlight=False, markup=False))
    monkeypatch.setattr("brinell.printing.scores_table.out", terminal.out)
    _, out, _ = run("score", "m.onnx", "--samples", "s.npz")
    assert out
    assert max(map(len, out.splitlines())) <= width


def test_a_row_that_the_model_answers_with_no_class_is_shown_so(run, server):
    server.findings = [finding(0, predicted=-1, kind="abstained", value=None, details={"reason": "scores_not_finite"})]
    _, out, _ = run("score", "m.onnx", "--samples", "s.npz")
    assert "none" in out and "-1" not in out


@pytest.mark.parametrize(("names", "shown"), [(None, "1"), (["ash", "beech"], "beech"), (["7", "8"], "8")])
def test_classes_are_called_by_the_names_of_the_model(run, server, names, shown):
    server.model = MODEL | {"classes_named": names}
    server.findings = [finding(5, label=1, predicted=1)]
    for command in (("score",), ("run", "clever")):
        _, out, _ = run(*command, "m.onnx", "--samples", "s.npz")
        (line,) = (line for line in out.splitlines() if line.split()[:1] == ["5"])
        assert line.split()[1:3] == [shown, shown]
