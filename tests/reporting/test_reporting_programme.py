"""The description of the intervention: the items of TIDieR that study.yaml tells are printed, and the others named."""

import builders
import pytest
from pydantic import ValidationError

from asp_eval.reporting.blocks import Fields, Prose, Table, blocks_of, plain
from asp_eval.reporting.documents.evaluation import evaluation
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.sections.programme import programme, what_became_of_it
from asp_eval.reporting.setting import Setting
from asp_eval.trial.study.report_plan import Programme

TOLD = {"name": {"da": "Forløbet", "en": "The course"}, "who": "Consultants", "modifications": "One course fewer"}


def setting(language, **told):
    study = builders.study(programme=told)
    return Setting(builders.results(study=study), Numbers(words_for(language)))


def printed(section):
    fields = [(plain(f.label), plain(f.value)) for block in section.blocks if isinstance(block, Fields) for f in block.fields]
    prose = [plain(part.text) for block in section.blocks if isinstance(block, Prose) for part in block.parts]
    return dict(fields), " ".join(prose)


@pytest.mark.parametrize(
    ("language", "name", "told", "missing"),
    [("da", "Kort navn", "Forløbet", "hvad: materialer"), ("en", "Short name", "The course", "what: materials")],
)
def test_what_is_told_is_printed_and_what_is_not_is_named(language, name, told, missing):
    fields, prose = printed(programme(setting(language, **TOLD)))
    assert fields[name] == told
    assert "Consultants" in fields.values() and len(fields) == len(TOLD)
    assert missing in prose and prose.count(";") == len(Programme.model_fields) - len(TOLD) - 1


def test_a_study_that_tells_nothing_is_told_so():
    fields, prose = printed(programme(setting("en")))
    assert not fields and "programme" in prose
    assert what_became_of_it(setting("en")) == ()


def test_the_chapter_on_the_process_tells_what_became_of_it():
    points = [plain(point) for point in what_became_of_it(setting("en", **TOLD))]
    assert points[0] == "Changed on the way: One course fewer" and len(points) == 2


def test_the_checklist_says_where_it_is_answered():
    for told, place in ((TOLD, "What was to be delivered"), ({}, "Not in this report: for the study team to write")):
        document = evaluation(builders.results(study=builders.study(programme=told)), "en")
        table = next(block for block in blocks_of(document.sections) if isinstance(block, Table) and block.key == "checklist")
        assert next(row.cells[2].text for row in table.rows if row.cells[0].text == "12b") == place


def test_a_key_that_no_item_has_is_refused():
    with pytest.raises(ValidationError):
        builders.study(programme={"dose": "much"})
