"""Own coding frames: their digests stand in the ledger, the state and the manifest; one changed after use is refused."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from asp_eval.core.errors import DataProblems
from asp_eval.core.resources import shipped_folder
from asp_eval.store import table
from asp_eval.store.provenance import provenance_of, state_of
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.check import check_study
from asp_eval.workflow.import_file import import_file

INTERVIEWS = pd.DataFrame(
    {"institution_id": ["A1"], "round": ["baseline"], "coder_id": ["k1"], "date": ["2006-09-05"], "management_relation": ["I"]}
)


@pytest.fixture
def own(drawn):
    """The drawn study, with interviews coded by a frame of its own."""
    shipped = (shipped_folder("instruments") / "frames" / "asp-process.yaml").read_text(encoding="utf-8")
    (drawn.folder / "frames").mkdir()
    (drawn.folder / "frames" / "ours.yaml").write_text(shipped.replace("id: asp-process", "id: ours", 1), encoding="utf-8")
    path = drawn.folder / "study.yaml"
    path.write_text(path.read_text().replace("outcomes:\n", "  interviews: {rounds: [baseline], frame: ours}\noutcomes:\n", 1))
    return load_study(drawn.folder)


def test_the_ledger_and_the_state_hold_the_digest(own, export):
    import_file(own, export(INTERVIEWS, "interviews.csv"), "interviews")
    (file,) = own.own_frames
    body = json.loads(table(own, "ledger")["body"].iloc[-1])
    assert body["instruments"] == {"ours frame version 1": file.digest}
    assert "frames/ours.yaml" in provenance_of(own).inputs
    before = state_of(own)
    path = own.folder / "frames" / "ours.yaml"
    path.write_text("# a comment\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert state_of(load_study(own.folder)) == before


def test_a_frame_that_was_changed_after_use_is_refused(own, export):
    import_file(own, export(INTERVIEWS, "interviews.csv"), "interviews")
    path = own.folder / "frames" / "ours.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("en: ", "en: Not ", 1), encoding="utf-8")
    study = load_study(own.folder)
    with pytest.raises(DataProblems, match=r"STO-050.*ours frame version 1"):
        import_file(study, export(INTERVIEWS.assign(date="2006-09-06"), "again.csv"), "interviews")
    with pytest.raises(DataProblems, match="STO-050"):
        state_of(study)
    assert "STO-050" in {problem.code for problem in check_study(study).problems}
