"""The ledger: sealed entry to entry, so that every kind of change is seen where it was made."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pytest
from small_study import by_hand

from asp_eval.core.csv_text import read_csv_text
from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.store import Store, imports, ledger, table, write_allocation
from asp_eval.store.audit import audit
from asp_eval.store.ledger import Entry, bodies
from asp_eval.trial.study.design import Study
from asp_eval.workflow.import_file import import_file

ARMS = pd.DataFrame({"institution_id": ["A1", "A2", "H1", "H2"], "arm": ["intervention", "reference"] * 2})


class NoteBody(ledger.LedgerBody):
    """A kind of entry that is this test's own."""

    kind: ClassVar[str] = "note"
    n: int
    what: str


def chain_of(study: Study) -> tuple[Entry, ...]:
    with Store(study.folder).reading() as connection:
        assert connection is not None
        return ledger.entries(connection)


def found(chain: tuple[Entry, ...], **heads: str) -> list[tuple[str, str]]:
    return [(problem.code, problem.place.source) for problem in ledger.verify(chain, heads)]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Entry, ...]:
    """Five sealed entries."""
    with Store(tmp_path_factory.mktemp("chain")).writing() as connection:
        return tuple(ledger.append(connection, NoteBody(n=n, what="blåbær")) for n in range(1, 6))


def sealed(entry: Entry) -> Entry:
    return replace(entry, digest=ledger.digest_of(entry.text))


def test_the_digest_is_that_of_the_documented_text(chain):
    lines = [
        "2",
        "note",
        chain[1].recorded_at,
        chain[1].recorded_by,
        chain[1].package_version,
        '{"n":2,"what":"blåbær"}',
        chain[0].digest,
    ]
    assert chain[1].digest == hashlib.sha256("".join(f"{line}\n" for line in lines).encode("utf-8")).hexdigest()
    assert chain[0].previous == "0" * 64
    assert [entry.entry for entry in chain] == [1, 2, 3, 4, 5]


def test_an_untouched_chain_has_nothing_wrong_and_knows_every_head_it_ever_had(chain):
    assert found(chain) == []
    assert found(chain, now=chain[-1].digest, earlier=chain[1].digest, short=chain[3].digest[:12]) == []
    assert found(()) == []


@pytest.mark.parametrize("name", ["body", "recorded_at", "recorded_by", "package_version", "kind", "previous", "digest"])
def test_a_changed_entry_is_seen(chain, name):
    changed = (*chain[:2], replace(chain[2], **{name: chain[2].body.replace("3", "4") + "x"}), *chain[3:])
    assert ("STO-021", "ledger entry 3") in found(changed)


def test_an_entry_changed_and_sealed_again_breaks_the_next(chain):
    changed = (*chain[:2], sealed(replace(chain[2], body='{"n":7}')), *chain[3:])
    assert found(changed) == [("STO-022", "ledger entry 4")]


def test_an_entry_taken_out_of_the_middle_is_seen(chain):
    assert found((*chain[:2], *chain[3:])) == [("STO-022", "ledger entry 4")]
    assert found(chain[1:]) == [("STO-022", "ledger entry 2")]


def test_entries_in_another_order_are_seen(chain):
    assert ("STO-022", "ledger entry 4") in found((*chain[:2], chain[3], chain[2], chain[4]))
    renumbered = (*chain[:2], replace(chain[3], entry=3), replace(chain[2], entry=4), chain[4])
    assert {("STO-021", "ledger entry 3"), ("STO-021", "ledger entry 4")} <= set(found(renumbered))


def test_an_entry_put_in_is_seen(chain):
    added = sealed(replace(chain[2], body='{"n":9}'))
    assert ("STO-022", "ledger entry 3") in found((*chain[:3], added, *chain[3:]))


def test_entries_taken_from_the_end_are_seen_by_a_head_from_outside_alone(chain):
    assert found(chain[:4]) == []
    assert found(chain[:4], report=chain[4].digest) == [("STO-023", "report")]
    assert found((), report=chain[4].digest[:16]) == [("STO-023", "report")]


