"""The folder of an installation, its embedded Redis, and what keeps it from starting."""

import socket
import stat

import pytest

from brinell.errors import BrinellError
from brinell.machine.children import Child
from brinell.machine.data_dir import DataDir
from brinell.machine.local import Installation
from brinell.machine.valkey import Valkey
from tests.patience import PATIENCE_SECONDS


def test_a_folder_has_one_holder(tmp_path):
    first, second = DataDir(tmp_path / "d"), DataDir(tmp_path / "d")
    first.hold()
    first.write("url", "http://127.0.0.1:8000")
    with pytest.raises(BrinellError, match="already runs"):
        second.hold()
    second.let_go()
    assert first.read("url") == "http://127.0.0.1:8000"
    first.let_go()
    second.hold()
    second.let_go()


def test_secrets_are_for_nobody_else(tmp_path):
    data = DataDir(tmp_path / "d")
    data.hold()
    data.write("api-key", "secret")
    assert data.read("api-key") == "secret"
    assert stat.S_IMODE((tmp_path / "d" / "api-key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "d").stat().st_mode) == 0o700
    data.let_go()


def test_an_address_is_taken_away_and_a_key_is_kept(tmp_path):
    data = DataDir(tmp_path)
    data.hold()
    for name in ("api-key", "url", "redis-url"):
        data.write(name, name)
    data.let_go()
    assert [data.read(name) for name in ("api-key", "url", "redis-url")] == ["api-key", None, None]


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BrinellError, match="choose another --data-dir"):
        DataDir(tmp_path / "file" / "d").hold()


def test_a_used_port_is_a_sentence_and_nothing_is_started(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(BrinellError, match=f"port {port}"), Installation(tmp_path / "d", port=port):
            pass
    assert not (tmp_path / "d").exists()


def test_a_host_that_is_not_ours_is_a_sentence(tmp_path):
    with pytest.raises(BrinellError, match="of 203"), Installation(tmp_path / "d", host="203.0.113.1"):
        pass


def _ask(valkey, *lines):
    with socket.create_connection(("127.0.0.1", valkey.port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall("".join(f"{line}\r\n" for line in (*lines, "QUIT")).encode())
        return connection.makefile().read()


@pytest.fixture
def valkey(tmp_path):
    valkey = Valkey(tmp_path / "a folder with spaces")
    child = Child(valkey.program(), tmp_path / "log", lambda _: None)
    child.start()
    while not valkey.answers():
        assert not child.is_hopeless, child.last_words()
    yield valkey
    child.stop()
    assert not valkey.answers()


def test_the_embedded_redis_wants_its_password_and_writes_before_it_answers(valkey):
    assert "NOAUTH" in _ask(valkey, "SET a 1")
    shown = _ask(
        valkey, f"AUTH {valkey.password}", "CONFIG GET append*", "CONFIG GET maxmemory-policy", "CONFIG GET bind"
    )
    assert "always" in shown
    assert "noeviction" in shown
    assert "127.0.0.1" in shown
    assert valkey.password not in repr(valkey)


def test_the_embedded_redis_keeps_its_data_in_its_folder(valkey):
    _ask(valkey, f"AUTH {valkey.password}", "SET a 1")
    assert list((valkey.folder / "appendonlydir").iterdir())
