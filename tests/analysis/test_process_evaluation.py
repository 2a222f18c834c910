"""The process evaluation: counts, doses, turnover and effects by type, each by hand on small tables."""

import math
from datetime import date
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from asp_eval.analysis.goals import Goal
from asp_eval.analysis.process.delivery import delivered, element_doses, left_by_institution, project_counts, turnover
from asp_eval.analysis.process.gap_discussed import Discussion, discussions, gap_discussed, listed_discussions
from asp_eval.analysis.process.goals import goals_set
from asp_eval.analysis.process.interviews import coded_interviews, coded_sheets, frame_findings
from asp_eval.analysis.process.joint_display import effects_by_type, trimming_bounds, type_means
from asp_eval.analysis.process.shares import share
from asp_eval.core.errors import Refusal, Unavailable
from asp_eval.core.randomness import stream
from asp_eval.stats.meta.agreement import agreement
from asp_eval.trial.process.library import frame
from asp_eval.trial.study.design import Study

PROCESS = frame("asp-process")
STUDY = Study.model_validate(
    {
        "version": 1,
        "study": {"id": "mini", "title": {"en": "Mini"}},
        "arms": ["reference", "intervention"],
        "waves": [
            {"id": "w1", "label": {"en": "start"}, "from": "2006-09-01", "to": "2006-11-30"},
            {"id": "w2", "label": {"en": "end"}, "from": "2008-04-01", "to": "2008-08-31"},
        ],
        "collect": {"screening": {"waves": ["w1", "w2"], "instruments": [{"family": "sdq-teacher"}]}},
        "outcomes": [{"id": "y", "score": "sdq-teacher.total", "role": "primary", "better": "lower", "at": "w2"}],
    }
)
ARMS = {"A": "reference", "B": "reference", "C": "intervention", "D": "intervention"}


def interviews():
    """Return a sheet of two coders: they agree on A, B and C, and differ on D, where a consensus decides the aim."""
    words = {"A": ("I", "I"), "B": ("II", "II"), "C": ("III", "III"), "D": ("I", "II")}
    rows = [
        {"institution_id": name, "round": "baseline", "coder_id": coder, "kind": "coder"}
        | dict.fromkeys(("management_relation", "aim", "external_pressure"), word)
        for name, pair in words.items()
        for coder, word in zip(("k1", "k2"), pair, strict=True)
    ]
    rows.append({"institution_id": "D", "round": "baseline", "coder_id": "k3", "kind": "consensus", "aim": "I"})
    return (
        pd.DataFrame(rows)
        .assign(frame=None)
        .reindex(columns=[*rows[0], "frame", *PROCESS.keys])
        .loc[:, lambda f: ~f.columns.duplicated()]
    )


@cache
def found():
    (coded,) = coded_interviews(STUDY, interviews(), ARMS)
    return frame_findings(STUDY, coded, ARMS)


def test_types_are_counted_by_arm_and_interviews_without_one_nowhere():
    counts = {(each.arm, each.level): (each.count.n, each.count.of) for each in found().types if each.round == "baseline"}
    assert counts["reference", "I"] == (1, 2)
    assert counts["intervention", "III"] == (1, 1)  # the type of D is open: two criteria are
    assert counts["", "I"] == (1, 3)
    assert (found().by_rule, found().undecided, found().open_codes) == (3, 1, 2)


def test_interviews_are_counted_by_round_and_arm():
    first = next(each for each in found().interviews if each.round == "baseline" and each.arm == "intervention")
    assert (first.interviewed, first.institutions, first.coded_twice) == (2, 2, 2)
    assert all(each.interviewed == 0 for each in found().interviews if each.round == "one_year")


def test_agreement_is_that_of_the_function_for_frames_of_codes():
    mine = next(each for each in found().agreement if each.code == "aim").coefficients
    wide = pd.DataFrame({"k1": ["I", "II", "III", "I"], "k2": ["I", "II", "III", "II"]})
    other = agreement(wide, ["k1", "k2"], ["I", "II", "III"], weights="quadratic").set_index("statistic")
    for each in mine:
        assert each.estimate == pytest.approx(other.loc[each.statistic, "estimate"])
    assert next(each for each in mine if each.statistic == "percent").estimate == 0.75


