"""Pseudonyms: the same person has the same one in every file of a study, and nobody without the key can tell whose it is.

``pseudonym = <key id>-<first 32 hexadecimal digits of HMAC-SHA256(key, kind + ":" + id)>`` with ``kind`` child, staff or
coder, so that child 7 and colleague 7 do not share one; HMAC as in RFC 2104. An id that is a Danish personal number is its ten
digits, every other id its text without surrounding spaces.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field

from asp_eval.intake.files.raw import SPACES
from asp_eval.intake.personal_numbers import is_personal_number

KEPT = 32  # hexadecimal digits, 128 bits: half of the digest, the least that RFC 2104 advises
_LENGTH = len("k123456789abc-") + KEPT
_FORM = re.compile(rf"(k[0-9a-f]{{12}})-[0-9a-f]{{{KEPT}}}")


@dataclass(frozen=True, slots=True)
class PseudonymKey:
    """A secret and the name it goes by.

    Attributes
    ----------
    id : str
        The beginning of the secret's SHA-256, so that a wrong file is noticed; tells nothing of the secret.
    secret : bytes
        32 random bytes; never printed.
    """

    id: str
    secret: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> PseudonymKey:
        """Return the key of a secret.

        Examples
        --------
        >>> PseudonymKey.of(bytes(32))
        PseudonymKey(id='k66687aadf862')
        """
        return cls("k" + hashlib.sha256(secret).hexdigest()[:12], secret)


def pseudonym(text: str, kind: str, key: PseudonymKey) -> str:
    """Return the pseudonym of an id.

    Parameters
    ----------
    text : str
        The id as it stands in the cell.
    kind : str
        Whose it is: child, staff or coder.
    key : PseudonymKey

    Examples
    --------
    >>> key = PseudonymKey.of(bytes(32))
    >>> pseudonym("010203-4567", "child", key) == pseudonym(" 0102034567", "child", key)
    True
    """
    plain = text.strip(SPACES)
    said = f"{kind}:{is_personal_number(plain) or plain}"
    return f"{key.id}-{hmac.digest(key.secret, said.encode(), 'sha256').hex()[:KEPT]}"


def key_of(text: str) -> str | None:
    """Return the id of the key that made a pseudonym; None if the text is none.

    Examples
    --------
    >>> key_of(pseudonym("007", "child", PseudonymKey.of(bytes(32)))), key_of("007")
    ('k66687aadf862', None)
    """
    if len(text) < _LENGTH:  # most ids: a column has a million of them
        return None
    found = _FORM.fullmatch(text.strip(SPACES))
    return found[1] if found else None
