"""The study's tables in Markdown, written between the markers of the page that explains them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from picture import METHODS
from results import ALPHA, Row, mc_error

SHORT = {
    "z": "z",
    "between-within": "BW",
    "Satterthwaite": "Satt",
    "Kenward-Roger": "KR",
    "OLS + CR1": "CR1",
    "OLS + CR2": "CR2",
    "cluster means": "means",
    "wild bootstrap": "wild",
    "permutation": "perm",
}
ENOUGH = 100
"""Trials from which on a share is shown."""
Show = Callable[[Row], str]


def write_tables(page: Path, rows: Sequence[Row]) -> None:
    """Put the tables of the results into the page; a table stands between `<!-- name -->` and `<!-- /name -->`."""
    text = page.read_text(encoding="utf-8")
    for name, table in every_table(rows).items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        text = pattern.sub(lambda found, t=table: f"{found[1]}{t}\n{found[2]}", text)
    page.write_text(text, encoding="utf-8")


def every_table(rows: Sequence[Row]) -> dict[str, str]:
    """Return every table by its name."""

    def some(family: str, sizes: str = "", effect: bool = False) -> list[Row]:
        kept = [r for r in rows if r.family == family and (not sizes or r.sizes == sizes)]
        return [r for r in kept if bool(r.effect) == effect]

    return {
        "gaussian equal": table(some("gaussian", "equal"), error),
        "gaussian unequal": table(some("gaussian", "unequal"), error),
        "no covariate": table(some("no-covariate"), error, "sizes"),
        "sdq": table(some("sdq"), error),
        "sdq coverage": table(some("sdq", effect=True), coverage),
        "arm icc": table(some("arm-icc"), error, "arms"),
        "informative": table(some("informative", effect=True), coverage, "estimand"),
        "satterthwaite": satterthwaite(some("gaussian")),
        "singular": singular(some("gaussian")),
        "kenward-roger": kenward_roger(rows),
    }


def table(rows: Sequence[Row], show: Show, *extra: str) -> str:
    """Return cells by methods."""
    methods = [m for m in METHODS if any(r.method == m for r in rows)]
    cells: dict[tuple[object, ...], dict[str, Row]] = {}
    for r in rows:
        cells.setdefault((*r.cell_key, r.estimand), {})[r.method] = r
    lines = [_line(["ICC", "clusters", *extra, *(SHORT[m] for m in methods)]), _line(["---"] * (2 + len(extra) + len(methods)))]
    for found in cells.values():
        first = next(iter(found.values()))
        icc = f"{first.icc:g}" if first.icc == first.icc_treated else f"{first.icc:g} / {first.icc_treated:g}"
        more = [_extra(first, e) for e in extra]
        lines.append(_line([icc, str(first.clusters), *more, *(show(found[m]) if m in found else "" for m in methods)]))
    return "\n".join(lines)


def error(row: Row) -> str:
    """Return a type I error in per cent, bold where it is above 5 %, italic where below, by more than Monte Carlo error."""
    text = f"{100 * row.rejects_zero:.1f}"
    half = 1.96 * row.mc_error
    nominal = ALPHA if row.attainable is None else row.attainable
    if row.rejects_zero > nominal + half:
        return f"**{text}**"
    return f"*{text}*" if row.rejects_zero < nominal - half else text


def coverage(row: Row) -> str:
    """Return a coverage in per cent, bold where it is below 95 %, italic where above, by more than Monte Carlo error."""
    if row.coverage is None:
        return ""
    half = 1.96 * mc_error(max(round(row.trials * row.available), 1))
    nominal = 1 - (ALPHA if row.attainable is None else row.attainable)
    text = f"{100 * row.coverage:.1f}"
    if row.coverage < nominal - half:
        return f"**{text}**"
    return f"*{text}*" if row.coverage > nominal + half else text


def satterthwaite(rows: Sequence[Row]) -> str:
    """Return how often Satterthwaite has an answer, and what it is worth where it has one."""
    found = [r for r in rows if r.method == "Satterthwaite"]
    lines = [_line(["sizes", "ICC", "clusters", "available", "of all trials", "of those available"]), _line(["---"] * 6)]
    for r in found:
        own = "" if r.rejects_zero_available is None else f"{100 * r.rejects_zero_available:.1f}"
        numbers = [f"{100 * r.available:.0f}", f"{100 * r.rejects_zero:.1f}", own]
        lines.append(_line([r.sizes, f"{r.icc:g}", str(r.clusters), *numbers]))
    return "\n".join(lines)


def singular(rows: Sequence[Row]) -> str:
    """Return the type I error among trials whose mixed model has a zero variance between clusters."""
    shown = [m for m in METHODS if any(r.method == m and r.rejects_zero_singular is not None for r in rows)]
    cells: dict[tuple[object, ...], dict[str, Row]] = {}
    for r in rows:
        cells.setdefault(r.cell_key, {})[r.method] = r
    lines = [_line(["sizes", "ICC", "clusters", "singular", *(SHORT[m] for m in shown)])]
    lines.append(_line(["---"] * (4 + len(shown))))
    for found in cells.values():
        first = next(iter(found.values()))
        share = first.singular or 0.0
        count = round(share * first.trials)
        if count >= ENOUGH:
            numbers = [_marked(found[m].rejects_zero_singular, count) for m in shown]
            lines.append(_line([first.sizes, f"{first.icc:g}", str(first.clusters), f"{100 * share:.1f}", *numbers]))
    return "\n".join(lines)


def _marked(share: float | None, trials: int) -> str:
    """Return a type I error in per cent, marked as in `error`."""
    if share is None:
        return ""
    text, half = f"{100 * share:.1f}", 1.96 * mc_error(trials)
    if share > ALPHA + half:
        return f"**{text}**"
    return f"*{text}*" if share < ALPHA - half else text


def kenward_roger(rows: Sequence[Row]) -> str:
    """Return where Kenward-Roger is at its level: by clusters and ICC, over both kinds of sizes, on Gaussian cells."""
    found = [r for r in rows if r.family == "gaussian" and r.method == "Kenward-Roger"]
    iccs = sorted({r.icc for r in found})
    heads = [f"ICC {icc:g}, {sizes}" for icc in iccs for sizes in ("equal", "unequal")]
    lines = [_line(["clusters", *heads]), _line(["---"] * (1 + len(heads)))]
    for m in sorted({r.clusters for r in found}):
        cells = {(r.icc, r.sizes): f"{error(r)} (df {r.median_df:.1f})" for r in found if r.clusters == m}
        lines.append(_line([str(m), *(cells.get((icc, sizes), "") for icc in iccs for sizes in ("equal", "unequal"))]))
    return "\n".join(lines)


def _extra(row: Row, name: str) -> str:
    """Return what else names a cell."""
    if name == "arms":
        return f"{row.treated} of {row.clusters} treated, {row.sizes}"
    return str(getattr(row, name))


def _line(cells: Sequence[str]) -> str:
    """Return a line of a table."""
    return "| " + " | ".join(cells) + " |"
