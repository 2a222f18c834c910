"""How well the trial held together: balance, missing answers, contacts between the arms and dose, gathered for the report."""

from __future__ import annotations

import pandas as pd

from asp_eval.analysis.balance_test import omnibus_test
from asp_eval.analysis.data import StudyData
from asp_eval.analysis.integrity import ArmDose, Equivalence, InstitutionLine, InstitutionRecord, Integrity
from asp_eval.analysis.missingness import by_institution, by_rater, predictors
from asp_eval.core.randomness import stream
from asp_eval.trial.disclosure.bands import count_band
from asp_eval.trial.flow.contamination import contamination
from asp_eval.trial.flow.dose import doses, receivers
from asp_eval.trial.study.design import Study


def integrity(data: StudyData, equivalences: tuple[Equivalence, ...]) -> Integrity:
    """Return everything of this kind that the report shows.

    Parameters
    ----------
    data : StudyData
    equivalences : tuple of Equivalence
        Of the outcomes, in their order.

    Raises
    ------
    Refusal
        FLO-008 if the declared rule sums a column that the implementation log does not have.
    """
    study = data.study
    had = institution_doses(data)
    received = receivers(study.received, data.implementation, data.allocation["institution_id"], data.goals)
    records = by_institution(data, had, received)
    primary = [o for o in study.outcomes if o.role == "primary"] or list(study.outcomes[:1])
    return Integrity(
        omnibus=omnibus_test(data),
        equivalence=equivalences,
        raters=by_rater(data),
        predictors=predictors(data, primary),
        contamination=contamination(study.arms, data.allocation, data.visits, data.staff, data.implementation),
        dose=arm_doses(study.arms, records),
        institution_lines=printed_lines(study, records) if study.report.institution_appendix else (),
    )


def printed_lines(study: Study, records: tuple[InstitutionRecord, ...]) -> tuple[InstitutionLine, ...]:
    """Return the institutions of the appendix: arm by arm, within an arm in an order that tells nothing, and coarse."""
    limits = study.privacy.limits
    shuffled = stream(1, "institution appendix", *sorted(record.institution for record in records)).permutation(len(records))
    mixed = [records[i] for i in shuffled]
    ordered = [record for arm in study.arms for record in mixed if record.arm == arm]
    return tuple(
        InstitutionLine(
            number,
            record.arm,
            count_band(record.cohort, limits),
            tuple(count_band(n, limits) for n in record.missing),
            None if record.dose is None else float(round(record.dose, -1)),
            record.received,
        )
        for number, record in enumerate(ordered, start=1)
    )


def institution_doses(data: StudyData) -> pd.Series | None:
    """Return the dose of each institution drawn; None where no implementation log was imported."""
    if data.implementation.empty:
        return None
    return doses(data.study.received, data.implementation, data.allocation["institution_id"])


def arm_doses(arms: tuple[str, ...], records: tuple[InstitutionRecord, ...]) -> tuple[ArmDose, ...]:
    """Return the doses of each arm's institutions; nothing where no log was kept.

    Examples
    --------
    >>> records = tuple(InstitutionRecord(str(k), "a", 9, (), dose, None) for k, dose in enumerate((0.0, 10.0, 20.0)))
    >>> arm_doses(("a",), records)
    (ArmDose(arm='a', institutions=3, with_any=2, total=30.0, mean=10.0, sd=10.0, low=0.0, high=20.0),)
    """
    had = {arm: pd.Series([r.dose for r in records if r.arm == arm and r.dose is not None], dtype="float64") for arm in arms}
    return tuple(
        ArmDose(
            arm,
            len(own),
            int((own > 0).sum()),
            float(own.sum()),
            float(own.mean()),
            float(own.std()) if len(own) > 1 else None,
            float(own.min()),
            float(own.max()),
        )
        for arm, own in had.items()
        if len(own)
    )
