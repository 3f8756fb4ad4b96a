import pytest

from brinell.cli import exit_code
from tests.unit.brinell import stand_in


@pytest.fixture
def api():
    with stand_in.running() as server:
        yield server


@pytest.fixture
def an_empty_folder(tmp_path, monkeypatch):
    """With a model and samples in it, and nothing of ours in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("BRINELL_URL", "BRINELL_API_KEY", "BRINELL_REDIS_URL", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "m.onnx").write_bytes(b"onnx")
    (tmp_path / "s.npz").write_bytes(b"npz")
    return tmp_path


@pytest.fixture
def run(capsys):
    """One command line in; (exit code, stdout, stderr) out."""

    def run(*arguments):
        code = exit_code(list(arguments))
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return run


@pytest.fixture
def server(api, an_empty_folder, monkeypatch):
    """The stand-in, as the server that the environment names."""
    monkeypatch.setenv("BRINELL_URL", api.url)
    monkeypatch.setenv("BRINELL_API_KEY", stand_in.KEY)
    return api
