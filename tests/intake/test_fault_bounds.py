"""However much is wrong with a file, what is kept and said of it is bounded, and says how much more there is."""

import numpy as np
import pandas as pd
import pytest

from asp_eval.core.errors import DataProblems
from asp_eval.intake.checks import findings, validation
from asp_eval.reporting.sections import problems as pages
from asp_eval.store import table
from asp_eval.workflow.import_file import import_file
from tests.small_study import OLDER

pytestmark = pytest.mark.usefixtures("institutions")


@pytest.fixture
def institutions(study, incoming):
    (incoming / "institutions.csv").write_text("institution_id,municipality\nA1,A\nA2,A\n")
    import_file(study, incoming / "institutions.csv", "institutions")


def screening(incoming, n: int, bad: int, columns=OLDER):
    """A file of n children, of whom the first `bad` have an impossible answer to every question of `columns`."""
    frame = pd.DataFrame({"child_id": [f"c{i}" for i in range(n)], "institution_id": "A1", "date": "2006-09-10"})
    answers = pd.DataFrame(1, index=frame.index, columns=list(OLDER))
    answers.loc[: bad - 1, list(columns)] = 7
    path = incoming / "w1.csv"
    frame.join(answers).to_csv(path, index=False)
    return path


def test_a_file_with_more_rows_at_fault_than_can_wait_is_refused_whole(study, incoming, monkeypatch):
    monkeypatch.setattr(validation, "MOST_WAITING", 3)
    with pytest.raises(DataProblems) as caught:
        import_file(study, screening(incoming, 100, 4), "screening", wave="w1")
    (told,) = [problem for problem in caught.value.problems if problem.code == "SCR-067"]
    assert told.details == {"n": 4, "most": 3}
    assert table(study, "screening").empty
    report = import_file(study, screening(incoming, 100, 3), "screening", wave="w1")
    assert (report.accepted, report.quarantined) == (97, 3)


def test_what_is_listed_of_a_file_is_bounded_and_all_of_it_is_counted(study, incoming, monkeypatch):
    monkeypatch.setattr(findings, "MOST_OF_A_FILE", 50)
    monkeypatch.setattr(findings, "FEWEST_SHOWN", 1)
    report = import_file(study, screening(incoming, 90, 4), "screening", wave="w1")
    errors = [problem for problem in report.problems if problem.severity == "error"]
    listed = [problem for problem in errors if problem.code != "SCR-018"]
    assert len(listed) == 25 * (50 // 25)
    assert len(listed) + sum(problem.details["count"] for problem in errors if problem.code == "SCR-018") == 4 * 25


def test_the_reasons_of_a_row_are_bounded_and_counted(study, incoming):
    report = import_file(study, screening(incoming, 30, 2), "screening", wave="w1")
    written = (study.folder / report.quarantine_file).read_text(encoding="utf-8-sig")
    assert written.count("SCR-014") == 2 * findings.MOST_OF_A_ROW
    assert written.count("SCR-068") == 2
    assert f"more faults of this row, which are not listed: {25 - findings.MOST_OF_A_ROW}" in written


def test_a_row_with_as_many_faults_as_are_kept_has_no_more(study, incoming):
    report = import_file(study, screening(incoming, 30, 2, OLDER[: findings.MOST_OF_A_ROW]), "screening", wave="w1")
    assert "SCR-068" not in (study.folder / report.quarantine_file).read_text(encoding="utf-8-sig")


def test_pages_and_lists_are_bounded_and_say_how_many_more(study, incoming, monkeypatch):
    monkeypatch.setattr(pages, "MOST_ASKED", 2)
    monkeypatch.setattr(pages, "MOST_IN_CSV", 3)
    import_file(study, screening(incoming, 30, 4, OLDER[:1]), "screening", wave="w1")
    folder = study.folder / "output" / "problems" / "screening-w1"
    page = next(path for path in folder.iterdir() if path.stem.lower() == "a1").read_text(encoding="utf-8")
    assert page.count("Question 1") == 2
    assert "Not on this page: 2 more." in page
    assert "4 rows wait until they are corrected" in page
    lines = (folder / "faults.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 1 + 3 + 1
    assert "more faults, which are not listed here" in lines[-1]


def test_many_rows_with_one_id_are_each_told_of_the_first_others(study, incoming):
    frame = pd.read_csv(screening(incoming, 3_000, 0))
    frame["child_id"] = "c1"
    frame[OLDER[0]] = np.arange(3_000) % 3
    frame[OLDER[1]] = np.arange(3_000) % 2
    frame["rater_id"] = [f"r{i}" for i in range(3_000)]
    frame.to_csv(incoming / "same.csv", index=False)
    with pytest.raises(DataProblems) as caught:
        import_file(study, incoming / "same.csv", "screening", wave="w1", dry_run=True)
    same = [problem for problem in caught.value.problems if problem.code == "SCR-046"]
    assert "rows 3, 4, 5, 6, 7 and 2994 more" in str(same[0])
    assert "rows 2, 3, 4, 6, 7 and 2994 more" in str(same[3])


def test_a_column_of_personal_numbers_is_refused_by_its_first_thousand(study, incoming):
    frame = pd.read_csv(screening(incoming, 3_000, 0))
    frame["remark"] = [f"0102{i % 97:02d}-{i:04d}" for i in range(3_000)]
    frame.to_csv(incoming / "cpr.csv", index=False)
    with pytest.raises(DataProblems) as caught:
        import_file(study, incoming / "cpr.csv", "screening", wave="w1", dry_run=True)
    codes = [problem.code for problem in caught.value.problems]
    assert (codes.count("SCR-142"), codes[-1]) == (1_000, "SCR-018")
    assert caught.value.problems[-1].details["count"] > 1_000


@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_a_file_wider_than_any_spreadsheet_is_refused_before_its_rows_are_read(study, incoming, ending):
    mark = "," if ending == "csv" else "\t"
    path = incoming / f"wide.{ending}"
    path.write_text("\n".join([mark.join(f"v{i}" for i in range(300_000)), mark.join("1" for _ in range(300_000))]))
    with pytest.raises(DataProblems) as caught:
        import_file(study, path, "screening", wave="w1")
    (told,) = caught.value.problems
    assert (told.code, told.details["n"]) == ("SCR-113", 300_000)


def test_a_workbook_wider_than_any_spreadsheet_is_refused_before_it_is_opened():
    from asp_eval.intake.files.guards.archive import check_grids

    check_grids([(3, 16_384)], "wide.ods")
    with pytest.raises(DataProblems) as caught:
        check_grids([(3, 2), (3, 16_385)], "wide.ods")
    (told,) = caught.value.problems
    assert (told.code, told.details["n"]) == ("SCR-113", 16_385)


def test_a_wide_file_is_read_in_short_chunks_to_the_same_cells(incoming, monkeypatch):
    from asp_eval.intake.files import columns
    from asp_eval.intake.files.reading import read_raw

    frame = pd.DataFrame({f"v{i}": [str((i * k) % 7) for k in range(50)] for i in range(40)})
    frame.to_csv(incoming / "w.csv", index=False)
    whole = read_raw(incoming / "w.csv").frame()
    monkeypatch.setattr(columns, "CELLS", 120)  # three rows at a time
    assert read_raw(incoming / "w.csv").frame().equals(whole)
    assert whole.to_csv() == frame.astype("string").to_csv()
