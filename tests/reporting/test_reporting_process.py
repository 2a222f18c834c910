"""The chapter on the process: every frame goes from a coded sheet to printed words in both languages."""

from __future__ import annotations

import re
from dataclasses import replace

import builders
import pandas as pd
import pytest
from products import each_value

from asp_eval.analysis.goals import Goal
from asp_eval.analysis.process.delivery import NO_DATES
from asp_eval.analysis.process.evaluating import NO_TYPES
from asp_eval.analysis.process.goals import goals_set
from asp_eval.analysis.process.interviews import code_agreement, coded_interviews, coded_sheets, frame_findings
from asp_eval.analysis.process.results import Excerpt, GapDiscussed, ItemMean, ProcessResults, PropositionResult, StaffScale
from asp_eval.analysis.process.shares import share
from asp_eval.analysis.process.staff_items import crossing
from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.core.randomness import stream
from asp_eval.reporting.blocks import Figure, Prose, Table, blocks_of, plain
from asp_eval.reporting.documents.evaluation import evaluation
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.sections.process import process_chapter
from asp_eval.reporting.setting import Setting
from asp_eval.reporting.writers.html import html
from asp_eval.reporting.writers.pdf import pdf
from asp_eval.trial.instruments.library import instrument
from asp_eval.trial.process.library import shipped_frames
from asp_eval.trial.study.collection import Interviews

ARMS = {f"i{number}": ("reference", "intervention")[number % 2] for number in range(8)}


def sheet(frame):
    """Return what two coders wrote on eight institutions in two rounds; they agree in most."""
    random = stream(1, "sheet", frame.id)
    rows = []
    for institution in ARMS:
        for round_ in ("baseline", "one_year"):
            first = {code: str(random.choice(frame.levels(code))) for code in frame.keys}
            second = first | {code: str(random.choice(frame.levels(code))) for code in frame.keys if random.random() < 0.2}
            for coder, codes in (("k1", first), ("k2", second)):
                rows.append(
                    {"institution_id": institution, "round": round_, "coder_id": coder, "kind": "coder", "frame": frame.id}
                    | codes
                )
    return pd.DataFrame(rows)


def findings(study, frame, coded=None):
    collect = study.collect.model_copy(update={"interviews": (Interviews(frame=frame.id),)})
    (interviews,) = coded_interviews(
        study.model_copy(update={"collect": collect}), sheet(frame) if coded is None else coded, ARMS
    )
    return frame_findings(study, interviews, ARMS)


def results_of(study, *frames, **more):
    """Results of a process evaluation that found nothing but what is given."""
    return replace(ProcessResults(study, "", "0", frames, (), NO_DATES, (), (), "", (), (), NO_TYPES, ()), **more)


def chapter(frame, language, level=0.95):
    study = builders.study(analysis={"covariates": ["sex", "age"], "level": level})
    found = findings(study, frame)
    results = results_of(study, found)
    setting = Setting(builders.results(study=study), Numbers(words_for(language)))
    return found, process_chapter(results, setting)


def words(section):
    texts = [section.title, *(part.title for part in section.parts)]
    for block in blocks_of((section,)):
        if isinstance(block, Table):
            texts += [block.caption, *block.notes, *(cell.text for row in block.rows for cell in row.cells)]
        elif isinstance(block, Prose):
            texts += [plain(item.text) for part in block.parts for item in getattr(part, "items", (part,))]
    return "\n".join(texts)


@pytest.mark.parametrize(("frame", "language"), each_value(shipped_frames(), ["da", "en"]))
def test_every_frame_goes_from_a_coded_sheet_to_printed_words(frame, language):
    found, section = chapter(frame, language)
    printed = words(section)
    for code in frame.codes:
        if frame.type is None or code.key != frame.type.code:
            assert code.title[language] in printed, code.key
    tables = {block.key for block in blocks_of((section,)) if isinstance(block, Table)}
    assert f"{frame.id}-agreement" in tables
    assert ("types" in tables) == (frame.type is not None)
    assert found.coders == 2


def test_the_counts_that_are_printed_are_those_that_were_found():
    frame = next(each for each in shipped_frames() if each.type is not None)
    found, section = chapter(frame, "en")
    table = next(block for block in blocks_of((section,)) if isinstance(block, Table) and block.key == "types")
    row = next(row for row in table.rows if row.cells[0].text == "I innovative")
    counts = {(each.round, each.arm): each.count for each in found.types if each.level == "I"}
    expected = [counts[round_, arm] for round_ in found.rounds for arm in ("reference", "intervention")]
    assert [cell.text for cell in row.cells[1:]] == [f"{each.n} of {each.of}" for each in expected]