def test_a_chain_written_anew_is_seen_by_a_head_from_outside_alone(chain):
    anew, previous = [], ledger.NO_ENTRY
    for entry in chain:
        anew.append(sealed(replace(entry, body='{"n":0}', previous=previous)))
        previous = anew[-1].digest
    assert found(tuple(anew)) == []
    assert found(tuple(anew), report=chain[2].digest) == [("STO-023", "report")]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE ledger SET body = replace(body, '\"accepted\":3', '\"accepted\":2') WHERE entry = 3", "STO-021"),
        ("DELETE FROM ledger WHERE entry = 2", "STO-022"),
        ("UPDATE ledger SET entry = CASE entry WHEN 2 THEN 3 ELSE 2 END WHERE entry IN (2, 3)", "STO-021"),
        ("INSERT INTO ledger SELECT * FROM ledger WHERE entry = 2", "STO-022"),
        ("DELETE FROM ledger WHERE entry = 3", "STO-023"),
    ],
)
def test_what_is_done_to_the_stored_ledger_is_seen(rated, statement, expected):
    head = chain_of(rated)[-1].digest
    assert found(chain_of(rated), report=head) == []
    with Store(rated.folder).writing() as connection:
        connection.execute(statement)
    assert expected in [code for code, _ in found(chain_of(rated), report=head)]


def test_the_ledger_for_people_has_every_entry_and_can_be_checked_from_itself(rated):
    frame = read_csv_text(rated.folder / "output" / "ledger.csv")
    assert frame["kind"].tolist() == ["import", "draw", "import"]
    names = list(ledger.COLUMNS)
    read = tuple(Entry(**{**row, "entry": int(row["entry"])}) for row in frame[names].to_dict("records"))
    assert read == chain_of(rated)
    assert found(read) == []
    assert json.loads(frame["body"][2])["file"] == "wave1.csv"
    assert table(rated, "ledger")["digest"].tolist() == frame["digest"].tolist()


def test_an_entry_is_never_changed_by_what_comes_later(rated, export, visits):
    before = chain_of(rated)
    import_file(rated, export(visits.assign(hours="1")), "screening", wave="w1")
    assert chain_of(rated)[:-1] == before
    assert chain_of(rated)[-1].content.supersedes == 3


def test_a_second_draw_needs_a_reason_and_leaves_the_first_to_be_read(drawn):
    with pytest.raises(DataProblems, match="STO-011"):
        write_allocation(drawn, ARMS)
    for body in ({}, {"why": "  "}):
        with pytest.raises(Refusal, match="STO-024"):
            write_allocation(drawn, ARMS, kind="redraw", body=body)
    assert table(drawn, "allocation")["arm"].tolist() == ["reference", "intervention"] * 2
    entry = write_allocation(drawn, ARMS, kind="redraw", body={"why": "one was listed twice", "seed": "7"})
    assert entry is not None
    said = json.loads(entry.body)
    assert list(said.pop("tables")) == ["allocation"]
    assert said == {
        "why": "one was listed twice",
        "seed": 7,
        "arms": dict(zip(ARMS["institution_id"], ARMS["arm"], strict=True)),
    }
    assert table(drawn, "allocation")["arm"].tolist() == ["intervention", "reference"] * 2
    first, second = (e for e in chain_of(drawn) if e.kind in ("draw", "redraw"))
    assert first.content.arms == {"A1": "reference", "A2": "intervention", "H1": "reference", "H2": "intervention"}
    assert second == entry


def test_a_draw_that_adds_nothing_is_not_entered(drawn):
    same = ARMS.assign(arm=["reference", "intervention"] * 2)
    assert write_allocation(drawn, same) is None
    assert len(chain_of(drawn)) == 2


def test_the_store_of_an_older_version_is_refused(study):
    with Store(study.folder).writing() as connection:
        connection.execute("CREATE TABLE import_ledger (import_id BIGINT)")
    with pytest.raises(Refusal, match="STO-020"):
        table(study, "import_ledger")
    with pytest.raises(Refusal, match="STO-020"):
        write_allocation(study, ARMS)


def test_who_is_named_on_one_line(study, monkeypatch):
    for name, shown in (("anna\nimport", "anna import"), ("", "unknown")):
        monkeypatch.setattr("getpass.getuser", lambda name=name: name)
        with Store(study.folder).writing() as connection:
            assert ledger.append(connection, NoteBody(n=1, what="")).recorded_by == shown

    def nobody() -> str:
        raise OSError

    monkeypatch.setattr("getpass.getuser", nobody)
    with Store(study.folder).writing() as connection:
        assert ledger.append(connection, NoteBody(n=1, what="")).recorded_by == "unknown"


def codes(study: Study, **heads: str) -> list[tuple[str, str]]:
    return [(problem.code, problem.place.source) for problem in audit(study, heads).problems]


