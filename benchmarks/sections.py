"""What is compared: programs on the same data, and the ratios to reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trial_data import write_growth, write_trial


@dataclass(frozen=True)
class Task:
    """One program on one data set."""

    name: str
    label: str
    repetitions: int = 15


@dataclass(frozen=True)
class Target:
    """A ratio to reach: the peer's time over ours."""

    ours: str
    peer: str
    factor: float


@dataclass(frozen=True)
class Section:
    """Programs on one data set, with the ratios to reach."""

    key: str
    title: str
    make: Callable[[Path], Path]
    tasks: tuple[Task, ...]
    targets: tuple[Target, ...] = ()
    note: str = ""


RUST = """Python has had mixed models in Rust since 2026. What they return on these data, and on 300 children in 30 institutions
(where the standard error is 0.1576 with 27.02 Kenward-Roger degrees of freedom): mixedlm 1.3.0 gives Satterthwaite's degrees of
freedom under the name of Kenward-Roger, and the model's standard errors; lme-python 0.2.7 gives Kenward and Roger's degrees of
freedom with the model's standard errors, in a time that grows with the square of the rows; interlace-lme 0.3.2 agrees here, and
on the 300 children gives a standard error of 0.1249 with 294 degrees of freedom, as without institutions (so in 8 of 12 synthetic
trials of 300 to 1,200 children); kamino-lme 0.0.1 agrees on the 300, and refuses 3,000 ("observation count exceeds the
Kenward-Roger dense resource limit")."""

SECTIONS = (
    Section(
        "trial",
        "3,000 children in 60 institutions",
        lambda folder: write_trial(folder, 60, 50),
        (
            Task("asp_frame_kr", "asp_eval, frame and formula to Kenward-Roger table", 51),
            Task("asp_arrays_kr", "asp_eval, arrays to Kenward-Roger table", 51),
            Task("asp_frame_fit", "asp_eval, fit alone", 51),
            Task("lme4_fit", "lme4, fit alone"),
            Task("lmertest_kr", "lmerTest, fit and Kenward-Roger for all coefficients", 7),
            Task("statsmodels_powell", "statsmodels, fit (powell), z", 9),
            Task("gpboost_ml", "gpboost, maximum likelihood, z", 9),
            Task("mixedlm_kr", 'mixedlm, fit and what it calls "Kenward-Roger" (Satterthwaite\'s df)', 9),
            Task("lme_python_kr", "lme-python, fit and Kenward-Roger df", 1),
            Task("interlace_kr", "interlace-lme, fit and Kenward-Roger df", 9),
            Task("kamino_kr", "kamino-lme, fit and Kenward-Roger", 9),
            Task("asp_cr2", "asp_eval, CR2 with df on the fit", 51),
            Task("clubsandwich_cr2", "clubSandwich, CR2 with df on the fit", 7),
            Task("asp_ols_cr2", "asp_eval, least squares with CR2", 51),
            Task("clubsandwich_ols_cr2", "clubSandwich, least squares with CR2", 7),
        ),
        (
            Target("asp_frame_kr", "lmertest_kr", 25),
            Target("asp_frame_kr", "statsmodels_powell", 10),
            Target("asp_cr2", "clubsandwich_cr2", 50),
        ),
        RUST,
    ),
    Section(
        "clusters",
        "30,000 children in 600 institutions",
        lambda folder: write_trial(folder, 600, 50),
        (
            Task("asp_cr2", "asp_eval, CR2 with df on the fit"),
            Task("clubsandwich_cr2", "clubSandwich, CR2 with df on the fit", 1),
            Task("asp_frame_kr", "asp_eval, frame and formula to Kenward-Roger table"),
            Task("lme4_fit", "lme4, fit alone", 5),
        ),
        (Target("asp_cr2", "clubsandwich_cr2", 50),),
    ),
    Section(
        "small-clusters",
        "12,000 children in 60 institutions of 200",
        lambda folder: write_trial(folder, 60, 200),
        (
            Task("asp_kr", "asp_eval, Kenward-Roger on the fit", 51),
            Task("pbkrtest_kr", "pbkrtest, Kenward-Roger on the fit", 1),
            Task("asp_cr2", "asp_eval, CR2 with df on the fit"),
            Task("clubsandwich_cr2", "clubSandwich, CR2 with df on the fit", 1),
        ),
    ),
    Section(
        "large-clusters",
        "60,000 children in 60 institutions of 1,000",
        lambda folder: write_trial(folder, 60, 1000),
        (Task("asp_kr", "asp_eval, Kenward-Roger on the fit", 51), Task("asp_cr2", "asp_eval, CR2 with df on the fit")),
    ),
    Section(
        "growth",
        "3 waves of 3,000 children in 60 institutions (9,000 rows), slope on time",
        write_growth,
        (
            Task("asp_growth", "asp_eval, fit alone", 15),
            Task("lme4_growth", "lme4, fit alone", 5),
            Task("asp_growth_kr", "asp_eval, Kenward-Roger on the fit", 51),
            Task("pbkrtest_growth_kr", "pbkrtest, Kenward-Roger on the fit", 1),
            Task("asp_growth_cr2", "asp_eval, CR2 with df on the fit", 15),
            Task("clubsandwich_growth_cr2", "clubSandwich, CR2 with df on the fit", 1),
        ),
        (
            Target("asp_growth", "lme4_growth", 5),
            Target("asp_growth_kr", "pbkrtest_growth_kr", 100),
            Target("asp_growth_cr2", "clubsandwich_growth_cr2", 50),
        ),
    ),
    Section(
        "million",
        "1,000,000 children in 20,000 institutions",
        lambda folder: write_trial(folder, 20_000, 50),
        (
            Task("asp_arrays_kr", "asp_eval, arrays to Kenward-Roger table", 9),
            Task("asp_frame_kr", "asp_eval, frame and formula to Kenward-Roger table", 9),
            Task("lme4_fit", "lme4, fit alone", 3),
            Task("gpboost_ml", "gpboost, maximum likelihood, z", 3),
            Task("asp_cr2", "asp_eval, CR2 with df on the fit", 3),
            Task("reading", "reading the columns", 9),
        ),
        (Target("asp_arrays_kr", "lme4_fit", 100), Target("asp_frame_kr", "lme4_fit", 30)),
    ),
)