def test_the_level_that_is_printed_is_the_plan_s():
    frame = next(each for each in shipped_frames() if each.type is not None)
    printed = words(chapter(frame, "en", level=0.9)[1])
    assert printed.count("90% interval") == 3 and "95 %" not in printed and "95%" not in printed
    code = frame.codes[0].key
    wide, narrow = (code_agreement(coded_sheets(sheet(frame), frame)[code], level).coefficients for level in (0.95, 0.9))
    assert all(a.conf_low > b.conf_low and a.conf_high <= b.conf_high for a, b in zip(narrow, wide, strict=True))


def three_coders(frame):
    """Return a sheet in which two coders agree on one code throughout, and a third never says what they say."""
    code, (one, other, *_) = frame.codes[0].key, frame.levels(frame.codes[0].key)
    words = {"k1": one, "k2": one, "k3": other}
    return pd.DataFrame(
        [
            {"institution_id": name, "round": "baseline", "coder_id": coder, "kind": "coder", "frame": frame.id, code: word}
            for name in ARMS
            for coder, word in words.items()
        ]
    ).reindex(columns=["institution_id", "round", "coder_id", "kind", "frame", *frame.keys])


def test_of_three_coders_the_agreement_of_all_is_printed_and_not_that_of_the_first_two():
    frame = next(each for each in shipped_frames() if each.type is not None)
    study = builders.study()
    results = results_of(study, findings(study, frame, three_coders(frame)))
    section = process_chapter(results, Setting(builders.results(study=study), Numbers(words_for("en"))))
    table = next(block for block in blocks_of((section,)) if isinstance(block, Table) and block.key == f"{frame.id}-agreement")
    assert [cell.text for cell in table.rows[0].cells][1:3] == ["8", "33%"]  # one of the three pairs


@pytest.mark.parametrize("language", ["da", "en"])
def test_the_frame_as_a_whole_stands_below_its_codes(language):
    frame = next(each for each in shipped_frames() if each.type is not None)
    found, section = chapter(frame, language)
    table = next(block for block in blocks_of((section,)) if isinstance(block, Table) and block.key == f"{frame.id}-agreement")
    over = {each.statistic: each for each in found.agreement_over_codes}
    numbers, title = Numbers(words_for(language)), frame.code(over["gwet_mean"].lowest_code).title[language]
    mean, lowest, _ = table.rows[-3:]
    assert mean.cells[2].text == numbers.percent(over["percent_mean"].estimate)
    assert mean.cells[3].text.startswith(numbers.decimal(over["krippendorff_mean"].estimate))
    assert lowest.cells[4].text.startswith(numbers.decimal(over["gwet_mean"].lowest))
    assert title in lowest.cells[4].details
    assert numbers.decimal(over["cohen_pooled"].estimate) in words(section).split("(De Vries")[1]


def test_without_a_process_evaluation_there_is_no_chapter():
    assert process_chapter(None, Setting(builders.results(), Numbers(words_for("en")))) is None


def test_no_anchor_of_the_evaluation_stands_twice_with_the_chapter_in_it():
    frame = next(each for each in shipped_frames() if each.type is not None)
    study = builders.study()
    found = findings(study, frame)
    results = results_of(study, found)
    document = evaluation(builders.results(study=study), "en", results)
    sections = [part for section in document.sections for part in (section, *section.parts)]
    named = [section.anchor for section in sections if section.anchor]
    named += [block.key for section in sections for block in section.blocks if isinstance(block, Table)]
    assert len(named) == len(set(named)), sorted(name for name in named if named.count(name) > 1)


