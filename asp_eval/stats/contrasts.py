"""Contrasts of coefficients: named weights to rows of L, and the tables every kind of fit prints.

``tidy``, ``contrast`` and ``joint_test`` are the same for a linear and for a mixed model: the fit brings its
coefficients, the method (`asp_eval.stats.smallsample.method.Method`) brings their uncertainty.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, replace
from functools import lru_cache
from typing import Any, Protocol, TypeGuard, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.extensions import ExtensionArray

from asp_eval.core.errors import Fault, Unavailable
from asp_eval.core.phrases import NO_NOTE, Phrase, notes_in_one
from asp_eval.stats.estimate import ESTIMATE_COLUMNS, JOINT_COLUMNS, Array, Estimate, JointTest, t_quantile, t_tail
from asp_eval.stats.smallsample.direct import DirectMethod
from asp_eval.stats.smallsample.method import ContrastErrors, Fit, Method

UNKNOWN_TERM = Fault("FIT-001", "there is no coefficient named {term!r}", "Use one of the names in the term column: {near}.")
LEVEL = Fault("FIT-002", "a confidence level lies between 0 and 1", "Give for example level=0.95.")
CONTRAST_SHAPE = Fault(
    "FIT-003", "a contrast has one weight per coefficient", "Give a mapping from names to weights, or rows of {p} weights."
)
DROPPED_TERM = Fault(
    "FIT-004",
    "the coefficient {term!r} was dropped, because its column is a linear combination of others",
    "Leave it out of the contrast.",
)
NO_METHOD = Fault(
    "FIT-006",
    "a method of inference is a value, not a name or a class",
    "Give for example method=asp_eval.KenwardRoger(), with brackets.",
)
BAD_WEIGHT = Fault("FIT-007", "the weight of {term!r} is not a finite number", "Give a number for every coefficient named.")
ONE_ROW = Fault("FIT-008", "a contrast is one linear combination", "Use joint_test() for several together.")
NOT_WHOLE = Fault("FIT-009", "{name} is no whole number of at least {least}", "Give for example {name}={least}.")
EMPTY_CONTRAST = Fault("FIT-005", "nothing is left to test", "Give at least one contrast that is not zero.")


class NamedContrasts(Protocol):
    """Contrasts that are tested together, under a name."""

    @property
    def term(self) -> str: ...  # noqa: D102

    @property
    def contrasts(self) -> Array | Unavailable: ...  # noqa: D102

    @property
    def note(self) -> Phrase: ...  # noqa: D102


Weights = Mapping[str, float] | npt.NDArray[Any] | Sequence[float] | str
"""One linear combination: names with their weights, one weight per coefficient, or the name of a coefficient."""
Rows = Sequence[str] | Sequence[Mapping[str, float]] | npt.NDArray[Any] | Weights
"""Several linear combinations: names, mappings, or rows of weights."""


def contrast_row(fit: Fit, weights: Mapping[str, float]) -> Array:
    """Return the row (p,) of L that holds `weights` at the named coefficients.

    Raises
    ------
    Refusal
        If a name is unknown, its coefficient was dropped, or a weight is no finite number.
    """
    row = np.zeros(len(fit.names))
    for term, weight in weights.items():
        if not isinstance(weight, (int, float, np.number)) or not np.isfinite(weight):
            BAD_WEIGHT.refuse(found=weight, term=term)
        row[_index(fit, term)] = weight
    return row


def contrast_matrix(fit: Fit, contrasts: Rows) -> Array:
    """Return L (q, p) from names, from mappings of names to weights, or from rows of weights.

    Raises
    ------
    Refusal
        As `contrast_row`, or if the rows have another shape.
    """
    p = len(fit.names)
    given = _by_name(contrasts)
    if not _are_named(given):
        try:
            L = np.atleast_2d(np.asarray(given, float))
        except (TypeError, ValueError):
            return CONTRAST_SHAPE.refuse(found=type(contrasts).__name__, p=p)
        if L.ndim != 2 or L.shape[1] != p:
            CONTRAST_SHAPE.refuse(found=L.shape, expected=f"(q, {p})", p=p)
        if not np.isfinite(L).all():
            BAD_WEIGHT.refuse(found=Phrase("a weight that is missing or infinite"), term="L")
        return L
    rows = [contrast_row(fit, {c: 1.0} if isinstance(c, str) else c) for c in given]
    return np.array(rows).reshape(len(rows), p)


def _by_name(contrasts: object) -> object:
    """Return contrasts as a list of names and mappings, where they are given by names in any way."""
    if isinstance(contrasts, pd.DataFrame):
        return contrasts.to_dict("records")
    if isinstance(contrasts, pd.Series):
        return [contrasts.to_dict()]
    return [contrasts] if isinstance(contrasts, (str, Mapping)) else contrasts


def _are_named(contrasts: object) -> TypeGuard[Sequence[str | Mapping[str, float]]]:
    """Whether contrasts are given by names."""
    return isinstance(contrasts, (list, tuple)) and all(isinstance(c, (str, Mapping)) for c in contrasts)


def tidy(fit: Fit, method: Method, level: float = 0.95) -> pd.DataFrame:
    """Return one row per coefficient; a dropped coefficient has empty numbers and says so."""
    _check(method, level)
    names, dropped = fit.names, fit.dropped
    L = _identity(len(names))
    if isinstance(method, DirectMethod):
        rows = method.rows(fit, L, names, level)
    else:
        values, found = _judged(fit, L, method)
        if not dropped and not isinstance(found, Unavailable) and _is_plain(found):
            return _table((names, (found.method,) * len(names), (found.note,) * len(names)), _numbers(values, found, level))
        rows = _told(names, values, found, method, level)
    rows += [Estimate.unavailable(t, DROPPED, method=method.name) for t in dropped]
    texts = [tuple(getattr(r, c) for r in rows) for c in _TEXTS]
    return _table(texts, np.array([[getattr(r, c) for r in rows] for c in _NUMBERS], float))


def _table(texts: Sequence[tuple[str, ...]], numbers: Array) -> pd.DataFrame:
    """Return the frame of estimates from its three columns of texts and the rows of numbers (7, k) between them.

    What pandas does with columns that it made itself takes half the time.
    """
    term, method, note = (_text_column(t).copy() for t in texts)
    columns = [term, *numbers, method, note]
    made = getattr(pd.DataFrame, "_from_arrays", None)  # not part of what pandas promises
    if made is None:
        return pd.DataFrame(dict(zip(ESTIMATE_COLUMNS, columns, strict=True)), copy=False)
    return cast(pd.DataFrame, made(columns, columns=_COLUMNS.copy(), index=pd.RangeIndex(len(term)), verify_integrity=False))


@lru_cache(maxsize=64)
def _identity(p: int) -> Array:
    """Return the contrasts that are the coefficients themselves."""
    out = np.eye(p)
    out.setflags(write=False)  # tables of one size share it
    return out


@lru_cache(maxsize=128)
def _text_column(texts: tuple[str, ...]) -> ExtensionArray:
    """Return a column of texts; a table after the other has the same ones, and telling that they are texts takes time."""
    return pd.Series([str(t) for t in texts]).array


def contrast(fit: Fit, weights: Weights, method: Method, level: float = 0.95, label: str = "") -> Estimate:
    """Return the estimate of one linear combination of coefficients."""
    L = contrast_matrix(fit, weights)
    if len(L) != 1:
        ONE_ROW.refuse(found=Phrase("{n} rows", n=len(L)))
    term = label or " + ".join(f"{w:g}*{t}" for t, w in zip(fit.names, L[0], strict=True) if w)
    if isinstance(weights, str):
        term = label or weights
    if isinstance(weights, Mapping) and not label and list(weights.values()) == [1.0]:
        term = next(iter(weights))
    return estimates(fit, L, (term,), method, level)[0]


def covariance(fit: Fit, method: Method | None, own: Callable[[], Array | Unavailable]) -> pd.DataFrame | Unavailable:
    """Return the covariance matrix of the coefficients, named: a method's, or the model's own."""
    found = own() if method is None else method_or(method, method).covariance(fit)
    return found if isinstance(found, Unavailable) else pd.DataFrame(found, index=list(fit.names), columns=list(fit.names))


def joint_test(fit: Fit, contrasts: Rows, method: Method, label: str = "") -> JointTest:
    """Return the test that all `contrasts` are zero together.

    The rows are replaced by an orthonormal basis of their span, so that their order and scaling do not matter.
    """
    L = orthonormal_rows(contrast_matrix(fit, contrasts))
    if not len(L):
        EMPTY_CONTRAST.refuse()
    names = [contrasts] if isinstance(contrasts, (str, Mapping)) else contrasts
    term = label or ", ".join(c if isinstance(c, str) else "contrast" for c in names)
    if not isinstance(method, Method):
        NO_METHOD.refuse(found=method)
    test = method.f_test(fit, L)
    if isinstance(test, Unavailable):
        return JointTest(term, None, None, None, None, method.name, test.reason)
    return JointTest(term, test.statistic, test.df_numerator, test.df_denominator, test.p_value, test.method, test.note)


def joint_table(fit: Fit, terms: Sequence[NamedContrasts], method: Method) -> pd.DataFrame:
    """Return one joint test per term, given its contrasts or why it has none."""
    rows = []
    for named in terms:
        if isinstance(named.contrasts, Unavailable):
            rows.append(JointTest(named.term, None, None, None, None, method.name, named.contrasts.reason))
        else:
            test = joint_test(fit, named.contrasts, method, named.term)
            rows.append(replace(test, note=notes_in_one(n for n in (test.note, named.note) if n)))
    return pd.DataFrame([astuple(r) for r in rows], columns=list(JOINT_COLUMNS))


def estimates(fit: Fit, L: Array, terms: Sequence[str], method: Method, level: float) -> list[Estimate]:
    """Return one `Estimate` per row of L (k, p)."""
    _check(method, level)
    if isinstance(method, DirectMethod):
        return method.rows(fit, L, terms, level)
    return _told(terms, *_judged(fit, L, method), method, level)


def _check(method: object, level: object) -> None:
    """Refuse what is no method, and what is no confidence level."""
    if not isinstance(method, Method):
        NO_METHOD.refuse(found=method)
    check_level(level)


def _judged(fit: Fit, L: Array, method: Method) -> tuple[Array, ContrastErrors | Unavailable]:
    """Return the values of contrasts (k,) and their uncertainty."""
    found = method.errors(fit, L)
    other = None if isinstance(found, Unavailable) else found.estimate
    return L @ fit.estimate if other is None else other, found


def _told(
    terms: Sequence[str], values: Array, found: ContrastErrors | Unavailable, method: Method, level: float
) -> list[Estimate]:
    """Return the rows of contrasts whose uncertainty was asked for."""
    named = list(zip(terms, values.tolist(), strict=True))
    if isinstance(found, Unavailable):
        return [Estimate.unavailable(t, found.reason, method=method.name, estimate=v) for t, v in named]
    return _rows(named, found, level)


def method_or(method: Method | None, usual: Method) -> Method:
    """Return the method asked for, or the usual one."""
    if method is None:
        return usual
    if not isinstance(method, Method):
        NO_METHOD.refuse(found=method)
    return method


def check_level(level: object) -> None:
    """Refuse what is no confidence level."""
    if not isinstance(level, (int, float, np.number)) or not 0 < level < 1:
        LEVEL.refuse(found=level)


def whole_number(name: str, value: object, least: int) -> int:
    """Return an argument that is a whole number, at least as large as said."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)) or value < least:
        NOT_WHOLE.refuse(found=value, name=name, least=least)
    return int(value)


