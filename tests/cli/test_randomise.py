"""``asp-eval randomise``: drawn once, replaced with a reason only, verified, rehearsed, drawn in public, drawn late.

1. The draw stands in the ledger with its seed, scheme, list, digest and arms, and is that of the published rule.
2. A second draw is refused; with a reason both stay, unless data are in.
3. Verification tells what changed: the list, the declaration, an arm.
4. A rehearsal writes nothing, and its seed is never the draw's.
5. Late institutions are drawn alone; closed ones are not drawn, and keep their arm.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest
from small_study import seal_again

from asp_eval.analysis.allocations import allocations
from asp_eval.cli.main import main
from asp_eval.core.errors import Refusal
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.randomise import plan_draw

STUDY = """
version: 1
study: {id: small, title: {en: Small}}
languages: [en]
arms: [reference, intervention]
strata: [municipality]
randomisation: {scheme: stratified}
waves: [{id: w1, label: {en: start}, from: 2027-09-01, to: 2027-09-30}]
collect: {screening: {waves: [w1]}}
columns: {institutions: {children: integer}, screening: {score: number}}
outcomes: [{id: y, column: screening.score, role: primary, better: lower, at: w1}]
analysis: {level: 0.6}
"""
HEADER = "institution_id,name,municipality,children,closed_on,closed_why\n"
ROWS = [f"D0{i},House {i},{'North' if i < 5 else 'South'},{20 + 7 * i},,\n" for i in range(1, 9)]
CONSTRAINED = "{scheme: constrained, covariates: {children: 1}, keep: 0.5}"


class Folder:
    """A study folder, and the command run in it."""

    def __init__(self, path: Path, capsys=None, monkeypatch=None):
        self.path, self.capsys, self.monkeypatch = path, capsys, monkeypatch
        self.study = load_study(path) if (path / "study.yaml").is_file() else None

    def declare(self, randomisation: str) -> None:
        text = STUDY.replace("{scheme: stratified}", randomisation)
        (self.path / "study.yaml").write_text(text, encoding="utf-8")
        self.study = load_study(self.path)

    def list(self, rows: list[str]) -> None:
        (self.path / "institutions.csv").write_text(HEADER + "".join(rows), encoding="utf-8")
        import_file(self.study, self.path / "institutions.csv", "institutions")

    def run(self, *options: str, typed: str = "") -> tuple[int, str]:
        """Return the exit code, and everything that was printed on one line."""
        self.monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            main(["randomise", *options, "--study", str(self.path)])
        printed = self.capsys.readouterr()
        return int(ended.value.code or 0), " ".join((printed.out + printed.err).split())

    def lots(self) -> list[dict]:
        with duckdb.connect(self.path / "study.duckdb", read_only=True) as connection:
            kinds = "('draw', 'redraw', 'late-draw')"
            rows = connection.execute(f"SELECT kind, body FROM ledger WHERE kind IN {kinds} ORDER BY entry").fetchall()
        return [{"kind": kind, **json.loads(body)} for kind, body in rows]

    def arms(self) -> dict[str, str]:
        with duckdb.connect(self.path / "study.duckdb", read_only=True) as connection:
            return dict(connection.execute("SELECT institution_id, arm FROM allocation").fetchall())


@pytest.fixture(scope="module")
def listed_once(tmp_path_factory):
    """A study with its list of institutions: imported once, and copied for each test."""
    listed = Folder(tmp_path_factory.mktemp("listed"))
    listed.declare("{scheme: stratified}")
    listed.list(ROWS)
    return listed.path


@pytest.fixture
def folder(listed_once, tmp_path, capsys, monkeypatch):
    return Folder(shutil.copytree(listed_once, tmp_path, dirs_exist_ok=True), capsys, monkeypatch)


def by_hand(seed: int) -> dict[str, str]:
    """Two strata of four, 1 to 1: the first two by digest are in the reference arm."""
    drawn = {}
    for ids in (["D01", "D02", "D03", "D04"], ["D05", "D06", "D07", "D08"]):
        ids = sorted(ids, key=lambda i: hashlib.sha256(f"{seed}:{i}".encode()).hexdigest())
        drawn |= dict.fromkeys(ids[:2], "reference") | dict.fromkeys(ids[2:], "intervention")
    return drawn


def test_the_ledger_keeps_all_that_the_draw_needs(folder):  # 1
    code, printed = folder.run("--seed", "2006")
    assert code == 0 and "Institutions drawn with seed 2006: 8." in printed
    (lot,) = folder.lots()
    assert list(lot.pop("tables")) == ["allocation"]  # whose digest it says
    lines = [f"D0{i}\t{'North' if i < 5 else 'South'}" for i in range(1, 9)]
    assert lot == {
        "kind": "draw",
        "seed": 2006,
        "scheme": "stratified by municipality; reference 1, intervention 1",
        "lines": lines,
        "digest": hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest(),
        "arms": by_hand(2006),
    }
    assert folder.arms() == by_hand(2006)
    assert (folder.path / "output" / "allocation.csv").is_file()


def test_the_same_draw_again_changes_nothing(folder):  # 2
    folder.run("--seed", "2006")
    code, printed = folder.run("--seed", "2006")
    assert code == 0 and "nothing was changed" in printed and len(folder.lots()) == 1


def test_a_second_draw_needs_a_reason_and_both_stay(folder):  # 2
    folder.run("--seed", "2006")
    code, printed = folder.run("--seed", "3")
    assert code == 1 and "RND-042" in printed and "with seed 2006" in printed and "--replace" in printed
    assert folder.run("--seed", "3", "--replace")[0] == 2
    assert folder.run("--seed", "3", "--why", "x")[0] == 2
    assert folder.arms() == by_hand(2006)
    assert folder.run("--seed", "3", "--replace", "--why", "the list had a wrong municipality")[0] == 0
    first, second = folder.lots()
    assert (first["arms"], second["arms"]) == (by_hand(2006), by_hand(3)) and folder.arms() == by_hand(3)
    assert second["kind"] == "redraw" and second["why"] == "the list had a wrong municipality"
    code, printed = folder.run("--verify")
    assert code == 0 and "seed 2006) was replaced" in printed and "because: the list had a wrong municipality" in printed


def test_a_lot_is_not_drawn_again_once_data_are_in(folder):  # 2
    folder.run("--seed", "2006")
    export = "child_id,institution_id,date,sex,birth_month,score\nc1,D01,2027-09-10,girl,2023-01,4\n"
    (folder.path / "w1.csv").write_text(export, encoding="utf-8")
    import_file(folder.study, folder.path / "w1.csv", "screening", wave="w1")
    code, printed = folder.run("--seed", "3", "--replace", "--why", "bad luck")
    assert code == 1 and "RND-043" in printed and folder.arms() == by_hand(2006)


def test_there_is_nothing_to_replace_or_verify_before_the_draw(folder):  # 2, 3
    for options in (["--verify"], ["--late", "--seed", "3"], ["--seed", "3", "--replace", "--why", "x"]):
        code, printed = folder.run(*options)
        assert code == 1 and "RND-040" in printed
    assert not folder.lots()


def test_verification_agrees(folder):  # 3
    folder.run("--seed", "2006")
    code, printed = folder.run("--verify")
    assert code == 0 and "8 institutions, seed 2006" in printed and "every arm agree" in printed
    folder.list([*reversed(ROWS)])  # the order of the list does not matter, nor does a name
    assert folder.run("--verify", "--json")[1].startswith('{ "agrees": true')


def test_verification_tells_what_changed_in_the_list(folder):  # 3
    folder.run("--seed", "2006")
    folder.list([ROWS[0].replace("North", "South"), *ROWS[1:], "D09,House 9,South,90,,\n"])
    code, printed = folder.run("--verify")
    assert code == 1 and "RND-032" in printed and "institution D01" in printed
    assert "found 'South', expected North" in printed and "D02" not in printed and "D09" not in printed
    with pytest.raises(Refusal, match="RND-030"):
        allocations(folder.study)


def test_verification_tells_what_changed_though_the_list_could_not_be_drawn_over(folder):  # 3
    folder.run("--seed", "2006")
    folder.list([*(row.replace("North", "South") for row in ROWS[:3]), *ROWS[3:]])  # D04 is left alone in its stratum
    code, printed = folder.run("--verify")
    assert code == 1 and printed.count("RND-032") == 3 and "institution D03" in printed and "RND-010" not in printed
    with pytest.raises(Refusal, match="RND-030"):
        allocations(folder.study)


def test_verification_tells_that_other_candidates_are_kept(folder):  # 3
    folder.declare(CONSTRAINED)
    folder.run("--seed", "2006")
    with duckdb.connect(folder.path / "study.duckdb") as connection:
        body = json.loads(connection.execute("SELECT body FROM ledger WHERE kind = 'draw'").fetchone()[0])
        body["candidates_digest"] = "0" * 64
        connection.execute("UPDATE ledger SET body = ? WHERE kind = 'draw'", [json.dumps(body)])
    code, printed = folder.run("--verify")
    assert code == 1 and "RND-035" in printed
    with pytest.raises(Refusal, match="RND-030"):
        allocations(folder.study)


def test_a_lot_drawn_elsewhere_is_not_verified_permuted_or_drawn_over(folder):  # 2, 3
    folder.declare("{scheme: stratified, drawn_elsewhere: true}")
    arms = "".join(f"{institution},{arm}\n" for institution, arm in by_hand(2006).items())
    (folder.path / "arms.csv").write_text(f"institution_id,arm\n{arms}", encoding="utf-8")
    import_file(folder.study, folder.path / "arms.csv", "allocation")
    for options in (["--verify"], ["--seed", "3"], ["--late", "--seed", "3"], ["--dry-run"]):
        code, printed = folder.run(*options)
        assert code == 1 and "RND-001" in printed and "RND-040" not in printed
    folder.declare("{scheme: stratified}")  # the declaration no longer says so; the arms are still the imported ones
    for options in (["--verify"], ["--seed", "3"]):
        code, printed = folder.run(*options)
        assert code == 1 and "RND-044" in printed and "NA" not in printed
    with pytest.raises(Refusal, match="RND-001"):
        allocations(folder.study)


def test_minimisation_is_shown_in_eighty_columns(folder, capsys):
    folder.declare("{scheme: minimisation}")
    with pytest.raises(SystemExit):
        main(["randomise", "--dry-run", "--study", str(folder.path)])
    printed = capsys.readouterr().out
    assert "in the order reference, intervention" in " ".join(printed.split()) and max(map(len, printed.splitlines())) <= 80
    assert printed.count("imbalance ") == 8 + 1


def test_verification_tells_who_left_the_list(folder):  # 3: the store refuses such a list, so it is changed by hand here
    folder.run("--seed", "2006")
    with duckdb.connect(folder.path / "study.duckdb") as connection:
        connection.execute("DELETE FROM institutions WHERE institution_id = 'D02'")
    code, printed = folder.run("--verify")
    assert code == 1 and "STO-040" in printed and "table institutions" in printed
    seal_again(folder.path)
    code, printed = folder.run("--verify")
    assert code == 1 and "RND-031" in printed and "institution D02" in printed and "D01" not in printed


def test_verification_tells_which_arms_differ(folder):  # 3
    folder.run("--seed", "2006")
    with duckdb.connect(folder.path / "study.duckdb") as connection:
        other = {"reference": "intervention", "intervention": "reference"}[by_hand(2006)["D03"]]
        connection.execute("UPDATE allocation SET arm = ? WHERE institution_id = 'D03'", [other])
        body = json.loads(connection.execute("SELECT body FROM ledger WHERE kind = 'draw'").fetchone()[0])
        body["arms"]["D03"] = other
        connection.execute("UPDATE ledger SET body = ? WHERE kind = 'draw'", [json.dumps(body)])
    code, printed = folder.run("--verify")
    assert code == 1 and "RND-034" in printed and "institution D03" in printed and "institution D04" not in printed
    assert "STO-021" in printed  # and the seal of the entry is broken


def test_verification_tells_that_the_declaration_changed(folder):  # 3
    folder.run("--seed", "2006")
    folder.declare("{scheme: simple}")
    code, printed = folder.run("--verify")
    assert code == 1 and "RND-033" in printed and "RND-032" not in printed


def test_a_rehearsal_writes_nothing_and_its_seed_is_taken(folder):  # 4
    code, printed = folder.run("--dry-run")
    assert code == 0 and printed.count("REHEARSAL") == 2 and not folder.lots()
    assert not (folder.path / "output" / "allocation.csv").exists()
    code, printed = folder.run("--seed", "0")
    assert code == 1 and "CLI-021" in printed and not folder.lots()
    assert json.loads(folder.run("--dry-run", "--json")[1])["rehearsal"] is True


def test_a_public_draw_shows_every_institution_with_its_digest(folder):
    code, printed = folder.run("--public", typed=" 20 06 \n")
    assert code == 0 and "The seed is 2006." in printed
    for institution, arm in by_hand(2006).items():
        key = hashlib.sha256(f"2006:{institution}".encode()).hexdigest()[:16]
        stratum = "North" if institution < "D05" else "South"
        assert f"{institution} {stratum} {key} {arm}" in printed
    assert folder.arms() == by_hand(2006)


@pytest.mark.parametrize("typed", ["\n", "twelve\n", "-3\n", "1" * 19 + "\n", "٣\n", "1.5\n"])
def test_a_seed_that_is_not_digits_is_refused(folder, typed):
    code, printed = folder.run("--public", typed=typed)
    assert code == 1 and "CLI-020" in printed and not folder.lots()


def test_the_rehearsal_s_seed_cannot_be_typed(folder):  # 4
    code, printed = folder.run("--public", typed="000\n")
    assert code == 1 and "CLI-021" in printed and not folder.lots()


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--seed", "1", "--public"],
        ["--seed", "1", "--dry-run"],
        ["--verify", "--late"],
        ["--public", "--json"],
        ["--seed", "1", "--late", "--replace", "--why", "x"],
    ],
)
def test_options_that_do_not_go_together(folder, options):
    assert folder.run(*options)[0] == 2 and not folder.lots()


def test_late_institutions_are_drawn_as_a_batch_of_their_own(folder):  # 5
    folder.run("--seed", "2006")
    assert "RND-041" in folder.run("--late", "--seed", "5")[1]
    folder.list([*ROWS, "D09,House 9,South,90,,\n", "D10,House 10,North,80,,\n", "D11,House 11,North,80,2020-08-01,too few\n"])
    code, printed = folder.run("--verify")
    assert code == 0 and "came after the draw and have no arm: 2 (" in printed
    assert folder.run("--late", "--seed", "5")[0] == 0
    late = folder.lots()[1]
    assert late["kind"] == "late-draw" and late["lines"] == ["D09\tSouth", "D10\tNorth"] and late["seed"] == 5
    assert folder.arms() == by_hand(2006) | late["arms"] and set(late["arms"].values()) == {"reference", "intervention"}
    assert folder.run("--verify")[0] == 0
    found = allocations(folder.study)
    assert found.enumerated and len(found.draws) == 6 * 6 * 2  # two of four, twice, and either of the two late ones
    assert found.clusters == (*(f"D0{i}" for i in range(1, 10)), "D10")
    code, printed = folder.run("--seed", "8")
    assert code == 1 and "RND-042" in printed


def test_a_closed_institution_stays_in_its_arm(folder):  # 5
    folder.run("--seed", "2006")
    folder.list([ROWS[0].replace(",,", ",2027-12-01,merged"), *ROWS[1:]])
    assert folder.run("--verify")[0] == 0 and folder.arms() == by_hand(2006)
    assert len(allocations(folder.study).clusters) == 8


def test_a_constrained_draw_keeps_its_candidates(folder):  # 1
    folder.declare(CONSTRAINED)
    code, printed = folder.run("--dry-run")
    assert code == 0 and "candidates digest" in printed
    assert folder.run("--seed", "2006")[0] == 0
    (lot,) = folder.lots()
    header, *kept = (folder.path / "output" / "candidates.csv").read_text(encoding="utf-8").split()
    assert header == "score,D01,D02,D03,D04,D05,D06,D07,D08"
    spelled = ["".join(line.split(",")[1:]) for line in kept]
    assert hashlib.sha256("".join(f"{s}\n" for s in spelled).encode()).hexdigest() == lot["candidates_digest"]
    assert lot["candidates"] == 36 and lot["kept"] == len(spelled)
    arms = "".join(str(int(lot["arms"][f"D0{i}"] == "intervention")) for i in range(1, 9))
    assert arms == min(spelled, key=lambda s: hashlib.sha256(f"2006:allocation:{s}".encode()).hexdigest())
    assert folder.run("--verify")[0] == 0
    found = allocations(folder.study)
    assert found.enumerated and {"".join(map(str, row)) for row in found.draws} == set(spelled)
    folder.list([ROWS[0].replace("27", "28"), *ROWS[1:]])
    code, printed = folder.run("--verify")
    assert code == 1 and "RND-032" in printed and "children=28" in printed
    assert np.unique([len(s) for s in spelled]).tolist() == [8]


CLOSED = ["D09,House 9,South,90,2020-01-01,merged\n", "D10,House 10,North,80,2099-01-01,\n", "D11,House 11,North,80,,\n"]


def test_who_had_closed_by_the_day_is_left_out_and_everybody_is_told(folder):  # 5
    folder.list([*ROWS, *CLOSED])
    told = "Left out of the draw: D09, closed on 2020-01-01: merged."
    assert told in folder.run("--dry-run")[1]
    row = {"institution_id": "D09", "closed_on": "2020-01-01", "closed_why": "merged"}
    assert json.loads(folder.run("--dry-run", "--json")[1])["left_out"] == [row]
    code, printed = folder.run("--seed", "2006")
    assert code == 0 and told in printed and ": 10. The draw is in output" in printed
    assert folder.lots()[0]["left_out"] == {"D09": "closed on 2020-01-01: merged"}
    assert {"D10", "D11"} <= set(folder.arms()) and "D09" not in folder.arms()
    assert folder.run("--verify")[0] == 0
    assert len(allocations(folder.study).clusters) == 10


def test_in_public_and_in_json_too(folder):  # 5
    folder.list([*ROWS, *CLOSED])
    code, printed = folder.run("--public", typed="2006\n")
    assert code == 0 and printed.index("Left out of the draw: D09") < printed.index("Seed, in digits")
    folder.list([*ROWS, *CLOSED, "D12,House 12,South,90,2021-01-01,\n", "D13,House 13,North,80,,\n"])
    code, printed = folder.run("--late", "--seed", "9", "--json")
    assert code == 0 and [one["institution_id"] for one in json.loads(printed)["left_out"]] == ["D09", "D12"]


def test_one_that_closes_today_has_closed(folder):  # 5
    today = datetime.now(UTC).astimezone().date()
    folder.list([*ROWS, f"D09,House 9,South,90,{today},\n", f"D10,House 10,North,80,{today + timedelta(days=1)},\n"])
    folder.run("--seed", "2006")
    assert "D09" not in folder.arms() and "D10" in folder.arms()


@pytest.mark.parametrize("known", [2006, 7])
def test_a_seed_that_stands_in_the_ledger_is_refused_for_another_lot(folder, known):  # 2, 5
    folder.run("--seed", "2006")
    folder.run("--seed", "7", "--replace", "--why", "the list was wrong")
    folder.list([*ROWS, "D09,House 9,South,90,,\n", "D10,House 10,North,80,,\n"])
    before = folder.lots()
    for options in (["--late"], ["--replace", "--why", "again"]):
        code, printed = folder.run("--seed", str(known), *options)
        assert code == 1 and "RND-045" in printed
        code, printed = folder.run("--public", *options, typed=f"{known}\n")
        assert code == 1 and "RND-045" in printed
        assert "A seed that stands in the ledger is refused (2006, 7)" in printed and "The seed is" not in printed
    with pytest.raises(Refusal) as refused:
        plan_draw(folder.study, late=True).draw(known)
    assert refused.value.problems[0].code == "RND-045"
    assert folder.lots() == before
    assert folder.run("--late", "--seed", "8")[0] == 0


def test_a_lot_in_python_is_not_drawn_with_the_rehearsal_s_seed(folder):  # 4
    with pytest.raises(Refusal) as refused:
        plan_draw(folder.study).draw(0)
    assert refused.value.problems[0].code == "CLI-021" and not folder.lots()


def test_a_late_institution_in_another_spelling_of_one_that_was_drawn_is_refused(folder):  # 5
    folder.run("--seed", "2006")
    folder.list([*ROWS, "d09,House 9,NORTH,90,,\n"])
    code, printed = folder.run("--late", "--seed", "8")
    assert code == 1 and "RND-027" in printed
