"""How much institutions differ in each arm: what can be said of an effect that differs where no effect by group can be told.

    y_ij = x_i'b + u_j + r_i,   u_j ~ N(0, s_a^2) for an institution of arm a,   r_i ~ N(0, s^2)

If the intervention works more in some institutions than in others, those that got it differ more. That all s_a are the same is
tested by the restricted likelihood ratio, chi-square on arms less one. Children's own variance is taken to be the same in all
arms.
"""

from __future__ import annotations

from scipy import special

from asp_eval.analysis.declared_results import SpreadByArm
from asp_eval.analysis.formulas import ARM, INSTITUTION, model_formula, spread_formula
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.analysis.varying_effects import profile_estimate
from asp_eval.core.errors import AspError
from asp_eval.core.phrases import Phrase
from asp_eval.stats.mixed.fit import lmm
from asp_eval.trial.study.design import Study

OF_INSTITUTIONS = Phrase("standard deviation between institutions of the arm, by profile likelihood")
OF_ARM = "of_arm__{}"  # the indicator of an arm; no column of a study is called so


def spread_by_arm(study: Study, rows: AnalysisSet) -> SpreadByArm | None:
    """Return the standard deviation between institutions in each arm, and the test that it is the same in all.

    Parameters
    ----------
    study : Study
    rows : AnalysisSet
        Of a measure.

    Returns
    -------
    SpreadByArm or None
        None where the model cannot be fitted.
    """
    names = [OF_ARM.format(number) for number, _ in enumerate(study.arms)]
    frame = rows.frame.assign(
        **{name: (rows.frame[ARM] == arm).astype(float) for name, arm in zip(names, study.arms, strict=True)}
    )
    same = model_formula(rows)
    own = spread_formula(same, names)
    try:
        larger, smaller = lmm(own, frame), lmm(same, frame)
        table = larger.variance_intervals(level=study.analysis.level)
    except AspError:
        return None
    sds = []
    for arm, name in zip(study.arms, names, strict=True):
        sds.append(profile_estimate(arm, table, INSTITUTION, name, OF_INSTITUTIONS))
    ratio, df = max(smaller.deviance - larger.deviance, 0.0), len(study.arms) - 1
    return SpreadByArm(own, tuple(sds), ratio, df, float(special.chdtrc(df, ratio)))
