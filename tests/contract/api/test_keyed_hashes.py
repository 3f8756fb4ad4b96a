"""API keys of an older version, and of an older secret key, go on opening what they open, and are rehashed."""

from typing import Any

import pytest
import structlog
from cryptography.fernet import Fernet

from service import keys as command
from service.edge.hashing import Hashing, is_unkeyed
from service.edge.rehashing import rehash_all
from tests.contract.api.conftest import Api

ADDRESS = "/v1/methods"


def stored(api: Api, key: str) -> str:
    record = api.store.keys.get(key.split("_")[1])
    assert record is not None
    return record.secret_hash


def status(api: Api, key: str) -> int:
    return int(api.stranger().get(ADDRESS, headers={"Authorization": f"Bearer {key}"}).status_code)


def hashing_of(api: Api) -> Hashing:
    return Hashing(api.settings.secret_keys)


@pytest.fixture
def old(api: Api) -> str:
    """A key as version 0.1.0 stored it."""
    key = api.key()
    assert is_unkeyed(stored(api, key))
    return key


def test_a_key_of_an_older_version_works_and_is_rehashed_at_its_first_use(api: Api, old: str) -> None:
    before = api.store.keys.get(old.split("_")[1])
    assert status(api, old) == 200
    assert not hashing_of(api).is_outdated(stored(api, old))
    after = api.store.keys.get(old.split("_")[1])
    assert before is not None
    assert after == before.model_copy(update={"secret_hash": stored(api, old)})
    assert status(api, old) == 200


def test_keys_of_an_older_version_are_rehashed_at_start_though_nobody_uses_them(api: Api, old: str) -> None:
    rehash_all(api.store.keys, hashing_of(api))
    assert not hashing_of(api).is_outdated(stored(api, old))
    assert status(api, old) == 200


def test_without_secret_keys_hashes_stay_as_they_are(api: Api, old: str) -> None:
    bare = api.under(secret_keys=())
    rehash_all(bare.store.keys, hashing_of(bare))
    assert status(bare, old) == 200
    assert is_unkeyed(stored(bare, old))


def test_a_new_secret_key_in_front_rehashes_at_use_and_the_old_one_may_go_then(api: Api, old: str) -> None:
    first, second = api.settings.secret_keys[0], Fernet.generate_key().decode()
    assert status(api, old) == 200
    unused = api.key()
    rehash_all(api.store.keys, hashing_of(api))
    rotated, dropped = api.under(secret_keys=(second, first)), api.under(secret_keys=(second,))
    with structlog.testing.capture_logs() as logs:
        rehash_all(rotated.store.keys, hashing_of(rotated))
    assert [(log["event"], log["keys"]) for log in logs] == [("api_keys_outdated", 2)]
    assert status(rotated, old) == 200
    with structlog.testing.capture_logs() as logs:
        rehash_all(dropped.store.keys, hashing_of(dropped))
    assert [(log["event"], log["keys"]) for log in logs] == [("api_keys_lost", 1)]
    assert (status(dropped, old), status(dropped, unused)) == (200, 401)


def test_a_key_that_is_revoked_while_it_is_rehashed_stays_revoked(api: Api, old: str) -> None:
    record = api.store.keys.get(old.split("_")[1])
    assert record is not None
    api.store.keys.revoke(record.id)
    api.store.keys.rehash(record, hashing_of(api).of_digest(record.secret_hash))
    assert api.store.keys.all() == []


def test_of_two_that_rehash_the_first_one_wins(api: Api, old: str) -> None:
    record = api.store.keys.get(old.split("_")[1])
    assert record is not None
    for another in ("hmac:00000001:aa", "hmac:00000002:bb"):
        api.store.keys.rehash(record, another)
    assert stored(api, old) == "hmac:00000001:aa"


@pytest.mark.parametrize("keyed", [True, False])
def test_the_command_makes_lists_and_revokes_keys(
    api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], keyed: bool
) -> None:
    monkeypatch.setenv("BRINELL_REDIS_URL", api.settings.redis_url)
    monkeypatch.setenv("BRINELL_SECRET_KEYS", api.settings.secret_keys[0] if keyed else "")

    def said(*arguments: str) -> Any:
        assert command.main(list(arguments)) == 0
        return capsys.readouterr().out.strip()

    key = said("create", "--tenant", "acme")
    assert is_unkeyed(stored(api, key)) != keyed
    assert status(api, key) == 200, "made without the secret key, it works with it nevertheless"
    assert key.split("_")[1] in said("list")
    said("revoke", key.split("_")[1])
    assert status(api, key) == 401
