"""The figure of the study: type I error by the number of clusters, one panel per method."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from cells import CLUSTERS, ICCS
from results import ALPHA, Row, mc_error

METHODS = (
    "z",
    "between-within",
    "Satterthwaite",
    "Kenward-Roger",
    "OLS + CR1",
    "OLS + CR2",
    "cluster means",
    "wild bootstrap",
    "permutation",
)
HEADING = "Per cent of trials without an effect in which a test at 5 % finds one, by number of clusters; Gaussian outcomes"
INK, GREY, RULE, BAND = "#222222", "#666666", "#cccccc", "#eeeeee"
COLOURS = dict(zip(ICCS, ("#0072b2", "#e69f00", "#009e73", "#cc3377"), strict=True))
WIDTH, PANEL, HEIGHT, LEFT, TOP, GAP_X, GAP_Y = 900, 250, 180, 50, 66, 36, 56
HIGHEST = 0.19
MARKS = (0.0, 0.05, 0.10, 0.15)


def draw_picture(rows: Sequence[Row]) -> str:
    """Return the figure as SVG."""
    shown = [r for r in rows if r.family == "gaussian"]
    methods = [m for m in METHODS if any(r.method == m for r in shown)]
    height = TOP + -(-len(methods) // 3) * (HEIGHT + GAP_Y)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'font-family="system-ui, sans-serif" font-size="12">',
        "<title>Type I error of nine methods by the number of clusters</title>",
        f"<desc>{escape(_description(shown, methods))}</desc>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        *_key(),
    ]
    for i, method in enumerate(methods):
        x, y = LEFT + i % 3 * (PANEL + GAP_X), TOP + i // 3 * (HEIGHT + GAP_Y) + 14
        parts += _panel(method, [r for r in shown if r.method == method], x, y)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _key() -> list[str]:
    """Return the explanation of colours and marks."""
    parts = [_text(LEFT, 18, HEADING, INK)]
    x = LEFT
    for icc, colour in COLOURS.items():
        parts += [f'<circle cx="{x + 5}" cy="36" r="4" fill="{colour}"/>', _text(x + 14, 40, f"ICC {icc:g}", INK)]
        x += 78
    parts += [f'<circle cx="{x + 15}" cy="36" r="4" fill="{GREY}"/>', _text(x + 24, 40, "equal clusters", INK)]
    parts += [_hollow(x + 125, 36, GREY), _text(x + 134, 40, "unequal", INK)]
    parts += [f'<rect x="{x + 200}" y="31" width="20" height="10" fill="{BAND}" stroke="{RULE}"/>']
    return [*parts, _text(x + 226, 40, "5 %, give or take Monte Carlo error (95 %)", INK)]


def _panel(method: str, rows: Sequence[Row], x: float, y: float) -> list[str]:
    """Return one method's panel."""
    half = 1.96 * mc_error(max((r.trials for r in rows), default=1))
    top, bottom = _place(ALPHA + half, y), _place(ALPHA - half, y)
    title = f"{method} (dash: the size it can have)" if any(r.attainable is not None for r in rows) else method
    parts = [_text(x, y - 6, title, INK, weight="600")]
    parts += [f'<rect x="{x}" y="{top:.1f}" width="{PANEL}" height="{bottom - top:.1f}" fill="{BAND}"/>']
    for mark in MARKS:
        at = _place(mark, y)
        colour = GREY if mark == ALPHA else RULE
        parts += [f'<line x1="{x}" x2="{x + PANEL}" y1="{at:.1f}" y2="{at:.1f}" stroke="{colour}" stroke-width="0.7"/>']
        parts += [_text(x - 6, at + 4, f"{mark * 100:.0f}", GREY, "end")]
    for i, m in enumerate(CLUSTERS):
        parts += [_text(x + _column(i), y + HEIGHT + 15, str(m), GREY, "middle")]
    for m, size in {r.clusters: r.attainable for r in rows if r.attainable is not None}.items():
        at, middle = _place(size, y), x + _column(CLUSTERS.index(m))
        parts += [f'<line x1="{middle - 13:.1f}" x2="{middle + 13:.1f}" y1="{at:.1f}" y2="{at:.1f}" stroke="{INK}"/>']
    for icc, colour in COLOURS.items():
        for sizes in ("equal", "unequal"):
            line = sorted((r for r in rows if r.icc == icc and r.sizes == sizes), key=lambda r: r.clusters)
            parts += _line(line, x, y, colour, hollow=sizes == "unequal")
    return parts


def _line(rows: Sequence[Row], x: float, y: float, colour: str, *, hollow: bool) -> list[str]:
    """Return the marks of one ICC and kind of sizes, joined; what lies above the panel is an arrow with its value."""
    shift = (ICCS.index(rows[0].icc) - 1.5) * 3.5 + (1.2 if hollow else -1.2) if rows else 0.0
    points = [(x + _column(CLUSTERS.index(r.clusters)) + shift, _place(r.rejects_zero, y), r) for r in rows]
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b, _ in points)
    dash = ' stroke-dasharray="3 2"' if hollow else ""
    parts = [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="0.8" opacity="0.6"{dash}/>']
    for a, b, row in points:
        label = escape(f"{row.clusters} clusters, {row.sizes}, ICC {row.icc:g}: {row.rejects_zero:.1%}")
        if row.rejects_zero > HIGHEST:
            corner = f"{a - 4:.1f},{b + 7:.1f} {a + 4:.1f},{b + 7:.1f} {a:.1f},{b:.1f}"
            parts += [f'<polygon points="{corner}" fill="{colour}"><title>{label}</title></polygon>']
        else:
            mark = _hollow(a, b, colour) if hollow else f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.6" fill="{colour}"/>'
            parts += [mark.replace("/>", f"><title>{label}</title></circle>")]
    return parts


def _hollow(x: float, y: float, colour: str) -> str:
    """Return a circle with a white inside."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="#ffffff" stroke="{colour}" stroke-width="1.3"/>'


def _column(i: int) -> float:
    """Return where the i-th number of clusters stands."""
    return 22 + i * (PANEL - 44) / (len(CLUSTERS) - 1)


def _place(share: float, y: float) -> float:
    """Return the height of a share; what lies above the panel lies at its edge."""
    return y + HEIGHT * (1 - min(share, HIGHEST) / HIGHEST)


def _text(x: float, y: float, text: str, colour: str, anchor: str = "start", weight: str = "400") -> str:
    """Return a line of text."""
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>'


def _description(rows: Sequence[Row], methods: Sequence[str]) -> str:
    """Say the figure in words."""
    said = []
    for method in methods:
        shares = [r.rejects_zero for r in rows if r.method == method]
        said.append(f"{method}: from {min(shares):.1%} to {max(shares):.1%}")
    return "Over all Gaussian cells. " + "; ".join(said) + ". Every value stands in small-sample-inference.csv."
