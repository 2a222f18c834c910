"""What is compared: programs on the same data, and the ratios to reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trial_data import write_classes, write_crossed, write_growth, write_insteval, write_trial


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


def _fits(model: str, ours: int, mixedlm: int, lme4: int) -> tuple[Task, ...]:
    """Return the fits of a model alone, here and by two others, each with its repetitions."""
    return (
        Task(f"asp_{model}", "asp_eval, fit alone", ours),
        Task(f"mixedlm_{model}", "mixedlm, fit alone", mixedlm),
        Task(f"lme4_{model}", "lme4, fit alone (without its derivatives)", lme4),
    )


def _faster(model: str, mixedlm: float, lme4: float) -> tuple[Target, ...]:
    """Return how many times faster than each of the two the fit is to be."""
    return Target(f"asp_{model}", f"mixedlm_{model}", mixedlm), Target(f"asp_{model}", f"lme4_{model}", lme4)


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
            Task("lme_python_fit", "lme-python, fit alone", 51),
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
            Target("asp_frame_kr", "lme_python_fit", 1),
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
        "classes",
        "9,180 rows: 3 waves of children in 180 classes of 60 institutions, slopes of classes and institutions",
        lambda folder: write_classes(folder, 60, 3, 17),
        (
            *_fits("classes", 15, 5, 3),
            Task("asp_classes_cr2", "asp_eval, CR2 with df on the fit", 5),
            Task("asp_classes_draws", "asp_eval, parametric bootstrap, 100 draws", 2),
            Task("asp_classes_profile", "asp_eval, profile intervals of eight variance parameters", 2),
        ),
        _faster("classes", 4, 10),
    ),
    Section(
        "many-classes",
        "96,000 rows: the same with 2,000 classes in 200 institutions",
        lambda folder: write_classes(folder, 200, 10, 16),
        (
            *_fits("classes", 5, 2, 1),
            Task("asp_classes_cr2", "asp_eval, CR2 with df on the fit", 2),
        ),
        _faster("classes", 4, 30),
    ),
    Section(
        "insteval",
        "InstEval: 73,421 ratings, 2,972 students crossed with 1,128 lecturers, maximum likelihood",
        write_insteval,
        _fits("crossed_ml", 3, 3, 1),
        _faster("crossed_ml", 2, 8),
    ),
    Section(
        "crossed",
        "20,000 rows, 3,000 groups crossed at random with 2,000",
        lambda folder: write_crossed(folder, 3_000, 2_000, 20_000),
        _fits("crossed", 3, 3, 1),
        _faster("crossed", 1, 30),
    ),
    Section(
        "neighbourhoods",
        "60,000 rows, 20,000 groups crossed with 6,000 in their neighbourhood",
        lambda folder: write_crossed(folder, 20_000, 6_000, 60_000, local=True),
        (Task("asp_crossed", "asp_eval, fit alone", 3), Task("mixedlm_crossed", "mixedlm, fit alone", 1)),
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