def orthonormal_rows(L: Array) -> Array:
    """Return an orthonormal basis (q, p) of the span of the rows of L; a single row keeps its size."""
    size = np.linalg.norm(L, axis=1)
    unit = L[size > 0] / size[size > 0, None]
    if len(unit) <= 1:
        return np.asarray(L[size > 0], float)
    _, s, V = np.linalg.svd(unit, full_matrices=False)
    rank = int((s > 1e-10 * s[0]).sum())
    return np.asarray(V[:rank], float)


def _is_plain(errors: ContrastErrors) -> bool:
    """Whether every contrast has a standard error, and one method and one note are all that is said."""
    return not (errors.reasons or errors.notes or errors.methods) and bool((errors.std_error > 0).all())


def _numbers(value: Array, errors: ContrastErrors, level: float) -> Array:
    """Return the numbers of estimates (7, k), from the value to the interval."""
    se, df = errors.std_error, errors.df
    t = np.divide(value, se, out=np.full_like(se, np.nan), where=se > 0)
    half = t_quantile((1 + level) / 2, df) * se
    return np.array((value, se, df, t, 2 * t_tail(np.abs(t), df), value - half, value + half))


def _rows(named: list[tuple[str, float]], errors: ContrastErrors, level: float) -> list[Estimate]:
    """Return the rows of contrasts whose standard errors, and mostly degrees of freedom, are known."""
    complete = _numbers(np.array([v for _, v in named]), errors, level)
    se, t = complete[1], complete[3]
    rows = []
    for i, (term, estimate) in enumerate(named):
        reason = errors.reasons[i] if errors.reasons else NO_NOTE
        method = errors.methods[i] if errors.methods else errors.method
        if not se[i] > 0:
            rows.append(Estimate.unavailable(term, reason or NO_VARIANCE, method=method, estimate=estimate))
        elif reason:
            rows.append(Estimate(term, estimate, float(se[i]), None, float(t[i]), None, None, None, method, reason))
        else:
            note = errors.notes[i] if errors.notes else errors.note
            v, s, d, ti, p, low, high = complete[:, i].tolist()
            rows.append(Estimate(term, v, s, d, ti, p, low, high, method, note))
    return rows


def _index(fit: Fit, term: str) -> int:
    """Return the position of a coefficient."""
    if not isinstance(term, str):
        UNKNOWN_TERM.refuse(term=term, near=", ".join(fit.names[:5]))
    if term in fit.names:
        return fit.names.index(term)
    if term in fit.dropped:
        DROPPED_TERM.refuse(term=term)
    near = difflib.get_close_matches(term, fit.names, n=3, cutoff=0.3) or fit.names[:5]
    return UNKNOWN_TERM.refuse(term=term, near=", ".join(near))


DROPPED = Phrase("dropped: its column is a linear combination of columns before it")
NO_VARIANCE = Phrase("the contrast has no variance")
_TEXTS = ("term", "method", "note")
_NUMBERS = tuple(c for c in ESTIMATE_COLUMNS if c not in _TEXTS)
_COLUMNS = pd.Index(ESTIMATE_COLUMNS)