SAID = {  # one sentence of each study's frame, by hand from `coded_by_hand`
    "asp-process": {
        "en": "Resources and conditions match the task: “Met” (3 of 4); in the first round “Not met” (4 of 4).",
        "da": "Ressourcer og rammer svarer til opgaven: »Opfyldt« (3 af 4); i første runde »Ikke opfyldt« (4 af 4).",
    },
    "imitate-or-innovate": {
        "en": "What learning was for: “Innovate” (3 of 4); in the first round “Imitate” (4 of 4).",
        "da": "Hensigten med at lære: »Forny« (3 af 4); i første runde »Efterligne« (4 af 4).",
    },
    "learning-sources": {
        "en": "Sources. Found in most institutions: Networks (3 of 4); Other countries (1 of 4).",
        "da": "Kilder. Fundet i flest institutioner: Netværk (3 af 4); Udlandet (1 af 4).",
    },
    "innovation-practice": {
        "en": "Knowledge. Knowledge in design: “To a large extent” (3 of 4); in the first round “Not at all” (4 of 4).",
        "da": "Viden. Viden i udformning: »I høj grad« (3 af 4); i første runde »Slet ikke« (4 af 4).",
    },
    "collaborative-innovation": {
        "en": "Step of the collaboration: “Collaboration” (3 of 4); in the first round “Cooperation” (4 of 4).",
        "da": "Samarbejdet. Samarbejdets trin: »Samarbejde« (3 af 4); i første runde »Udveksling« (4 af 4).",
    },
}
CODED = {  # of each frame: a code with what it says in the first round and, in three of four institutions, in the last
    "asp-process": {"resources_match": ("not_met", "met")},
    "imitate-or-innovate": {"aim_of_learning": ("imitate", "innovate")},
    "learning-sources": {"source_networks": ("absent", "present"), "source_overseas": ("present", "absent")},
    "innovation-practice": {"intellectual_design": ("no", "much")},
    "collaborative-innovation": {"ladder": ("cooperation", "collaboration")},
}


def coded_by_hand(frame):
    """Return a sheet of one coder: four institutions, of which the last stays as it was."""
    rows = [
        {"institution_id": name, "round": round_, "coder_id": "k1", "kind": "coder", "frame": frame.id}
        | {code: said[round_ == "one_year" and name != "i3"] for code, said in CODED[frame.id].items()}
        for name in list(ARMS)[:4]
        for round_ in ("baseline", "one_year")
    ]
    return pd.DataFrame(rows).reindex(columns=[*list(rows[0])[:5], *frame.keys])


@pytest.mark.parametrize(("frame", "language"), each_value(shipped_frames(), ["da", "en"]))
def test_every_study_s_frame_goes_from_data_to_a_printed_paragraph(frame, language):
    study = builders.study()
    found = findings(study, frame, coded_by_hand(frame))
    results = results_of(study, found)
    section = process_chapter(results, Setting(builders.results(study=study), Numbers(words_for(language))))
    assert SAID[frame.id][language] in words(section)


@pytest.mark.parametrize(
    ("language", "about"), [("da", "»Tre på et år.« (Udskiftning"), ("en", "“Tre på et år.” (Staff turnover")]
)
def test_excerpts_that_are_marked_are_printed_without_their_institution(language, about):
    frame = next(each for each in shipped_frames() if each.id == "asp-process")
    found = replace(
        findings(builders.study(), frame, coded_by_hand(frame)),
        excerpts=(Excerpt("turnover", "much", "baseline", "Tre på et år."),),
    )
    results = results_of(builders.study(), found)
    printed = words(process_chapter(results, Setting(builders.results(), Numbers(words_for(language)))))
    assert about in printed
    assert not any(name in printed for name in ARMS)


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "Making do together with a formal process often succeeds."), ("da", "Påstande holdt op mod personalets svar")],
)
def test_propositions_are_printed_as_associations(language, said):
    text = {"da": "x", "en": "Making do together with a formal process often succeeds."}
    one = builders.estimate(0.4, 0.1)
    slopes = PropositionResult("p", text, ({"en": "A"}, {"en": "B"}), {"en": "C"}, "w1", 40, 8, one, one, one)
    results = results_of(builders.study(), propositions=(slopes,))
    assert said in words(process_chapter(results, Setting(builders.results(), Numbers(words_for(language)))))