def test_codes_stand_by_interview_and_coder_and_the_first_of_two_rows_counts():
    rows = pd.DataFrame(
        [
            ("B", "baseline", "k2", "coder", "II", "some"),
            ("B", "baseline", "k1", "coder", "I", None),
            ("A", "one_year", "k1", "coder", "III", "much"),
            ("A", "one_year", "k1", "coder", "I", "none"),
            ("A", "baseline", "k3", "coder", None, "none"),
            ("A", "one_year", "k9", "consensus", "I", None),
        ],
        columns=["institution_id", "round", "coder_id", "kind", "aim", "turnover"],
    )
    sheets = coded_sheets(rows, PROCESS)
    aim, turnover = sheets["aim"], sheets["turnover"]
    assert (aim.coders, aim.codes.tolist(), aim.clusters.tolist()) == (("k1", "k2"), [[2, -1], [0, 1]], [0, 1])
    assert (turnover.coders, turnover.codes.tolist()) == (("k1", "k2", "k3"), [[-1, -1, 0], [2, -1, -1], [-1, 1, -1]])
    assert turnover.clusters.tolist() == [0, 0, 1]
    assert (aim.categories, aim.weights, sheets["management_style"].weights) == (3, "quadratic", None)
    assert not sheets["management_style"].compared.any()


def test_a_share_has_wilson_s_interval():
    p, n, z = 0.3, 10, stats.norm.ppf(0.975)
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    one = share(3, 10, 0.95)
    assert (one.low, one.high) == pytest.approx((middle - half, middle + half))
    assert share(0, 0, 0.95).low is None


def test_every_interval_is_of_the_declared_level():
    study = STUDY.model_validate({**STUDY.as_declared(), "analysis": {"level": 0.9}})
    found = frame_findings(study, *coded_interviews(study, interviews(), ARMS), ARMS)
    codes = [one.count for one in found.levels if one.count.of]
    assert codes and all((one.low, one.high) == wilson(one.n, one.of, 0.9) for one in codes)
    projects = project_counts(study, LOG, ARMS)
    assert all((one.count.low, one.count.high) == wilson(one.count.n, one.count.of, 0.9) for one in projects)


def wilson(n, of, level):
    low, high = stats.binomtest(n, of).proportion_ci(level, "wilson")
    return pytest.approx((low, high))


LOG = pd.DataFrame(
    {
        "institution_id": ["C", "C", "D", "A", "B"],
        "date": pd.to_datetime(["2007-01-10", "2007-02-10", "2007-03-10", "2007-04-10", "2007-05-10"]),
        "kind": ["course", "meeting", "course", "external_project", "external_project"],
        "element": ["knowledge", "reflection", "knowledge", None, None],
        "hours": [6.0, 2.0, 4.0, 20.0, None],
        "participants": [5.0, 8.0, None, 3.0, 3.0],
    }
)


def test_doses_are_hours_by_element_without_projects_of_other_origin():
    doses = {(each.arm, each.element): each for each in element_doses(STUDY, LOG, ARMS)}
    knowledge = doses["intervention", "knowledge"]
    assert (knowledge.with_any, knowledge.events, knowledge.hours, knowledge.taken_up) == (2, 2, 10.0, 30.0)
    assert (knowledge.first, knowledge.last) == ("2007-01-10", "2007-03-10")
    assert doses["reference", "knowledge"].events == 0
    assert list(dict.fromkeys(element for _, element in doses)) == ["knowledge", "reflection"]
    assert {each.arm: each.count.n for each in project_counts(STUDY, LOG, ARMS)} == {"reference": 2, "intervention": 0}


STAFF = pd.DataFrame(
    {
        "staff_id": ["p1", "p2", "p3", "p4"],
        "institution_id": ["A", "A", "C", "C"],
        "start_date": pd.to_datetime(["2000-01-01", "2007-09-01", None, "2009-01-01"]),
        "end_date": pd.to_datetime(["2007-09-01", None, "2006-01-01", None]),
    }
)


def test_turnover_is_people_who_left_by_the_years_worked_in_the_period():
    # the period is 2006-09-01 to 2008-08-31, 730 days; p1 works 365 of them and leaves, p2 365; p3 left before, p4 came after
    rates = {each.group: each for each in turnover(STUDY, STAFF, {"arm": ARMS, "type": {}})}
    one = rates["reference"]
    years = 730 / 365.25
    assert (one.staff, one.left) == (2, 1)
    assert one.person_years == pytest.approx(years)
    assert one.rate == pytest.approx(1 / years)
    assert one.low == pytest.approx(stats.chi2.ppf(0.025, 2) / 2 / years)
    assert one.high == pytest.approx(stats.chi2.ppf(0.975, 4) / 2 / years)
    assert isinstance(rates["intervention"].rate, Unavailable)
    assert {name: each.rate for name, each in left_by_institution(STUDY, STAFF).items()} == {"A": pytest.approx(1 / years)}