def test_an_audit_tells_entries_head_and_what_was_compared(rated):
    head = chain_of(rated)[-1].digest
    found = audit(rated, {"report": f" {head[:8].upper()} {head[8:20]}"})
    assert (found.entries, found.head, found.compared, found.problems) == (3, head, ("report",), ())
    assert audit(rated).compared == ()
    for wrong in ("", "abc", "zzzzzzzz", head + "0"):
        with pytest.raises(Refusal, match="STO-025"):
            audit(rated, {"--head": wrong})


def test_an_audit_of_a_study_without_data(study):
    found = audit(study)
    assert (found.entries, found.head, found.problems) == (0, "0" * 64, ())


def test_an_audit_sees_arms_that_were_changed_by_hand(rated):
    for statement, institutions in (
        ("UPDATE allocation SET arm = 'intervention' WHERE institution_id = 'A1'", ["A1"]),
        ("DELETE FROM allocation WHERE institution_id = 'H2'", ["A1", "H2"]),
    ):
        by_hand(rated, statement)
        assert codes(rated) == [("STO-040", "table allocation"), *(("STO-026", f"institution {name}") for name in institutions)]
    with pytest.raises(Refusal, match="STO-040"):
        write_allocation(rated, ARMS, kind="redraw", body={"why": "the table was changed by hand"})


def test_an_audit_sees_files_that_were_changed_or_taken_away(rated):
    kept = rated.folder / "data" / "wave1.csv"
    kept.write_bytes(kept.read_bytes().replace(b"girl", b"boy"))
    (rated.folder / "data" / "institutions.csv").unlink()
    assert codes(rated) == [("STO-028", "data/institutions.csv"), ("STO-027", "data/wave1.csv")]
    assert audit(rated).errors == 1


OLD = Path(__file__).parent / "ledger_of_version_1_bodies.csv"  # written before bodies had models


@pytest.fixture(scope="module")
def old_chain() -> tuple[Entry, ...]:
    rows = read_csv_text(OLD).to_dict("records")
    return tuple(Entry(**{**row, "entry": int(row["entry"])}) for row in rows)


def test_a_ledger_of_an_earlier_version_still_verifies_and_is_read_by_kind(old_chain):
    assert found(old_chain) == []
    assert ledger.unreadable(old_chain) == ()
    kinds = [ledger.ImportBody, ledger.DrawBody, ledger.RedrawBody, ledger.ImportBody, ledger.ImportBody, ledger.ImportBody]
    assert [type(entry.content) for entry in old_chain] == kinds
    assert [one.superseded for one in imports.imports(old_chain)] == [False, True, True, False]
    assert old_chain[2].content.why == "one was listed twice"
    assert old_chain[4].content.takes == {4: 1}


def test_what_is_read_is_written_again_to_the_letter(old_chain):
    assert [entry.content.as_json for entry in old_chain] == [entry.body for entry in old_chain]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("note", "{}"),
        ("import", "{}"),
        ("import", "no JSON"),
        ("draw", "[]"),
        ("draw", '{"arms":{},"version":2}'),
        ("draw", '{"arms":{},"version":"x"}'),
        ("draw", '{"arms":{},"surplus":1}'),
        ("redraw", '{"arms":{}}'),
        ("draw", "null"),
    ],
)
def test_what_an_entry_cannot_say_is_refused_with_its_number(chain, kind, body):
    entry = replace(chain[0], kind=kind, body=body)
    with pytest.raises(Refusal, match="STO-038"):
        _ = entry.content
    assert [(problem.code, problem.place.source) for problem in ledger.unreadable([entry])] == [("STO-038", "ledger entry 1")]


def test_a_body_that_nobody_can_read_is_told_beside_the_broken_seal(rated):
    with Store(rated.folder).writing() as connection:
        connection.execute("UPDATE ledger SET body = '{\"file\":1' WHERE entry = 3")
    assert {"STO-021", "STO-038"} <= {problem.code for problem in audit(rated).problems}


def test_a_kind_that_says_something_else_writes_its_version(monkeypatch):
    class NewDraw(ledger.DrawBody):
        version: ClassVar[int] = 2
        place: str = ""

    monkeypatch.setitem(bodies.MODELS, ("draw", 2), NewDraw)
    written = ledger.new_body("draw", {"arms": {}, "place": "Aarhus"})
    assert written.as_json == '{"arms":{},"place":"Aarhus","version":2}'
    assert ledger.read_body("draw", written.as_json) == written
    assert type(ledger.read_body("draw", '{"arms":{}}')) is ledger.DrawBody
