"""What an analysis of the synthetic trial should find: the effects on the reported scores, in two ways.

The *population value* of an outcome is the mean score of the eligible children had every institution been in the
intervention arm, less the mean had every one been in the reference arm. An analysis of covariance of the randomised
trial estimates it, covariates or not. It is worked out in closed form, and by a very large simulation with the code that
generates the data; its values for a million children lie beside this file, so that a demo need not simulate them again.
Prorated scores, rounded half up, move them by a few thousandths of a point at most (see ``docs/synthetic.md``), which a trial
of this size cannot see.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from asp_eval.core.randomness import stream
from asp_eval.synthetic import population as pop
from asp_eval.synthetic.calibration import Array, expected_score, latent_scale, score_sd
from asp_eval.synthetic.children import draw_answered, draw_sdq, score_values
from asp_eval.synthetic.people import draw_institutions, draw_people
from asp_eval.synthetic.study_file import outcome_id

BLOCKS = 7  # trials' worth of institutions simulated together: about 21,000 children
SEED = 2006  # the population value is one number, whatever the seed of a demo
SIMULATED = "true_effects.csv"  # what `true_effects()` returns, rounded to ten decimals


@dataclass(frozen=True, slots=True)
class TrueEffect:
    """The population value of one SDQ scale at one wave, in points of the score from 0 to 10.

    Attributes
    ----------
    scale, wave : str
        ``"conduct"``, ``"w3"``.
    value : float
        From the simulation.
    monte_carlo_error : float
        Its standard error.
    closed_form : float
        The same from normal probabilities.
    standardised : float
        The closed form in standard deviations of the reference arm's score at that wave.
    """

    scale: str
    wave: str
    value: float
    monte_carlo_error: float
    closed_form: float
    standardised: float

    @property
    def outcome(self) -> str:
        """Id of the outcome in the demo's study: ``conduct`` at the end, ``conduct_midway`` midway."""
        return outcome_id(self.scale, self.wave)


def true_effects(children: int = 1_000_000, *, seed: int = SEED, skipped: bool = False) -> tuple[TrueEffect, ...]:
    """Return the population values of all SDQ scales at the second and third wave.

    Parameters
    ----------
    children : int
        How many to simulate at least, each under both arms with the same random numbers.
    seed : int
        Of the simulation.
    skipped : bool
        Whether raters skip items, as they do in the exports, so that scores are prorated, rounded and sometimes missing.

    Returns
    -------
    tuple of TrueEffect
        Scales in the order of the instrument's population, waves within scales.
    """
    batches: list[Array] = []
    simulated = 0
    while simulated < children or len(batches) < 2:  # one batch has no standard error
        effects, size = _simulated_batch(seed, len(batches), skipped)
        batches.append(effects)
        simulated += size
    mean = np.mean(batches, axis=0)
    error = np.std(batches, axis=0, ddof=1) / np.sqrt(len(batches))
    return tuple(
        _true_effect(declared, wave, float(mean[position, wave]), float(error[position, wave]))
        for position, declared in enumerate(pop.SCALES)
        for wave in (1, 2)
    )


def population_values() -> dict[str, float]:
    """Return the value of each outcome of the demo's study, by its id, as `true_effects` simulates it with a million children."""
    lines = (files(__package__) / SIMULATED).read_text(encoding="utf-8").splitlines()
    return {outcome_id(row["scale"], row["wave"]): float(row["value"]) for row in csv.DictReader(lines)}


def closed_form_effect(scale: str, wave: str) -> float:
    """Return the population value of a scale at a wave as a sum of normal probabilities over items and thresholds."""
    latent, position = latent_scale(scale), pop.WAVE_IDS.index(wave)
    treated = expected_score(latent.declared, position, float(latent.effects[position]))
    return treated - expected_score(latent.declared, position, 0.0)


def _true_effect(declared: pop.ScalePopulation, wave: int, value: float, error: float) -> TrueEffect:
    closed = closed_form_effect(declared.key, pop.WAVE_IDS[wave])
    return TrueEffect(declared.key, pop.WAVE_IDS[wave], value, error, closed, closed / score_sd(declared, wave))


def _simulated_batch(seed: int, batch: int, skipped: bool) -> tuple[Array, int]:
    """Mean differences between the arms, (scales, 3), and the number of eligible children behind them."""
    here = int(stream(seed, "synthetic", "truth", batch).integers(2**62))
    people = draw_people(here, draw_institutions(here, BLOCKS))
    eligible = (people.children.joined == 0) & (people.children.months >= 36)
    answers = draw_sdq(here, people)
    nobody = np.zeros(len(eligible), dtype=bool)
    answered = None
    if skipped:
        forms = answers.latent.shape[1:3]
        items = draw_answered(stream(here, "synthetic", "skips"), forms, answers.latent.shape[0] * 5)
        answered = np.moveaxis(items.reshape(*forms, -1, 5), 2, 0)
    difference = score_values(answers.values(~nobody), answered) - score_values(answers.values(nobody), answered)
    return np.nanmean(difference[:, :, eligible], axis=2), int(eligible.sum())