def test_a_list_of_staff_without_days_has_no_turnover():
    bare = STAFF.assign(end_date=pd.NaT)
    assert "first and last days" in turnover(STUDY, bare, {"arm": ARMS}).reason


def test_means_of_types_have_t_intervals_and_a_single_institution_none():
    means = pd.Series([1.0, 3.0, 5.0], index=list("ABC"))
    rows = {(each.type, each.arm): each for each in type_means(means, {"A": "I", "B": "I", "C": "II"}, ARMS, 0.95)}
    one = rows["I", "reference"]
    assert (one.mean, one.institutions) == (2.0, 2)
    assert one.high - one.mean == pytest.approx(stats.t.ppf(0.975, 1) * math.sqrt(2) / math.sqrt(2))
    assert isinstance(rows["II", "intervention"].mean, Unavailable)


def test_trimming_bounds_hold_the_effect_of_a_simulated_type():
    random = stream(1, "bounds")
    of_type = random.random(4000) < 0.4
    outcome = random.normal(0, 1, 4000) + of_type
    treated = np.arange(4000) % 2 == 1
    seen = outcome - 0.5 * (treated & of_type)
    names = [f"i{k}" for k in range(4000)]
    arms = {name: ("r", "i")[int(t)] for name, t in zip(names, treated, strict=True)}
    types = {name: "I" if of_type[k] else "II" for k, name in enumerate(names) if treated[k]}
    bound = trimming_bounds(pd.Series(seen, index=names), types, arms, ("r", "i"))[0]
    assert bound.low < -0.5 < bound.high
    assert bound.share == pytest.approx(0.4, abs=0.03)


def trial(seed, n=150, wrong=0.15):
    """Return institution means with effects -1, 0 and 1 in three types, and the codes of two coders."""
    random = stream(seed, "by type")
    true = random.integers(0, 3, size=n)
    treated = np.arange(n) % 2
    outcome = np.array([-1.0, 0.0, 1.0])[true] * treated + random.normal(0, 0.4, n)
    levels = np.array(["I", "II", "III"])
    coder = lambda: levels[np.where(random.random(n) < wrong, (true + random.integers(1, 3, size=n)) % 3, true)]  # noqa: E731
    names = [f"i{k:03d}" for k in range(n)]
    codes = pd.DataFrame({"k1": coder(), "k2": coder()}, index=names)
    arms = {name: ("r", "i")[int(t)] for name, t in zip(names, treated, strict=True)}
    return pd.Series(outcome, index=names), arms, codes, pd.Series(levels[true], index=names)


NOBODY = pd.Series(dtype="str")


def test_coding_errors_pull_effects_together_and_are_taken_out():
    means, arms, codes, true = trial(1)
    rows = {each.type: each for each in effects_by_type(means, arms, ("r", "i"), codes, NOBODY, ["I", "II", "III"], level=0.95)}
    assert rows["I"].errors_from == "coders"
    assert rows["I"].as_coded.estimate > -0.9
    assert rows["I"].corrected.estimate == pytest.approx(-1.0, abs=0.2)
    assert rows["III"].corrected.conf_low < 1.0 < rows["III"].corrected.conf_high
    against = effects_by_type(means, arms, ("r", "i"), codes, true, ["I", "II", "III"], level=0.95)
    assert {each.errors_from for each in against} == {"consensus"}
    assert against[0].corrected.estimate == pytest.approx(-1.0, abs=0.2)


def test_a_type_coded_in_one_arm_alone_has_no_effect():
    means, arms, codes, _ = trial(2)
    treated = [name for name, arm in arms.items() if arm == "i"]
    found = effects_by_type(means, arms, ("r", "i"), codes.loc[treated], NOBODY, ["I", "II", "III"], level=0.95)
    assert "both arms" in found.reason


def test_one_coder_without_a_consensus_leaves_the_errors_unknown():
    means, arms, codes, _ = trial(3)
    rows = effects_by_type(means, arms, ("r", "i"), codes[["k1"]], NOBODY, ["I", "II", "III"], level=0.95)
    assert all("how coders err is not known" in each.corrected.reason for each in rows)


