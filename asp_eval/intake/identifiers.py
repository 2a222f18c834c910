"""What identifies a person directly: columns that say so by their name, and values that can be nothing else."""

from __future__ import annotations

import re

from asp_eval.core.phrases import Phrase
from asp_eval.intake.personal_numbers import personal_number, without_personal_numbers

CPR, NAME, EMAIL = Phrase("a personal number"), Phrase("a name"), Phrase("an e-mail address")
PHONE, ADDRESS = Phrase("a telephone number"), Phrase("an address")
_WORDS = {
    CPR: "cpr cprnr cprnummer cprno personnummer personnr ssn",
    EMAIL: "email emails mail mails emailadresse mailadresse epost emailaddress mailaddress",
    PHONE: "telefon telefonnr telefonnummer tlf tlfnr phone phonenumber telephone mobil mobilnr mobilnummer mobiltelefon mobile "
    "cellphone",
    NAME: "navn navne name names fornavn fornavne efternavn mellemnavn kaldenavn fuldenavn barnenavn elevnavn firstname lastname "
    "surname forename givenname familyname fullname middlename childname",
    ADDRESS: "adresse adresser address hjemmeadresse privatadresse postadresse bopæl bopælsadresse vejnavn gadenavn street "
    "streetaddress ipaddress ipaddr ipadresse",
}
_KINDS = {word: kind for kind, words in _WORDS.items() for word in words.split()}
_BESIDE = """
    barn barnet barnets børn børnenes elev elevens pædagog pædagogens medarbejder medarbejderens leder lederens forælder
    forældre forældres mor mors moderens far fars faderens lærer lærerens respondent respondentens rater informant kontakt
    kontaktperson person personens child children pupil student teacher staff parent parents mother father manager leader
    employee contact recipient user bruger full fuld fulde fuldt first last given family middle for efter of the på af dit
    din your s e nr nummer number no privat private arbejde work hjemme home ip fødsels hvad er what is indtast skriv
    enter write please venligst
"""  # words that may stand beside one of those, and it still means a person's
_BESIDE_WORDS = frozenset(_BESIDE.split())
_PLACES = frozenset(
    [
        "navn",
        "name",
        "adresse",
        "address",
        "postadresse",
        "vejnavn",
        "gadenavn",
        "street",
        "streetaddress",
        "telefon",
        "telefonnr",
        "telefonnummer",
        "tlf",
        "tlfnr",
        "phone",
        "phonenumber",
        "telephone",
        "nr",
        "nummer",
        "number",
        "no",
    ]
)
_SMALL_THEN_CAPITAL = re.compile(r"(?<=[a-zæøå])(?=[A-ZÆØÅ])")
_LETTERS = re.compile(r"[^\W\d_]+")

_EMAIL = re.compile(r"[^\s@<>()\[\]\"',;:]+@[^\s@<>()\[\]\"',;:]+\.[^\W\d_]{2,}")


def named_identifier(name: str, *, of_a_place: bool = False) -> str | None:
    """Return what a column identifies a person by, as far as its name tells; None if it tells nothing.

    Every word of the name must be one of the words known for it, or one that may stand beside it: "Barnets navn" is a
    child's name, "filename" and "navn på institutionen" are not. In a list of places (`of_a_place`) a plain "navn", "adresse"
    or "telefon" is the place's.

    Examples
    --------
    >>> named_identifier("CPR-nr."), named_identifier("Barnets navn"), named_identifier("RecipientEmail")
    ('a personal number', 'a name', 'an e-mail address')
    >>> named_identifier("mail_sent"), named_identifier("institution_name"), named_identifier("sex")
    (None, None, None)
    """
    words = _LETTERS.findall(_SMALL_THEN_CAPITAL.sub(" ", name).casefold())
    kinds = {_KINDS[word] for word in words if word in _KINDS}
    if not kinds or not all(word in _KINDS or word in _BESIDE_WORDS for word in words):
        return None
    if of_a_place and all(word in _PLACES for word in words):
        return None
    return next(kind for kind in _WORDS if kind in kinds)


def has_email(text: str) -> bool:
    """Return whether a text holds an e-mail address.

    Examples
    --------
    >>> has_email("write to anna@example.org"), has_email("3 @ 2 kr.")
    (True, False)
    """
    return "@" in text and _EMAIL.search(text) is not None


def is_personal(text: str) -> bool:
    """Return whether a text holds a personal number or an e-mail address."""
    return personal_number(text) is not None or has_email(text)


def masked(text: str) -> str:
    """Return a text with stars in the place of personal numbers and e-mail addresses.

    Examples
    --------
    >>> masked("ring til 010203-4567, eller anna@example.org")
    'ring til ***, eller ***'
    """
    return _EMAIL.sub("***", without_personal_numbers(text))
