"""How a number is shown. The only place that rounds for display.

Halves round away from zero, as a reader would round them. A minus is a true minus sign; what rounds to zero has none.
A number that cannot be had shows its reason, and a number that is not finite is refused: it must not reach a page.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from string import Formatter

from babel.dates import format_date
from babel.numbers import format_decimal

from asp_eval.core.errors import Fault, Unavailable
from asp_eval.reporting.language import Words

MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"
NOTHING = "\N{EN DASH}"

# CLDR's plain "en" is American; reports in English are read in Europe.
_LOCALES = {"en": "en_GB"}

NOT_FINITE = Fault(
    "REP-002",
    "a number in the results is not finite and cannot be printed",
    "Report this: a number that cannot be had should have come with a reason.",
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number behind a text.

    Attributes
    ----------
    value : float
        The number itself, not rounded.
    digits : int
        The decimals it is shown with.
    percent : bool
        Whether it is shown in percent; `value` is the share, between 0 and 1.
    """

    value: float
    digits: int
    percent: bool = False


class Shown(str):
    """A text that keeps the numbers it shows, in the order in which it shows them."""

    __slots__ = ("quantities",)
    quantities: tuple[Quantity, ...]

    def __new__(cls, text: str, *quantities: Quantity) -> Shown:
        """Return the text with its numbers."""
        shown = super().__new__(cls, text)
        shown.quantities = quantities
        return shown


def quantities_of(text: object) -> tuple[Quantity, ...]:
    """Return the numbers that a text keeps; a plain text keeps none."""
    return text.quantities if isinstance(text, Shown) else ()


def composed(template: str, fields: Mapping[str, object]) -> Shown:
    """Return a template with its ``{fields}`` filled in, and the numbers of all of them.

    Examples
    --------
    >>> one, two = Shown("3", Quantity(3, 0)), Shown("9", Quantity(9, 0))
    >>> composed("{part} of {total}", {"total": two, "part": one}).quantities
    (Quantity(value=3, digits=0, percent=False), Quantity(value=9, digits=0, percent=False))
    """
    names = [name for _, name, _, _ in Formatter().parse(template) if name]
    return Shown(template.format_map(fields), *(part for name in names for part in quantities_of(fields[name])))