def test_what_was_delivered_stands_by_arm_and_type_with_the_limits_reached():
    study = STUDY.model_validate({**STUDY.as_declared(), "received": {"by_element": {"knowledge": 5, "reflection": 2}}})
    rows = {(each.arm, each.type): each for each in delivered(study, LOG, ARMS, {"C": "I", "D": "II", "A": "I"}, ("I", "II"))}
    both, one = rows["intervention", ""], rows["intervention", "I"]
    assert (both.institutions, both.hours) == (2, {"knowledge": 5.0, "reflection": 1.0})
    assert (one.institutions, one.hours) == (1, {"knowledge": 6.0, "reflection": 2.0})
    assert {name: (count.n, count.of) for name, count in both.reached.items()} == {"knowledge": (1, 2), "reflection": (1, 2)}
    # hours times participants: C 6 x 5 + 2 x 8 = 46, of D nobody counted those who took part
    assert (one.taken_up, both.taken_up, rows["intervention", "II"].taken_up, rows["reference", "II"].taken_up) == (
        46,
        23,
        0,
        None,
    )
    nobody = delivered(study, LOG.assign(participants=np.nan), ARMS, {}, ())
    assert all("how many took part" in each.taken_up.reason for each in nobody)
    assert (rows["reference", "I"].projects.n, rows["reference", "II"].institutions) == (1, 0)
    assert rows["reference", "II"].hours == {} and rows["reference", "II"].projects.low is None
    assert delivered(study, LOG.iloc[:0], ARMS, {}, ()) == ()


def test_goals_are_counted_by_arm_and_type_and_by_what_became_of_them():
    """By hand: C sets three goals on two dimensions, D none; an institution without goals is one of all."""
    goals = {
        "C": (
            Goal(1, date="2007-02-01", dimension="play", how_it_went="reached"),
            Goal(2, date="2007-02-01", dimension="play", how_it_went="partly"),
            Goal(3, date="2007-09-01", dimension="empathy"),
        ),
        "A": (Goal(1, aim="Quiet"),),
    }
    found = {(each.arm, each.type): each for each in goals_set(STUDY, goals, ARMS, {"C": "I", "D": "II"}, ("I", "II"))}
    mine = found["intervention", ""]
    assert (mine.institutions.n, mine.institutions.of, mine.goals, mine.not_told) == (1, 2, 3, 1)
    assert mine.outcomes == {"reached": 1, "partly": 1, "not_reached": 0, "given_up": 0}
    assert mine.dimensions == {"empathy": 1, "play": 1}
    assert (mine.first, mine.last) == ("2007-02-01", "2007-09-01")
    assert mine.institutions.low == pytest.approx(0.0945, abs=5e-5)  # Wilson for 1 of 2
    assert [(found["intervention", t].institutions.n, found["intervention", t].institutions.of) for t in ("I", "II")] == [
        (1, 1),
        (0, 1),
    ]
    assert (found["reference", ""].institutions.n, found["reference", ""].first) == (1, "")
    assert found["reference", "I"].institutions.low is None, "no institution of the type has an arm here"
    assert goals_set(STUDY, {}, ARMS, {}, ()) == ()


def test_turnover_by_period_and_by_institution_has_the_interval_of_a_rate():
    waves = [
        {"id": f"w{n}", "label": {"en": "x"}, "from": day} for n, day in enumerate(("2006-09-01", "2007-03-01", "2008-03-01"), 1)
    ]
    waves[-1]["to"] = "2008-08-31"
    study = STUDY.model_validate(
        {
            **STUDY.as_declared(),
            "waves": waves,
            "collect": {"screening": {"waves": ["w1"]}},
            "outcomes": [{"id": "y", "column": "screening.y", "role": "primary", "better": "lower", "at": "w3"}],
        }
    )
    rates = {each.group: each for each in turnover(study, STAFF, {"arm": ARMS, "type": {}}) if each.kind == "period"}
    assert [(name, rate.left) for name, rate in rates.items()] == [("w1 w2", 0), ("w2 w3", 1)]
    assert rates["w1 w2"].person_years == pytest.approx(181 / 365.25)  # p1 alone, 1 September to 1 March
    assert rates["w2 w3"].person_years == pytest.approx((184 + 365) / 365.25)  # p1 until he left, p2 from then on
    one = left_by_institution(study, STAFF)["A"]
    assert (one.left, one.low) == (1, pytest.approx(stats.chi2.ppf(0.025, 2) / 2 / one.person_years))
    assert one.high == pytest.approx(stats.chi2.ppf(0.975, 4) / 2 / one.person_years)