@pytest.mark.parametrize(("language", "phase"), [("en", "Launch"), ("da", "Indførelse")])
def test_questions_where_scales_cross_and_contrasts_are_printed(language, phase):
    both = {"da": "Viden", "en": "Knowledge"}
    crossed = ItemMean("innovation-practice", "w1", both, {"da": "Indførelse", "en": "Launch"}, False, (40.2, 61.8))
    poles = ItemMean(
        "governance-npm-npg", "w1", {"da": "Mål", "en": "Targets"}, {"da": "Tillid", "en": "Trust"}, True, (30.0, 70.4)
    )
    scale = StaffScale("x", "y", both, "w1", 8, 60, 0.1, 0.5, 2.0, 0.04, 0.8, False, (), (41.5, 52.5), (40.1, 50.2))
    results = results_of(builders.study(), staff_scales=(scale,), item_means=(crossed, poles))
    section = process_chapter(results, Setting(builders.results(), Numbers(words_for(language))))
    tables = {block.key: block for block in blocks_of((section,)) if isinstance(block, Table)}
    assert tables["crossed-innovation-practice-w1"].columns[1].heading == phase
    assert [cell.text for cell in tables["crossed-innovation-practice-w1"].rows[3].cells][1:] == ["62"]
    assert [cell.text for cell in tables["contrast-governance-npm-npg-w1"].rows[0].cells][1:3] == ["30", "70"]
    assert [cell.text for cell in tables["staff-means"].rows[0].cells][1] in ("41.5", "41,5")


@pytest.mark.parametrize(
    ("arms", "heads"),
    [
        (("reference", "intervention"), ["Difference between the arms"]),
        (("none", "some", "all"), ["Difference: some less none", "Difference: all less none"]),
    ],
)
def test_differences_of_staff_keep_their_numbers_and_name_the_arm(arms, heads):
    effects = tuple(builders.estimate(-4.0 - k, 2.0) for k, _ in enumerate(arms[1:]))
    scale = StaffScale(
        "x", "y", {"en": "K"}, "w1", 8, 60, 0.1, 0.5, 2.0, 0.04, 0.8, False, effects, (41.5,) * len(arms), (1.0, 2.0)
    )
    study = builders.study(arms=list(arms))
    section = process_chapter(
        results_of(study, staff_scales=(scale,)), Setting(builders.results(study=study), Numbers(words_for("en")))
    )
    (table,) = (block for block in blocks_of((section,)) if isinstance(block, Table) and block.key == "staff-means")
    assert [column.heading for column in table.columns][-len(heads) :] == heads
    shown = [[quantity.value for quantity in each.quantities] for each in table.rows[0].cells[-len(heads) :]]
    assert shown == [[effect.estimate, effect.conf_low, effect.conf_high] for effect in effects]


def practice_means(hidden=()):
    """Return a mean for every question of two crossing scales, by arm; None known of those at the places that are hidden."""
    form = instrument("innovation-practice")
    titles = {scale.key: dict(scale.title) for scale in form.scales}
    gone = Unavailable(Phrase("fewer than {n} members of staff of an arm answered", n=5))
    return tuple(
        ItemMean(form.id, "w1", titles[row], titles[column], False, (gone if n in hidden else 20.25 + 5 * n, 27.5 + 5 * n))
        for n, (row, column, _) in enumerate(crossing(form))
    )


@pytest.mark.parametrize(
    ("language", "said", "hidden"),
    [
        ("en", "Knowledge. Resources for shaping the idea: 20 (Reference), 28 (Intervention)", "fewer than 5 members of staff"),
        ("da", "Viden. Ressourcer til at forme ideen: 20 (", "færre end 5 ansatte"),
    ],
)
def test_the_picture_of_crossing_scales_has_the_numbers_of_the_table_beside_it(language, said, hidden):
    scale = StaffScale("x", "y", {"en": "K"}, "w1", 8, 60, 0.1, 0.5, 2.0, 0.04, 0.8, False, (), (41.5, 52.5), (40.1, 50.2))
    results = results_of(builders.study(), staff_scales=(scale,), item_means=practice_means(hidden=(5,)))
    section = process_chapter(results, Setting(builders.results(), Numbers(words_for(language))))
    blocks = {block.key: block for block in blocks_of((section,)) if isinstance(block, Table | Figure)}
    table, figure = blocks["crossed-innovation-practice-w1"], blocks["arm-marks--innovation-practice-w1"]
    in_table, arm = {}, ""
    for row in table.rows:
        if row.group:
            arm = row.cells[0].text
        else:
            for column, found in zip(table.columns[1:], row.cells[1:], strict=True):
                in_table[row.cells[0].text, column.heading, arm] = found.text
    in_figure, group = {}, ""
    for row in figure.data.rows:
        if row.group:
            group = row.cells[0].text
        else:
            for column, found in zip(figure.data.columns[1:], row.cells[1:], strict=True):
                in_figure[group, row.cells[0].text, column.heading] = found.text
    assert in_figure == in_table and len(in_figure) == 24
    shown = re.findall(r'text-anchor="middle" font-size="13"[^>]*>([^<]+)<', figure.drawing)
    assert shown == ["–" if hidden in text else text for text in in_figure.values()]
    assert figure.drawing.count("<path") == 23 + 2 + 3 * 2  # no mark for what is hidden; the key; signs over the columns
    assert said in figure.alternative and hidden in figure.alternative and "<desc" in figure.drawing


