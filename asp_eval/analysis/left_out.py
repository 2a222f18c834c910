"""What of the plan an analysis could not take: terms that do not vary, children, arms, strata and pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from asp_eval.analysis.averages import ARM_OF_ONE
from asp_eval.analysis.data import PAIR
from asp_eval.analysis.formulas import ARM, INSTITUTION, varying
from asp_eval.analysis.results import ArmEffect, Estimated
from asp_eval.analysis.sets import MISSING, AnalysisSet
from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase, named
from asp_eval.trial.study.design import Study

INDICATOR_OF_ODDS = Phrase(
    "An indicator of a missing baseline leaves a difference in means as it is, but moves an odds ratio that is conditional on it."
)
CHILDLESS = Unavailable(Phrase("no child of the arm has the outcome"))


def left_out_notes(study: Study, data: AnalysisSet) -> Iterator[Phrase]:
    """Yield a note for everything of the plan that an analysis could not take.

    Parameters
    ----------
    study : Study
    data : AnalysisSet
    """
    there = set(varying(data.frame, data.covariates))
    for name in data.covariates:
        if name not in there and not name.endswith(MISSING):
            yield Phrase("{name} is the same for all children analysed, and so is not in the model.", name=named(name))
    for name, n in data.lost_to.items():
        yield Phrase("Children who have the outcome and are left out because {name} is missing: {n}.", n=n, name=named(name))
    for name, n in data.indicated.items():
        yield Phrase(
            "Children whose {name} is missing, and who are in the analysis by an indicator of it: {n}.", n=n, name=named(name)
        )
    if data.indicated and not data.outcome.is_continuous:
        yield INDICATOR_OF_ODDS
    for arm in study.arms:
        if not (data.frame[ARM] == arm).any():
            yield Phrase("No child of the arm {arm} has the outcome, so it is not in the comparison.", arm=named(arm))
    yield from _one_sided(study, data)
    elsewhere = sum(part.only_elsewhere for part in data.flow)
    if elsewhere:
        yield Phrase(
            "Institutions: {total}, {n} of them only through children who were rated elsewhere.",
            total=int(data.frame[INSTITUTION].nunique()),
            n=elsewhere,
        )


def _one_sided(study: Study, data: AnalysisSet) -> Iterator[Phrase]:
    """Yield the strata and pairs in which one arm only has children: the effect has nothing from them."""
    if data.pairs:
        arms = data.frame.groupby(PAIR, observed=True)[ARM].nunique()
        if alone := int((arms < 2).sum()):
            yield Phrase("Pairs: {total}; {n} lost one side, and the effect has nothing from them.", total=len(arms), n=alone)
        return
    for name in study.strata:
        arms = data.frame.groupby(name, observed=True)[ARM].nunique()
        for stratum in arms.index[arms < 2]:
            yield Phrase(
                "In the stratum {name} {stratum} one arm only has children, and the effect has nothing from it.",
                name=named(name),
                stratum=str(stratum),
            )


def refused_where_too_few(study: Study, data: AnalysisSet, effects: Sequence[ArmEffect]) -> tuple[ArmEffect, ...]:
    """Return effects; those of an arm, or against one, that has fewer than two institutions as unavailable."""
    per_arm = {arm: int(data.frame.loc[data.frame[ARM] == arm, INSTITUTION].nunique()) for arm in study.arms}
    return tuple(
        effect if (reason := _reason(per_arm[effect.arm], per_arm[study.arms[0]])) is None else _unavailable(effect, reason)
        for effect in effects
    )


def _reason(*institutions: int) -> Unavailable | None:
    return None if min(institutions) > 1 else ARM_OF_ONE if min(institutions) else CHILDLESS


def _unavailable(effect: ArmEffect, reason: Unavailable) -> ArmEffect:
    def gone(found: Estimated | None) -> Unavailable | None:
        return None if found is None else reason

    return replace(
        effect,
        difference=reason,
        effect_size=reason,
        ratio=gone(effect.ratio),
        odds_ratio=gone(effect.odds_ratio),
        changes=tuple(reason for _ in effect.changes),
    )
