"""Danish personal numbers (CPR) in texts, by their digits: ddmmyy and four more, whatever stands between them.

What is no letter and no digit separates digits and is left out; a letter is a boundary. Ten digits between two boundaries are a
personal number if the first six are a day that was or will be, in the century that the seventh digit stands for. The check digit
is not looked at: since 2007 numbers are given without it. More than ten digits may be a number beside others: "2) 010203-4567".
There the four digits of the serial number stand by themselves, or all ten stand together. Moments and decimal numbers are none.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

DIGITS = 10
_FEWEST = 8  # of 1-2-03-4567
_ENOUGH = re.compile(r"\d(?:[\W_]*\d){7}")
_RUN = re.compile(r"\d(?:[\W_]*\d)*")
_GROUP = re.compile(r"\d+")
_MACHINE_ID = re.compile(  # of 32 hexadecimal digits, such as a UUID or a pseudonym, in which ten digits stand together by chance
    r"(?<![^\W_])(?=[0-9-]*[a-f])(?:[0-9a-f]{32}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|k[0-9a-f]{12}-[0-9a-f]{32})(?![^\W_])",
    re.IGNORECASE,
)
_MACHINE_ID_LENGTH = 32
_MOMENT = re.compile(
    r"(?:\d\d?[-./]\d\d?[-./]\d\d|\d\d?[-./ ]\d\d?[-./ ](?:19|20)\d\d|(?:19|20)\d\d[-./ ]\d\d?[-./ ]\d\d?)"
    r"[\s,]+(?:[01]?\d|2[0-3])(?:[:.]?[0-5]\d){0,2}"
)
_DAYS = re.compile(r"\d\d?[./]\d\d?\.?\s*[-\u2010-\u2015]\s*\d\d?[./]\d\d?[./]\d\d")  # 12.10-15.10.06
_TIME = re.compile(r"(?<!\d)\d\d?:\d\d(?!\d)")
_DASH = re.compile(r"\s*[-\u2010-\u2015\u2212]\s*")
_WITHOUT_ZEROS = {  # digits in the parts of a number whose zeros were left out, and as they should be: 10203-4567, 1-2-03-4567
    (5, 4): (6, 4),
    (1, 1, 2, 4): (2, 2, 2, 4),
    (1, 2, 2, 4): (2, 2, 2, 4),
    (2, 1, 2, 4): (2, 2, 2, 4),
}
_BESIDE_OTHERS = {
    (DIGITS,),
    (6, 4),
    (2, 2, 2, 4),
    (4, 2, 4),
    (2, 4, 4),
}  # digits in the parts of a number that stands among other digits


_EXPONENT = re.compile(r"\s*([1-9])[.,](\d{7,9})[eE]\+?0?([89])\s*", re.ASCII)  # with all digits that a personal number has


class _Part(NamedTuple):
    """Where digits stand together. A plain tuple: a column may have millions of them."""

    start: int
    end: int


def personal_number(text: str) -> str | None:
    """Return the first Danish personal number (CPR) in a text as ten digits, or None if it holds none.

    Examples
    --------
    >>> personal_number("cpr 0102 03_4567"), personal_number("10203-4567"), personal_number("31 02 03 4567")
    ('0102034567', '0102034567', None)
    >>> personal_number("01.02.06 10:15"), personal_number("+45 12 34 56 78")
    (None, None)
    """
    return next((digits for _, _, digits in _found(text)), None)


def is_personal_number(text: str) -> str | None:
    """Return the ten digits if a text is a personal number and nothing else, else None.

    Examples
    --------
    >>> is_personal_number("010203-4567"), is_personal_number("1312011234.0"), is_personal_number("cpr 010203-4567")
    ('0102034567', '1312011234', None)
    >>> is_personal_number("1.312011234E+09")
    '1312011234'
    """
    for start, end, digits in _found(text):
        outside = text[:start] + text[end:]
        return None if any(sign.isalnum() and sign != "0" for sign in outside) else digits
    return None


def lacks_its_zero(text: str) -> bool:
    """Return whether nine digits would be a personal number if a spreadsheet had not dropped their leading zero.

    Examples
    --------
    >>> lacks_its_zero("102034567"), lacks_its_zero("902034567.0"), lacks_its_zero("992034567")
    (True, True, False)
    """
    return _is_short(text) and personal_number("0" + _without_exponent(text)) is not None


def holding_personal_numbers(texts: Iterable[str]) -> list[bool]:
    """Return which texts of a column hold a personal number, those that lost their leading zero included.

    Nine digits alone may be any number. They are taken for personal numbers if at least half of those in the column would be.

    Examples
    --------
    >>> holding_personal_numbers(["102034567", "see 010203-4567", "7"])
    [True, True, False]
    >>> holding_personal_numbers(["102034567", "481634567", "777777777"])
    [False, False, False]
    """
    texts = list(texts)
    if not _ENOUGH.search("x".join(texts)):  # as in most columns, which may have a million texts
        return [False] * len(texts)
    short = [text for text in texts if _is_short(text)]
    lost = {text for text in short if lacks_its_zero(text)}
    if 2 * len(lost) < len(short):
        lost = set()
    return [text in lost or personal_number(text) is not None for text in texts]


def without_personal_numbers(text: str) -> str:
    """Return a text with stars in the place of personal numbers."""
    for start, end, _ in reversed([*_found(text)]):
        text = f"{text[:start]}***{text[end:]}"
    return text


def _without_exponent(text: str) -> str:
    """Return a whole number that a spreadsheet wrote with an exponent as its digits, if all of them are there; else the text.

    Examples
    --------
    >>> _without_exponent("3.112034567E+09"), _without_exponent("1,02034567e8"), _without_exponent("1.02E+08")
    ('3112034567', '102034567', '1.02E+08')
    """
    found = _EXPONENT.fullmatch(text)
    digits = "".join(found.groups()[:2]) if found else ""
    return digits.ljust(int(found[3]) + 1, "0") if found and len(digits) <= int(found[3]) + 1 else text


def _is_short(text: str) -> bool:
    plain = text.removesuffix(".0") if len(text) > DIGITS - 1 else text
    if len(plain) > DIGITS and ("E" in plain or "e" in plain):
        plain = _without_exponent(plain)
    return len(plain) == DIGITS - 1 and plain.isascii() and plain.isdigit()


def _found(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where each personal number of a text begins and ends, and its ten digits."""
    if len(text) < _FEWEST or not _ENOUGH.search(text):  # most texts: a column has a million of them
        return
    if ("E" in text or "e" in text) and (plain := _without_exponent(text)) != text:
        if len(plain) == DIGITS and (digits := _digits(plain)):
            yield 0, len(text), digits
        return
    if len(text) >= _MACHINE_ID_LENGTH:
        text = _MACHINE_ID.sub(lambda found: "x" * len(found[0]), text)
    for run in _RUN.finditer(text):
        parts = [_Part(*part.span()) for part in _GROUP.finditer(text, run.start(), run.end())]
        n = sum(part.end - part.start for part in parts)
        if n <= DIGITS and (digits := _alone(text, parts, n)):
            yield run.start(), run.end(), digits
        elif n > DIGITS:
            yield from _among(text, parts)


