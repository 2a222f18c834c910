"""What identifies a person directly: columns that say so by their name, and values that can be nothing else."""

from __future__ import annotations

import datetime as dt
import re

from asp_eval.core.phrases import Phrase

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
_PLACES = frozenset([
    "navn", "name", "adresse", "address", "postadresse", "vejnavn", "gadenavn", "street", "streetaddress", "telefon", "telefonnr",
    "telefonnummer", "tlf", "tlfnr", "phone", "phonenumber", "telephone", "nr", "nummer", "number", "no",
])  # fmt: skip
_SMALL_THEN_CAPITAL = re.compile(r"(?<=[a-zæøå])(?=[A-ZÆØÅ])")
_LETTERS = re.compile(r"[^\W\d_]+")

_CPR = re.compile(
    r"(?:(?<=cpr)|(?<=nr)|(?<![^\W_]))(?<!\d[.,])"  # no digit or letter before it, unless "cpr" or "nr"; no decimals
    r"(?P<day>\d\d)(?P<mark>[ ./-]?)(?P<month>\d\d)(?P=mark)(?P<year>\d\d)"
    r"(?P<hyphen>\s?[-\u2010-\u2015\u2212]\s?|\s)?(?P<serial>\d{4})"
    r"(?![^\W_])(?![.,]\d*[1-9])",  # none after it, but 1312011234.0 is a personal number that was read as a number
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[^\s@<>()\[\]\"',;:]+@[^\s@<>()\[\]\"',;:]+\.[^\W\d_]{2,}")
_SHORTEST_CPR = 10


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


def personal_number(text: str) -> str | None:
    """Return the Danish personal number (CPR) in a text as ten digits, or None if it holds none.

    Ten digits, with a hyphen or spaces between or not, of which the first six are a day that was or will be: ddmmyy and the
    century that the seventh digit stands for. The check digit is not looked at: since 2007 numbers are given without it.

    Examples
    --------
    >>> personal_number("cpr 010203-4567"), personal_number("0102034567"), personal_number("31 02 03 4567")
    ('0102034567', '0102034567', None)
    """
    if len(text) < _SHORTEST_CPR:
        return None
    for found in _CPR.finditer(text):
        dated = found["mark"] in "./-" and found["mark"] != ""
        if dated and not (found["hyphen"] or " ").strip():  # 01.02.06 1015 is a day and a time
            continue
        if _is_day(found["day"], found["month"], found["year"], found["serial"]):
            return found["day"] + found["month"] + found["year"] + found["serial"]
    return None


def is_personal_number(text: str) -> str | None:
    """Return the ten digits if a text is a personal number and nothing else, else None.

    Examples
    --------
    >>> is_personal_number("010203-4567"), is_personal_number("1312011234.0"), is_personal_number("cpr 010203-4567")
    ('0102034567', '1312011234', None)
    """
    found = _CPR.match(text) if len(text) >= _SHORTEST_CPR else None
    if found is None or text[found.end() :].strip("0") not in ("", ".", ","):
        return None
    return personal_number(text)


def lacks_its_zero(text: str) -> bool:
    """Return whether nine digits would be a personal number if a spreadsheet had not dropped their leading zero.

    Examples
    --------
    >>> lacks_its_zero("102034567"), lacks_its_zero("902034567"), lacks_its_zero("992034567")
    (True, True, False)
    """
    return len(text) == _SHORTEST_CPR - 1 and text.isascii() and text.isdigit() and personal_number("0" + text) is not None


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
    return _EMAIL.sub("***", _CPR.sub(lambda found: "***" if personal_number(found[0]) else found[0], text))


def _is_day(day: str, month: str, year: str, serial: str) -> bool:
    try:
        dt.date(_century(int(year), int(serial[0])) + int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _century(year: int, seventh: int) -> int:
    """Return the century of a personal number, as the office of the Danish civil register gives it."""
    if seventh <= 3:
        return 1900
    if seventh in (4, 9):
        return 2000 if year <= 36 else 1900
    return 2000 if year <= 57 else 1800
