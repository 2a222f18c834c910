"""The parts of an instrument carry a coding frame as well: codes with levels, several coders, a decision rule.

No such frame is shipped yet. The test builds one as the documentation says, to show that no part stands in its way.
"""

from typing import Literal

import pandas as pd
import pytest
from pydantic import model_validator

from asp_eval.core.documents import Document, Misfits, read_document
from asp_eval.core.errors import DataProblems
from asp_eval.trial.instruments import checks
from asp_eval.trial.instruments.parts import Claim, Id, Item, Key, Language, Licence, Response, Text
from asp_eval.trial.instruments.responses import checked_codes


class Decision(Document):
    rule: Literal["consensus", "majority"]
    coders: int


class CodingFrame(Document):
    id: Id
    version: int
    languages: tuple[Language, ...]
    title: Text
    licence: Licence
    provenance: tuple[Claim, ...]
    response_sets: dict[Key, tuple[Response, ...]]
    items: tuple[Item, ...]
    decision: Decision

    @model_validator(mode="after")
    def _is_sound(self):
        found = [
            *checks.unique_keys(self.items, (), (), self.response_sets),
            *checks.references(self.items, (), (), self.response_sets),
            *checks.languages(self, self.languages),
        ]
        if found:
            raise Misfits(found)
        return self

    item_keys = property(lambda self: tuple(item.key for item in self.items))
    columns = property(lambda self: tuple(f"{self.id}.{key}" for key in self.item_keys))

    def codes(self, item):
        return tuple(response.code for response in self.response_sets[item.responses])


FRAME = """\
id: institution-type
version: 1
languages: [da, en]
title: {da: Type, en: Type}
licence: {item_text: included, statement: {da: fri, en: free}}
provenance: [{what: everything, mark: convention, source: this test}]
response_sets:
  type:
    - {code: 1, label: {da: nyskabende, en: innovative}, anchor: {da: ejer opgaven, en: owns the task}}
    - {code: 2, label: {da: følger med, en: compliant}}
    - {code: 3, label: {da: modstand, en: resisting}}
items:
  - {number: 1, key: type, responses: type, scored: false, text: {da: Institutionens type, en: Type of institution}}
decision: {rule: majority, coders: 3}
"""


def test_a_coding_frame_is_read_and_its_codes_checked(tmp_path):
    (tmp_path / "frame.yaml").write_text(FRAME, encoding="utf-8")
    frame = read_document(tmp_path / "frame.yaml", CodingFrame)
    coded = pd.DataFrame({"institution_id": ["a"] * 3, "coder_id": ["x", "y", "z"], "institution-type.type": [1, 1, 2]})
    assert checked_codes(frame, coded)["type"].tolist() == [1, 1, 2]
    with pytest.raises(DataProblems, match=r"SCO-003.*row 4.*expected 1, 2, 3"):
        checked_codes(frame, coded.assign(**{"institution-type.type": [1, 1, 4]}))


def test_its_mistakes_are_placed_on_their_lines(tmp_path):
    (tmp_path / "frame.yaml").write_text(FRAME.replace("responses: type,", "responses: typ,"), encoding="utf-8")
    with pytest.raises(DataProblems, match=r"INS-011\] frame.yaml line 13"):
        read_document(tmp_path / "frame.yaml", CodingFrame)
