"""A second file for a table and wave: a correction takes the place of the first, a part of the wave does not."""

from __future__ import annotations

import pandas as pd
import pytest

from asp_eval.core.errors import Refusal
from asp_eval.store import table
from asp_eval.trial.study.design import Study
from asp_eval.workflow.import_file import import_file

ITEM = "sdq-teacher-4-17.tantrum"


@pytest.fixture
def refusal(fingerprint):
    """Import what must be refused with STO-013, and leave nothing changed; return the message."""

    def refusal(study: Study, *arguments: object, **named: object) -> str:
        before = fingerprint(study)
        with pytest.raises(Refusal) as caught:
            import_file(study, *arguments, **named)  # type: ignore[arg-type]
        assert [problem.code for problem in caught.value.problems] == ["STO-013"]
        assert fingerprint(study) == before
        return str(caught.value)

    return refusal


def test_the_other_municipality_in_a_file_of_its_own_is_refused(rated, export, visits, refusal):
    other = visits.assign(child_id=["004", "005", "006"], institution_id="H2")
    message = refusal(rated, export(other, "hvidovre.csv"), "screening", wave="w1")
    assert "hvidovre.csv: 3 children of the file that stands here (wave1.csv) would vanish" in message
    assert ": 001, 002, 003." in message
    assert "import each with --part" in message
    assert "give --replace" in message


def test_a_dry_run_refuses_too(rated, export, visits):
    with pytest.raises(Refusal, match=r"STO-013.*1 child of the file"):
        import_file(rated, export(visits.iloc[1:]), "screening", wave="w1", dry_run=True)
    report = import_file(rated, export(visits.iloc[1:]), "screening", wave="w1", dry_run=True, replace=True)
    assert (report.stored, report.superseded, report.vanished) == (False, "wave1.csv", "1 child")


def test_a_part_that_lists_every_child_is_refused_for_the_answers_it_lacks(rated, export, visits, refusal):
    part = visits.copy()
    part.loc[:1, [name for name in part if name.startswith("sdq")]] = ""
    assert ": 001, 002." in refusal(rated, export(part, "part.csv"), "screening", wave="w1")


def test_answers_moved_to_the_other_form_of_the_family_are_a_correction(rated, export, visits):
    other = visits.rename(columns=lambda name: name.replace("4-17", "2-4"))
    form = "sdq-teacher-2-4"
    other = other.rename(columns={f"{form}.lies": f"{form}.argues", f"{form}.steals": f"{form}.spite"})
    report = import_file(rated, export(other), "screening", wave="w1")
    assert (report.superseded, report.vanished) == ("wave1.csv", None)
    assert table(rated, "screening_sdq-teacher-4-17").empty
    assert len(table(rated, "screening_sdq-teacher-2-4")) == 3


def test_more_children_than_before_are_a_correction(rated, export, visits):
    more = pd.concat([visits, visits.iloc[[0]].assign(child_id="004")])
    report = import_file(rated, export(more), "screening", wave="w1")
    assert (report.accepted, report.superseded, report.vanished) == (4, "wave1.csv", None)


def test_replace_says_that_the_new_file_is_the_whole(rated, export, visits):
    report = import_file(rated, export(visits.iloc[1:].assign(**{ITEM: "2"})), "screening", wave="w1", replace=True)
    assert (report.superseded, report.vanished) == ("wave1.csv", "1 child")
    assert str(report).endswith("2 stored. It takes the place of wave1.csv; gone with that: 1 child.")
    assert table(rated, "screening")["child_id"].tolist() == ["002", "003"]
    assert table(rated, "children")["child_id"].tolist() == ["002", "003"]
    assert table(rated, "screening_sdq-teacher-4-17")[ITEM].tolist() == [2.0, 2.0]


def test_another_wave_takes_no_one_s_place(rated, export, visits):
    report = import_file(rated, export(visits.iloc[1:].assign(date="2007-09-01")), "screening", wave="w2")
    assert (report.stored, report.superseded, report.vanished) == (True, None, None)


def test_lists_of_institutions_and_respondents(study, incoming, refusal):
    from asp_eval.trial.instruments.library import instrument

    files = {"a": "institution_id,municipality\nA1,Aarhus\n", "h": "institution_id,municipality\nH1,Hvidovre\nH2,Hvidovre\n"}
    for name, content in files.items():
        (incoming / f"{name}.csv").write_text(content)
    import_file(study, incoming / "a.csv", "institutions")
    message = refusal(study, incoming / "h.csv", "institutions")
    assert "1 institution of the file that stands here (a.csv)" in message
    assert import_file(study, incoming / "h.csv", "institutions", replace=True).vanished == "1 institution"
    items = instrument("gap-competences-staff").columns
    for name in ("07", "08"):
        (incoming / f"{name}.csv").write_text(
            f"respondent_id,institution_id,{','.join(items)}\n{name},H1,{','.join(['3'] * len(items))}\n"
        )
    import_file(study, incoming / "07.csv", "staff_survey", wave="w1")
    assert "1 respondent of the file" in refusal(study, incoming / "08.csv", "staff_survey", wave="w1")


def test_a_register_in_two_parts_is_refused(drawn, export, refusal):
    for name, child in (("first.csv", "001"), ("second.csv", "002")):
        part = export(pd.DataFrame({"child_id": [child], "institution_id": ["A1"]}), name)
        if name == "first.csv":
            import_file(drawn, part, "children")
    assert "1 child of the file that stands here (first.csv)" in refusal(drawn, part, "children")


def test_more_than_five_are_counted(rated, export, visits, refusal):
    many = pd.concat([visits.iloc[[0]]] * 7).assign(child_id=[f"{i:03d}" for i in range(11, 18)], date="2007-09-01")
    import_file(rated, export(many), "screening", wave="w2")
    message = refusal(rated, export(many.iloc[:1]), "screening", wave="w2")
    assert "6 children" in message
    assert ": 012, 013, 014, 015, 016 and 1 more." in message


def test_a_child_that_waits_in_quarantine_does_not_vanish_unasked(drawn, export, visits):
    import_file(drawn, export(visits.assign(institution_id=["Z9", "A2", "H1"])), "screening", wave="w1")
    without = visits.tail(2)
    with pytest.raises(Refusal) as caught:
        import_file(drawn, export(without, "second.csv"), "screening", wave="w1")
    assert [problem.code for problem in caught.value.problems] == ["STO-039"]
    assert "in quarantine would vanish, for this file has no row of them: 001" in str(caught.value)
    assert len(table(drawn, "quarantine")) == 1
    report = import_file(drawn, export(without, "second.csv"), "screening", wave="w1", replace=True)
    assert (report.accepted, report.vanished, report.waiting) == (2, "1 child", 0)


def test_a_child_that_waits_again_or_is_in_order_now_does_not_vanish(drawn, export, visits):
    import_file(drawn, export(visits.assign(institution_id=["Z9", "A2", "H1"])), "screening", wave="w1")
    assert import_file(drawn, export(visits.assign(institution_id=["Z8", "A2", "H1"])), "screening", wave="w1").waiting == 1
    assert import_file(drawn, export(visits), "screening", wave="w1").accepted == 3


def test_a_row_that_waits_for_its_id_does_not_vanish_unasked(drawn, export, visits):
    import_file(drawn, export(visits.assign(child_id=["", "002", "003"])), "screening", wave="w1")
    with pytest.raises(Refusal) as caught:
        import_file(drawn, export(visits.tail(2), "second.csv"), "screening", wave="w1")
    assert "1 without an id" in str(caught.value)
    assert import_file(drawn, export(visits, "third.csv"), "screening", wave="w1").accepted == 3