def test_goals_are_a_limit_of_the_rule_where_they_were_imported():
    study = STUDY.model_validate({**STUDY.as_declared(), "received": {"at_least": 5, "goals": 1}})
    rows = pd.DataFrame({"institution_id": ["C", "C", "A"], "goal": ["1", "2", "1"]})
    whole = {each.arm: each.reached for each in delivered(study, LOG, ARMS, {}, (), rows)}
    assert {name: (count.n, count.of) for name, count in whole["intervention"].items()} == {"": (1, 2), "goals": (1, 2)}
    assert whole["reference"]["goals"].n == 1
    assert set(delivered(study, LOG, ARMS, {}, (), rows.iloc[:0])[0].reached) == {""}


WITH_GAP = {"staff": "gap-competences-staff", "child": "gap-competences-child", "wave": "w1", "arms": ["intervention"]}
MEETINGS = pd.DataFrame(
    {
        "institution_id": ["C", "C", "D", "A"],
        "date": pd.to_datetime(["2006-11-30", "2007-02-10", None, "2007-03-01"]),
        "kind": ["meeting", "meeting", "meeting", "meeting"],
        "topic": ["gap", "gap", "gap", "gap"],
    }
)


def with_gap(**changes):
    return STUDY.model_validate({**STUDY.as_declared(), "gap": {**WITH_GAP, **changes}})


def test_a_profile_was_discussed_on_the_first_day_after_it_could_be_given_out():
    """By hand: profiles can be given after 30 November 2006. C met that very day, which is too early, and on 10 February, 72 days
    after. D has a meeting without a day and set goals on 20 January, 51 days after. A is of an arm without profiles."""
    goals = {"D": (Goal(1, date="2007-01-20", profile_wave="w1"), Goal(2, date="2007-05-01")), "C": (Goal(1, date="2007-02-10"),)}
    study = with_gap(discussed="topic == gap")
    found = discussions(study, MEETINGS, goals, ARMS)
    assert found == {"C": Discussion(date(2007, 2, 10), 72, "log"), "D": Discussion(date(2007, 1, 20), 51, "goals")}
    assert listed_discussions(found, ARMS).to_numpy().tolist() == [
        ["C", "intervention", "2007-02-10", 72, "log"],
        ["D", "intervention", "2007-01-20", 51, "goals"],
    ]
    whole, first, second = gap_discussed(study, found, ARMS, {"C": "I"}, ("I", "II"))
    assert (whole.institutions.n, whole.institutions.of, whole.from_log) == (2, 2, 1)
    assert (whole.median_days, whole.middle_half) == (61.5, (56.25, 66.75))
    assert (whole.first, whole.last) == ("2007-01-20", "2007-02-10")
    assert (first.institutions.n, first.median_days, second.institutions.of, second.median_days) == (1, 72.0, 0, None)


def test_a_profile_of_a_later_arm_waits_for_its_wave_and_goals_of_another_round_do_not_count():
    study = with_gap(discussed="topic == gap", release={"reference": "w2"})
    late = MEETINGS.assign(date=pd.to_datetime("2008-09-10"))
    found = discussions(study, late, {"B": (Goal(1, date="2008-09-05", profile_wave="w2"),)}, ARMS)
    assert found["A"] == Discussion(date(2008, 9, 10), 10, "log")  # after 31 August 2008
    assert found["C"].days == (date(2008, 9, 10) - date(2006, 11, 30)).days
    assert "B" not in found
    assert discussions(study, MEETINGS, {}, ARMS).keys() == {"C"}  # A's meeting of March 2007 is before its profile


def test_without_a_plan_or_a_day_nothing_is_said_of_it():
    assert discussions(STUDY, MEETINGS, {"C": (Goal(1, date="2007-02-10"),)}, ARMS) == {}
    assert discussions(with_gap(), MEETINGS, {}, ARMS) == {}  # no event is declared to be about it
    assert gap_discussed(with_gap(), {}, ARMS, {}, ()) == ()


@pytest.mark.parametrize(
    ("rule", "code"), [("subject == gap", "DOC-022"), ("topic is gap", "DOC-021"), ("topic == Gap", "DOC-024")]
)
def test_a_rule_that_the_log_cannot_answer_is_refused(rule, code):
    with pytest.raises(Refusal, match=code):
        discussions(with_gap(discussed=rule), MEETINGS, {}, ARMS)
