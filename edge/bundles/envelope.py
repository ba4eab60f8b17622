"""The signature of a bundle: OpenSSF Model Signing v1.0, read and written in one form.

``model.sig`` is a Sigstore bundle (JSON) with a DSSE envelope, whose payload is an in-toto
statement with the SHA-256 of every other file. The public tool ``model_signing`` reads it; so does
this module, which takes nothing but what it writes itself: the text is written anew from its three
parts and compared, so that each of its bytes is the one that it must be.

Sources: OpenSSF Model Signing v1.0; DSSE v1.0.0, protocol.md (PAE); in-toto Attestation, Statement
v1; Sigstore bundle v0.3.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge.strict_json import read_object

SIGNATURE_NAME = "model.sig"
MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
IN_TOTO = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://model_signing/signature/v1.0"
SERIALIZATION = {
    "method": "files",
    "hash_type": "sha256",
    "allow_symlinks": False,
    "ignore_paths": [SIGNATURE_NAME],
}
SUM = re.compile(r"[0-9a-f]{64}")
MOST_CHARACTERS = 1 << 20


@dataclass(frozen=True)
class Envelope:
    """A DSSE envelope with one signature, and whose it says it is.

    *key_id*: SHA-256, in hex, of the public key as PEM; *payload*: the very bytes signed;
    *payload_type*: what they are; *signature*: ECDSA, as DER.
    """

    key_id: str
    payload: bytes
    signature: bytes
    payload_type: str = IN_TOTO

    @property
    def signed(self) -> bytes:
        """What the signature is over: the pre-authentication encoding (PAE) of DSSE."""
        return pae(self.payload_type, self.payload)

    def to_json(self) -> str:
        """Serialize as one JSON text without blanks."""
        signature = {"sig": base64.b64encode(self.signature).decode(), "keyid": ""}
        raw = {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {"publicKey": {"hint": self.key_id}, "tlogEntries": []},
            "dsseEnvelope": {
                "payload": base64.b64encode(self.payload).decode(),
                "payloadType": self.payload_type,
                "signatures": [signature],
            },
        }
        return json.dumps(raw, separators=(",", ":"))

    @classmethod
    def from_json(cls, content: bytes, payload_type: str = IN_TOTO) -> "Envelope":
        """Read what :meth:`to_json` wrote. Raises ValueError for anything else."""
        try:
            text = content.decode("ascii")
            raw: Any = read_object(text, MOST_CHARACTERS)
            key_id = raw["verificationMaterial"]["publicKey"]["hint"]
            envelope = raw["dsseEnvelope"]
            payload = base64.b64decode(envelope["payload"], validate=True)
            signature = base64.b64decode(envelope["signatures"][0]["sig"], validate=True)
        except (KeyError, IndexError, TypeError, binascii.Error, UnicodeDecodeError):
            raise ValueError("it is no signature of this kind") from None
        if not isinstance(key_id, str) or not SUM.fullmatch(key_id):
            raise ValueError("it does not say whose it is")
        read = cls(key_id, payload, signature, payload_type)
        if read.to_json() != text:
            raise ValueError("it is not written as this release writes it")
        return read


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return DSSE's pre-authentication encoding of a payload.

    >>> pae("a/b", b"hello")
    b'DSSEv1 3 a/b 5 hello'
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def statement(name: str, sums: Mapping[str, str]) -> bytes:
    """Return the in-toto statement about the files of a bundle called *name*.

    *sums*: their SHA-256 by name, in hex. The subject's digest is the SHA-256 over all of them, in
    the order of the names, as Model Signing defines it.
    """
    resources = [
        {"name": file, "algorithm": "sha256", "digest": total}
        for file, total in sorted(sums.items(), key=lambda item: _parts(item[0]))
    ]
    root = hashlib.sha256(b"".join(bytes.fromhex(r["digest"]) for r in resources)).hexdigest()
    raw = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": root}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {"serialization": SERIALIZATION, "resources": resources},
    }
    return json.dumps(raw, separators=(",", ":")).encode()


def _parts(name: str) -> list[str]:
    """Return what names are ordered by: pathlib, and so the public tool, compares their parts."""
    return name.split("/")


def read_statement(payload: bytes) -> tuple[str, dict[str, str]]:
    """Return the name and the sums that a statement of :func:`statement` is about, in its order.

    Raises ValueError for anything else.
    """
    try:
        raw: Any = read_object(payload.decode("ascii"), MOST_CHARACTERS)
        name = raw["subject"][0]["name"]
        resources = raw["predicate"]["resources"]
        sums = {resource["name"]: resource["digest"] for resource in resources}
    except (KeyError, IndexError, TypeError, UnicodeDecodeError):
        raise ValueError("what is signed is no statement about the files of a model") from None
    texts = [name, *sums, *sums.values()]
    if not all(isinstance(text, str) for text in texts) or not all(
        SUM.fullmatch(total) for total in sums.values()
    ):
        raise ValueError("what is signed has a file without a SHA-256")
    if statement(name, sums) != payload:
        raise ValueError("what is signed is no statement as this release writes it")
    return name, sums