def _alone(text: str, parts: Sequence[_Part], n: int) -> str | None:
    """Return the ten digits of a number that stands between letters, or None."""
    written = text[parts[0].start : parts[-1].end]
    between = text[parts[-2].end : parts[-1].start] if len(parts) > 1 else ""
    sizes = tuple([part.end - part.start for part in parts])
    if n < DIGITS:
        widths = _WITHOUT_ZEROS.get(sizes)
        if widths is None or not _DASH.fullmatch(between):
            return None
        return _digits("".join(text[part.start : part.end].zfill(width) for part, width in zip(parts, widths, strict=True)))
    if _MOMENT.fullmatch(written) or _DAYS.fullmatch(written) or (sizes[-1] != 4 and _TIME.search(written)):
        return None
    if len(sizes) == 2 and between in (".", ",") and sizes != (6, 4):  # a decimal number
        return None
    return _digits(written)


def _among(text: str, parts: Sequence[_Part]) -> Iterator[tuple[int, int, str]]:
    """Yield the numbers that stand among other digits."""
    sizes = tuple([part.end - part.start for part in parts])
    first = 0
    while first < len(parts):
        for last in range(first, min(first + 4, len(parts))):
            fits = sizes[first : last + 1] in _BESIDE_OTHERS
            if fits and (digits := _beside_others(text, parts[first].start, parts[last].end, sizes[first : last + 1])):
                yield parts[first].start, parts[last].end, digits
                first = last
                break
        first += 1


def _beside_others(text: str, start: int, end: int, sizes: tuple[int, ...]) -> str | None:
    """Return the ten digits of a number in a part of a text, or None."""
    cut = re.search(r"\d[.,]$", text[:start]) or re.match(r"[.,]\d*[1-9]", text[end:])  # a part of a decimal number
    if (cut and sizes != (6, 4)) or _MOMENT.fullmatch(text, start, end):
        return None
    return _digits(text[start:end])


def _digits(written: str) -> str | None:
    """Return the digits of a text if they begin with a day, in the century that the seventh stands for."""
    digits = "".join(str(int(sign)) for sign in written if sign.isdecimal())
    day, month, year = (int(digits[at : at + 2]) for at in (0, 2, 4))
    try:
        dt.date(_century(year, int(digits[6])) + year, month, day)
    except ValueError:
        return None
    return digits


def _century(year: int, seventh: int) -> int:
    """Return the century of a personal number, as the office of the Danish civil register gives it."""
    if seventh <= 3:
        return 1900
    if seventh in (4, 9):
        return 2000 if year <= 36 else 1900
    return 2000 if year <= 57 else 1800
