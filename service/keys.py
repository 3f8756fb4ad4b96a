"""`python -m service.keys create --tenant NAME [--scope S]... [--json] | list | revoke ID`: the keys of this server.

Runs where the server runs: whoever can reach its Redis may make keys. The key is shown once, here.
"""

import argparse
import json
import re
import sys
from datetime import UTC, datetime
from typing import Any

from algorithms.errors import BrinellError, NotFound
from jobs.installation.settings import read_or_exit
from jobs.store.connection.connection import Connection
from jobs.store.sections.keys import KeyRecord, Keys
from service.edge.hashing import Hashing
from service.edge.security import SCOPES, new_key

TENANT = re.compile(r"[A-Za-z0-9_-]{1,64}")
FAILED = 2
USAGE = 4


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    chosen = _parser().parse_args(arguments)
    try:
        settings = read_or_exit()
        chosen.hashing = Hashing(settings.secret_keys)
        return int(chosen.act(Keys(Connection(settings)), chosen))
    except BrinellError as error:
        sys.stderr.write(error.detail + "\n")
        return FAILED


def create(keys: Keys, chosen: argparse.Namespace) -> int:
    """Makes a key and shows it, once."""
    key = new_key(chosen.hashing)
    scopes = frozenset(chosen.scope or SCOPES)
    record = KeyRecord(
        id=key.id, tenant=chosen.tenant, scopes=scopes, secret_hash=key.secret_hash, created_at=datetime.now(UTC)
    )
    keys.add(record)
    _write({**_shown(record), "key": key.text} if chosen.json else key.text)
    return 0


def list_keys(keys: Keys, chosen: argparse.Namespace) -> int:
    """Shows all keys, without their secrets."""
    records = [_shown(record) for record in keys.all()]
    if chosen.json:
        _write(records)
        return 0
    for record in records:
        last_used = record["last_used_at"] or "never used"
        _write(f"{record['id']}  {record['tenant']}  {','.join(record['scopes'])}  {last_used}")
    return 0


def revoke(keys: Keys, chosen: argparse.Namespace) -> int:
    """Ends a key at once."""
    if not keys.revoke(chosen.id):
        raise NotFound("There is no such key; `list` shows those there are.")
    _write({"id": chosen.id, "revoked": True} if chosen.json else f"{chosen.id} is revoked.")
    return 0


def _shown(record: KeyRecord) -> dict[str, Any]:
    """Everything but the hash."""
    shown = record.model_dump(mode="json", exclude={"secret_hash"})
    return {**shown, "scopes": sorted(record.scopes)}


def _write(said: object) -> None:
    sys.stdout.write((said if isinstance(said, str) else json.dumps(said)) + "\n")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        """Usage errors end with 4, as in all of `brinell`."""
        self.exit(USAGE, f"{self.prog}: {message}\n")


def _tenant(text: str) -> str:
    if not TENANT.fullmatch(text):
        raise argparse.ArgumentTypeError("a tenant has 1 to 64 letters, digits, - or _")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m service.keys", description="Make, list and revoke API keys.")
    acts = parser.add_subparsers(required=True)
    with_json = _Parser(add_help=False)
    with_json.add_argument("--json", action="store_true", help="one JSON value on standard output")
    make = acts.add_parser("create", parents=[with_json], help="make a key and show it, once")
    make.add_argument("--tenant", required=True, type=_tenant)
    make.add_argument("--scope", action="append", choices=SCOPES, help="default: all of them")
    make.set_defaults(act=create)
    acts.add_parser("list", parents=[with_json], help="all keys, without their secrets").set_defaults(act=list_keys)
    end = acts.add_parser("revoke", parents=[with_json], help="end a key at once")
    end.add_argument("id")
    end.set_defaults(act=revoke)
    return parser


if __name__ == "__main__":
    sys.exit(main())
