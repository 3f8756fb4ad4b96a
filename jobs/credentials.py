"""Secrets of endpoints, encrypted where they are kept and bound to the model they belong to.

A secret is opened by a supervisor just before it is used, and by nobody else. What is sealed names its tenant and its
model inside, so a ciphertext that was moved to another model opens for nobody.
"""

import json

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from algorithms.errors import Refused
from models.credential import Credential


class Seal:
    """A seal closes secrets with its first key and opens them with any.

    A new key is put in front, and an old one removed when nothing is sealed with it any more.
    """

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys]) if keys else None

    def close(self, credential: Credential, *, tenant: str, model_id: str) -> str:
        """Encrypts a credential for one tenant's model. Raises Refused(not_available) where there is no key."""
        if self._fernet is None:
            raise Refused(
                "This installation keeps no secrets; its operator must set BRINELL_SECRET_KEYS first.",
                code="not_available",
                pointer="/auth",
            )
        text = json.dumps([tenant, model_id, credential.name, credential.value])
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str, *, tenant: str, model_id: str) -> Credential | None:
        """Decrypts a credential; None where no key of ours opens it, or it belongs to another model."""
        if self._fernet is None:
            return None
        try:
            owner, owned, name, value = json.loads(self._fernet.decrypt(sealed))
        except InvalidToken:
            return None
        return Credential(name, value) if (owner, owned) == (tenant, model_id) else None
