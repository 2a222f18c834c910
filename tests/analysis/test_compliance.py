"""The effect among those who took the intervention.

1. What a study gets is the two-stage least squares of its own rows, with the log's rule or dose.  2. A weak first stage leaves
the Anderson-Rubin set alone.  3. Where everybody, or nobody, took what was offered, or no log was kept, it says so.  4. The rule
`received` must be declared.  5. Of shares the effect is a difference of shares.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from asp_eval.analysis import compliance
from asp_eval.analysis.compliance import compliers
from asp_eval.analysis.results import tidy
from asp_eval.analysis.sets import assemble
from asp_eval.core.errors import DataProblems, Unavailable
from asp_eval.reporting.documents.evaluation import evaluation
from asp_eval.stats.linear.instrumental import complier_effect
from tests.counted_trial import STUDY, declared
from tests.simulated_sets import EVERYTHING


def by_hand(data, rows, at_least):
    hours = data.implementation.groupby("institution_id")["hours"].sum()
    had = rows.frame["institution"].astype(str).map(hours).fillna(0.0)
    taken = had if at_least is None else (had >= at_least).astype(float)
    frame = rows.frame.assign(t=taken.astype(float), z=(rows.frame["arm"] == "intervention").astype(float))
    return complier_effect("y ~ t + baseline + municipality | z + baseline + municipality", frame, cluster="institution"), frame


@pytest.mark.parametrize(("taken", "at_least"), [("received", 10), ("dose", None)])
def test_the_study_s_own_rows(loaded, taken, at_least):  # 1
    data = loaded(f"set: itt, complier: {{taken: {taken}}}")
    fit, frame = by_hand(data, assemble(data, "y"), at_least)
    (found,) = compliers(data, assemble(data, "y"))
    effect, ends = fit.effect(), fit.anderson_rubin
    assert 0 < frame.loc[frame["z"] == 1, "t"].mean() == pytest.approx(found.offered_mean) and found.other_mean == 0
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high))
    assert pytest.approx(fit.first_stage.F) == found.first_stage.F and found.first_stage.df == pytest.approx(fit.first_stage.df2)
    if fit.first_stage.weak:
        assert "below 10" in found.effect.reason
    else:
        assert (found.effect.estimate, found.effect.std_error) == pytest.approx((effect.estimate, effect.std_error))


def test_in_the_report(loaded, analysed):  # 1
    results = analysed(EVERYTHING)
    assert tidy(results)["model"].str.startswith("compliers: ").sum() == 2
    english, danish = (repr(evaluation(results, language)) for language in ("en", "da"))
    assert "(exclusion)" in english and "(monotonicity)" in english and "as-treated" in english
    assert "Effekten blandt dem, der modtog indsatsen" in danish
    data = loaded("set: itt, complier: false")
    assert compliers(data, assemble(data, "y")) == () == analysed("set: itt").outcomes[0].compliers


def test_a_weak_first_stage(loaded):  # 2
    data = loaded("set: itt, complier: {taken: dose}")
    random = np.random.default_rng(2)
    ids = data.allocation["institution_id"].astype(str)
    log = data.implementation.iloc[:1].loc[np.zeros(len(ids), int)].assign(institution_id=ids.to_numpy())
    (found,) = compliers(replace(data, implementation=log.assign(hours=random.uniform(0, 30, len(ids)))), assemble(data, "y"))
    assert isinstance(found.effect, Unavailable) and "below 10" in found.effect.reason
    assert found.first_stage.F < 10 and found.kind in ("interval", "rays", "line") and found.low is not None


def test_when_there_is_nothing_to_divide_by(loaded):  # 3
    data = loaded("set: itt, complier: true")
    rows = assemble(data, "y")
    log = data.implementation

    def reason(changed):
        return compliers(replace(data, implementation=changed), rows)[0].effect

    assert reason(log.assign(hours=20.0)) == compliance.AS_OFFERED
    assert reason(log.assign(hours=1.0)) == compliance.NOBODY
    assert reason(log.iloc[:0]) == compliance.NO_LOG


def test_the_rule_must_be_declared(tmp_path):  # 4
    with pytest.raises(DataProblems, match="STU-045"):
        declared(tmp_path, STUDY.replace("{set: itt,", "{set: itt, complier: true,"))