def joined(separator: str, texts: Iterable[str]) -> Shown:
    """Return texts with a separator between them, and the numbers of all of them."""
    parts = tuple(texts)
    return Shown(separator.join(parts), *(quantity for part in parts for quantity in quantities_of(part)))


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """Numbers and dates as one language writes them.

    Examples
    --------
    >>> from asp_eval.reporting.language import words_for
    >>> danish = Numbers(words_for("da"))
    >>> danish.decimal(-1.005, 2), danish.p_value(0.0131), danish.interval(-0.75, -0.09, 2)
    ('−1,01', '0,013', '−0,75 til −0,09')
    """

    words: Words

    @property
    def locale(self) -> str:
        """The CLDR locale of numbers and dates."""
        return _LOCALES.get(self.words.language, self.words.language)

    def say(self, sentence: str, /, **fields: object) -> Shown:
        """Return a sentence with its fields filled in, and the numbers of all of them."""
        return composed(self.words.messages.gettext(sentence), fields)

    def plural(self, one: str, many: str, n: int, /, **fields: object) -> Shown:
        """Return a sentence in the singular or the plural that `n` asks for, and the numbers of all its fields."""
        return composed(self.words.messages.ngettext(one, many, n), fields)

    def children(self, n: int) -> Shown:
        """Return a count of children with its noun.

        Examples
        --------
        >>> from asp_eval.reporting.language import words_for
        >>> Numbers(words_for("da")).children(1), Numbers(words_for("en")).children(1204)
        ('1 barn', '1,204 children')
        """
        return self.plural("{n} child", "{n} children", n, n=self.integer(n))

    def institutions(self, n: int) -> Shown:
        """Return a count of institutions with its noun."""
        return self.plural("{n} institution", "{n} institutions", n, n=self.integer(n))

    def decimal(self, value: float | Unavailable | None, digits: int = 2) -> Shown:
        """Return a number with a fixed count of decimals; an unavailable one as its reason; None as a dash."""
        if value is None:
            return Shown(NOTHING)
        if isinstance(value, Unavailable):
            return Shown(self.reason(value))
        if not math.isfinite(value):
            NOT_FINITE.refuse(found=value)
        exact = rounded(value, digits)
        shown = _formatted(abs(exact), digits, self.locale)
        return Shown(MINUS + shown if exact < 0 else shown, Quantity(value, digits))

    def integer(self, value: int | None) -> Shown:
        """Return a count with its thousands set apart."""
        return self.decimal(value, 0)

    def count(self, value: int | None, minimum: int) -> Shown:
        """Return a count of people, or "fewer than `minimum`" where None stands for a suppressed one."""
        return Shown(f"<{NO_BREAK}{self.integer(minimum)}") if value is None else self.integer(value)

    def percent(self, share: float, digits: int = 0) -> Shown:
        """Return a share between 0 and 1 in percent; it is rounded as a share, for 100 times 0.2875 is less than 28.75."""
        space = "" if self.words.language == "en" else NO_BREAK
        exact = float(100 * rounded(share, digits + 2)) if math.isfinite(share) else share
        return Shown(f"{self.decimal(exact, digits)}{space}%", Quantity(share, digits, percent=True))

    def p_value(self, value: float | None) -> Shown:
        """Return a p-value with three decimals, and its bounds beyond them."""
        if value is None:
            return Shown(NOTHING)
        behind = Quantity(value, 3)
        if value < 0.001:
            return Shown(f"<{NO_BREAK}{self.decimal(0.001, 3)}", behind)
        return Shown(f">{NO_BREAK}{self.decimal(0.999, 3)}", behind) if value > 0.999 else self.decimal(value, 3)

    def p_equation(self, value: float) -> Shown:
        """Return ``p = 0.013`` or ``p < 0.001``."""
        shown = self.p_value(value)
        equals = "" if shown[0] in "<>" else f"={NO_BREAK}"
        return Shown(f"p{NO_BREAK}{equals}{shown}", *shown.quantities)

    def degrees_of_freedom(self, value: float | None) -> Shown:
        """Return degrees of freedom: whole where they are whole, one decimal otherwise, infinite for a normal test."""
        if value is None:
            return Shown(NOTHING)
        if math.isinf(value):
            return Shown("\N{INFINITY}")
        return self.decimal(value, 0 if abs(value - round(value)) < 0.05 else 1)

    def interval(self, low: float | None, high: float | None, digits: int = 2) -> Shown:
        """Return two bounds with "to" between them: a dash would be taken for a minus."""
        if low is None or high is None:
            return Shown(NOTHING)
        return self.say("{low} to {high}", low=self.decimal(low, digits), high=self.decimal(high, digits))

    def beside(self, first: str, second: str) -> Shown:
        """Return two texts, the second in brackets: a mean and its standard deviation, a count and its share."""
        return composed("{first} ({second})", {"first": first, "second": second})

    def bracketed(self, text: str) -> Shown:
        """Return a text in brackets."""
        return composed("({text})", {"text": text})

    def level(self, level: float) -> Shown:
        """Return a confidence level in percent, without decimals it does not need."""
        return self.percent(level, 0 if math.isclose(100 * level, round(100 * level)) else 1)

    def day(self, iso: str) -> str:
        """Return an ISO 8601 day as people write it; text that is no day stays as it is."""
        try:
            return str(format_date(date.fromisoformat(iso), "long", locale=self.locale))
        except ValueError:
            return iso

    def reason(self, value: Unavailable) -> str:
        """Return why a number cannot be had."""
        return self.words("not available: {reason}", reason=self.words.note(value.reason))


@lru_cache(maxsize=8_192)  # pages show few different numbers, many times
def _formatted(value: Decimal, digits: int, locale: str) -> str:
    """Return a number that is not negative with its decimals and thousands, as a locale writes them."""
    return str(format_decimal(value, format="#,##0" + ("." + "0" * digits if digits else ""), locale=locale))


def rounded(value: float, digits: int = 2) -> Decimal:
    """Return a number as it is shown, for comparing what readers see with a limit.

    Examples
    --------
    >>> rounded(0.054), rounded(-1.005)
    (Decimal('0.05'), Decimal('-1.01'))
    """
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def digits_for(std_error: float | None) -> int:
    """Return how many decimals an estimate deserves: two, more where rounding would hide a quarter of the standard error.

    With large standard errors fewer: one from 5, none from 50.

    Examples
    --------
    >>> digits_for(0.163), digits_for(0.0123), digits_for(7.5), digits_for(None)
    (2, 3, 1, 2)
    """
    if std_error is None or not math.isfinite(std_error) or std_error <= 0:
        return 2
    usual = 2 if std_error < 5 else 1 if std_error < 50 else 0
    return min(6, max(usual, math.ceil(-math.log10(std_error / 2))))