def test_where_every_mean_is_hidden_there_is_no_picture():
    gone = Unavailable(Phrase("no staff of this arm answered"))
    items = tuple(replace(each, means=(gone, gone)) for each in practice_means())
    scale = StaffScale("x", "y", {"en": "K"}, "w1", 8, 60, 0.1, 0.5, 2.0, 0.04, 0.8, False, (), (gone, gone), (40.1, 50.2))
    results = results_of(builders.study(), staff_scales=(scale,), item_means=items)
    section = process_chapter(results, Setting(builders.results(), Numbers(words_for("en"))))
    assert not [block for block in blocks_of((section,)) if isinstance(block, Figure)]


def test_the_goals_that_were_set_are_printed_as_they_were_counted():
    study = builders.study()
    goals = {"i1": (Goal(1, date="2007-02-01", dimension="play", how_it_went="reached"), Goal(2, aim="Quiet"))}
    counted = goals_set(study, goals, ARMS, {}, ())
    results = results_of(study, goals=counted)
    section = process_chapter(results, Setting(builders.results(study=study), Numbers(words_for("en"))))
    table = next(block for block in blocks_of((section,)) if isinstance(block, Table) and block.key == "goals-set")
    lines = [[cell.text for cell in row.cells] for row in table.rows if not row.group]
    assert lines == [["All", "0 of 4", *["0"] * 6], ["All", "1 of 4", "2", "1", "0", "0", "0", "1"]]
    assert "set 1 February 2007 to 1 February 2007; institutions by the dimension they chose: play (1)." in words(section)
    danish = process_chapter(results, Setting(builders.results(study=study), Numbers(words_for("da"))))
    assert "Mål, institutionerne satte, og hvordan det gik" in words(danish)


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", ["All", "2 of 4", "62", "56 to 67", "20 January 2007 to 10 February 2007"]), ("da", ["Alle", "2 af 4", "62"])],
)
def test_when_the_profile_was_discussed_is_printed_and_the_days_of_a_whole_arm_alone(language, told):
    plan = {"staff": "gap-competences-staff", "child": "gap-competences-child", "wave": "w1", "discussed": "topic == gap"}
    study = builders.study(gap=plan)
    half = share(2, 4, 0.95)
    groups = tuple(
        GapDiscussed("intervention", kind, half, 1, 61.5, (56.25, 66.75), "2007-01-20", "2007-02-10") for kind in ("", "I")
    )
    results = results_of(study, gap_discussed=groups)
    section = process_chapter(results, Setting(builders.results(study=study), Numbers(words_for(language))))
    table = next(block for block in blocks_of((section,)) if isinstance(block, Table) and block.key == "gap-discussed")
    whole, of_type = ([cell.text for cell in row.cells] for row in table.rows if not row.group)
    assert whole[: len(told)] == told
    assert of_type[4] == "–"
    assert any("topic == gap" in note for note in table.notes)


@pytest.mark.parametrize("form", ["html", "pdf"])
def test_every_reference_of_the_chapter_leads_somewhere(form, tmp_path):
    """In HTML each has its id; typst refuses a link to what is not there."""
    frame = next(each for each in shipped_frames() if each.type is not None)
    study = builders.study(programme={"modifications": "One course fewer"})
    found = findings(study, frame, coded_by_hand(frame))
    results = results_of(study, found)
    document = evaluation(builders.results(study=study), "en", results)
    if form == "pdf":
        assert pdf(document).startswith(b"%PDF")
        return
    page = html(document)
    wanted = set(re.findall(r'href="#([^"]+)"', page))
    assert {"process-types", "asp-process-codes", "programme", "reach"} <= wanted
    assert wanted <= set(re.findall(r' id="([^"]+)"', page))
