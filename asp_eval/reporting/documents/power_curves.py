"""The power of a study as a picture."""

from __future__ import annotations

import pandas as pd

from asp_eval.analysis.study_power import StudyPower
from asp_eval.reporting.figures.drawing import svg
from asp_eval.reporting.figures.power import Curve, power_figure
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers


def render_power(found: StudyPower, title: str, language: str, *, synthetic: bool = False) -> str:
    """Return the power curves of a study as an SVG file.

    Parameters
    ----------
    found : StudyPower
    title : str
        What the study is called.
    language : str
        ``da`` or ``en``.
    synthetic : bool
        Whether the study's data are simulated, which is then said.

    Raises
    ------
    Refusal
        If there is no catalogue for the language.
    """
    show = Numbers(words_for(language))
    frames, detectable = found.curves(), found.detectable["effect"].to_list()
    curves = [_curve(frame, effect, show) for frame, effect in zip(frames, detectable, strict=True)]
    heading = show.words("Power of the trial: {title}", title=title)
    notes = [
        show.words("Planning values, not findings. What is assumed stands in power.csv and in the command's account."),
        *([show.words("Shaded: the middle 90 % of the intraclass correlation.")] if any(c.low for c in curves) else []),
        *([show.words("Synthetic data: simulated, not from real institutions or children") + "."] if synthetic else []),
    ]
    return svg(power_figure(curves, show, aim=found.planned.aim, title=heading, note=" ".join(notes)))


def _curve(frame: pd.DataFrame, detectable: float, show: Numbers) -> Curve:
    icc = frame["icc"].iloc[0]
    label = (
        show.words("intraclass correlation as learned from an earlier wave")
        if isinstance(icc, str)
        else show.words("intraclass correlation {icc}", icc=show.decimal(float(icc), 2 if round(icc, 2) == icc else 3))
    )
    low, high = (tuple(frame[name]) if name in frame else () for name in ("power_low", "power_high"))
    return Curve(label, tuple(frame["effect"]), tuple(frame["power"]), float(detectable), low, high)
