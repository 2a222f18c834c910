"""A level between child and institution.

1. The nested model by statsmodels, and both shares of the variance.
2. A level that is not identified says so.
3. In the report.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import statsmodels.formula.api as smf

from asp_eval.analysis import levels as module
from asp_eval.analysis.data import load_data
from asp_eval.analysis.levels import levels
from asp_eval.analysis.outcomes import analyse
from asp_eval.analysis.results import tidy
from asp_eval.analysis.sets import assemble
from asp_eval.reporting.documents.evaluation import evaluation
from tests.simulated_sets import declares


@pytest.fixture
def data(stored):
    return load_data(declares(stored, "set: itt, levels: [room]"))


@pytest.mark.filterwarnings("ignore::statsmodels.tools.sm_exceptions.ConvergenceWarning")
def test_the_nested_model(data):  # 1
    rows = assemble(data, "y")
    rooms = rows.frame["child_id"].map(data.cohort.set_index("child_id")["room"]).astype(str)
    by = rows.frame["institution"].astype(str).str[1:].astype(int) % 3 - 1  # the rooms of an institution differ by 1.6, or not
    moved = rows.frame["y"] + 0.8 * by * (2.0 * (rooms == "room1") - 1.0)
    rows = replace(rows, frame=rows.frame.assign(y=moved))
    (found,) = levels(data, rows)
    assert found.groups == 24 and found.without == 0
    frame = rows.frame.assign(room=rooms)
    own = {"groups": "institution", "re_formula": "1", "vc_formula": {"room": "0 + C(room)"}}
    again = smf.mixedlm("y ~ C(arm) + baseline + municipality", frame, **own).fit(method="powell")
    assert found.effects[0].estimate == pytest.approx(again.params["C(arm)[T.intervention]"], rel=1e-3)
    plain = smf.mixedlm("y ~ C(arm) + municipality", frame, **own).fit(method="powell")
    between, room, within = float(plain.cov_re.iloc[0, 0]), float(plain.vcomp[0]), float(plain.scale)
    total = between + room + within
    assert found.icc_level.estimate == pytest.approx(room / total, abs=2e-3) and room > 0
    assert found.icc_institution.estimate == pytest.approx(between / total, abs=2e-3)


@pytest.mark.parametrize(("make", "reason"), [(lambda ids: "all", "ONE_EACH"), (lambda ids: ids, "SINGLE")])
def test_a_level_that_is_not_identified(data, make, reason):  # 2
    children = data.children.assign(room=make(data.children["child_id"].astype(str)))
    (found,) = levels(replace(data, children=children), assemble(data, "y"))
    assert found.effects == (getattr(module, reason),) and found.icc_level == getattr(module, reason)


def test_in_the_report(data):  # 3
    results = analyse(data.study)
    assert tidy(results)["model"].str.startswith("levels: ").sum() == 2
    english, danish = (repr(evaluation(results, language)) for language in ("en", "da"))
    assert "A level between child and institution" in english and "Et niveau mellem barn og institution" in danish
