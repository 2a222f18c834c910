"""The verbs on questionnaires: list them, show one, check them all, hand one to the field."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from asp_eval.cli.app import verb
from asp_eval.cli.console import print_json, print_table, say
from asp_eval.cli.help import SpokenCommand, SpokenGroup
from asp_eval.cli.language import language as spoken_language
from asp_eval.core.phrases import Phrase

instruments_app = typer.Typer(
    cls=SpokenGroup,
    help="The questionnaires: see them, check them, hand them to the field.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(metavar="ID", help="As 'asp-eval instruments list' shows it.")]
Study = Annotated[
    Path | None, typer.Option("--study", metavar="DIR", help="A study folder: instruments, norms and wording of its own.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@verb("list", of=instruments_app)
def list_instruments(study: Study = None, as_json: AsJson = False) -> None:
    """List the shipped instruments; with a study, its own too.

    Example: asp-eval instruments list
    """
    from asp_eval.workflow.instruments import list_instruments as listed

    found, names = listed(study), ("id", "version", "informant", "items", "scales")
    rows = [tuple(str(getattr(each, name)) for name in names) for each in found]
    if as_json:
        own = [{"of_the_study": each.of_the_study} for each in found]
        print_json([dict(zip(names, row, strict=True)) | more for row, more in zip(rows, own, strict=True)])
        return
    print_table((Phrase("id"), Phrase("version"), Phrase("informant"), Phrase("items"), Phrase("scales")), rows)


@verb("show", of=instruments_app)
def show_instrument(name: Name, study: Study = None, as_json: AsJson = False) -> None:
    """Show the codebook of one instrument: its questions, scores, bands, sources and licence.

    Example: asp-eval instruments show sdq-teacher-4-17
    """
    from asp_eval.workflow.instruments import instrument_codebook
    from asp_eval.workflow.instruments import show_instrument as found_as

    found = found_as(name, study)
    if as_json:
        print_json(found.model_dump(mode="json", by_alias=True))
        return
    for line in instrument_codebook(found, spoken_language()):
        say(line)


@verb("check", of=instruments_app)
def check_instruments(study: Study = None, as_json: AsJson = False) -> None:
    """Load every shipped instrument and check it; with a study, its own instruments, norms and wording too.

    Example: asp-eval instruments check
    """
    from asp_eval.workflow.instruments import check_instruments as check

    found = check(study)
    if as_json:
        told = {"norm_sets_of_the_study": found.norm_sets, "wordings_of_the_study": found.wordings}
        print_json({"instruments": found.instruments, "instruments_of_the_study": found.own_instruments, **told})
        return
    say(Phrase("{n} instruments are sound.", n=found.instruments))
    if study is not None:
        say(
            Phrase(
                "The study's own are sound too: {instruments} instruments, {norms} norm sets, {wordings} files of wording.",
                instruments=found.own_instruments,
                norms=found.norm_sets,
                wordings=found.wordings,
            )
        )


@instruments_app.command("export", cls=SpokenCommand)
def export_instrument(
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="xlsform, redcap, print, lavaan, codebook or wording.")],
    name: Annotated[
        str | None, typer.Argument(metavar="ID", help="As 'asp-eval instruments list' shows it; or name a wave, with --wave.")
    ] = None,
    language: Annotated[
        str | None, typer.Option("--language", metavar="L", help="Language of the form, such as da or en; default: its first.")
    ] = None,
    study: Study = None,
    wave: Annotated[
        str | None, typer.Option("--wave", metavar="WAVE", help="One form of all that the study collects at this wave.")
    ] = None,
    table: Annotated[str, typer.Option("--table", metavar="TABLE", help="With --wave: screening or staff_survey.")] = "screening",
    filled: Annotated[
        list[str] | None,
        typer.Option("--fill", metavar="FIELD=VALUE", help="With --wave: what stands in a field, such as institution_id=i07."),
    ] = None,
    each_institution: Annotated[
        bool,
        typer.Option("--each-institution", help="With --wave: a form for each, with its id and those of its children filled in."),
    ] = False,
    wording: Annotated[
        Path | None, typer.Option("--wording", metavar="FILE", help="Default: wording/ID.yaml in the study.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Default: named after the form, where you stand.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hand one instrument, or all of a wave as one form, to the field: online, on paper, or for analysis.

    Example: asp-eval instruments export gap-competences-child --to print --language da
    """
    from asp_eval.workflow.instruments import export_instrument as export
    from asp_eval.workflow.instruments import export_wave_form

    if (name is None) == (wave is None):
        raise typer.BadParameter(Phrase("name either an instrument or, with --wave, a wave"))
    if each_institution and (wave is None or filled):
        raise typer.BadParameter(Phrase("--each-institution goes with --wave, and without --fill"))
    if wave is not None and each_institution:
        _say_forms(study or Path(), wave, to, table, language, out, as_json=as_json)
        return
    if wave is not None:
        given = dict(part.partition("=")[::2] for part in filled or ())
        joint = export_wave_form(study or Path(), wave, to, table=table, language=language, filled=given, out=out)
        told: dict[str, object] = {
            "wave": joint.wave,
            "table": joint.table,
            "instruments": joint.instruments,
            "format": to,
            "file": str(joint.file),
        }
        path = joint.file
    else:
        found = export(str(name), to, language=language, study=study, wording=wording, out=out)
        told = {"instrument": found.instrument, "version": found.version, "format": found.format, "file": str(found.file)}
        path = found.file
    if as_json:
        print_json(told)
        return
    say(Phrase("Written: {files}", files=path))


def _say_forms(study: Path, wave: str, to: str, table: str, language: str | None, folder: Path | None, *, as_json: bool) -> None:
    """Write a form for each institution, and say what is filled in."""
    from asp_eval.workflow.institution_forms import export_institution_forms
    from asp_eval.workflow.open_study import open_study

    found = export_institution_forms(open_study(study), wave, to, table_name=table, language=language, folder=folder)
    if as_json:
        print_json({**dataclasses.asdict(found), "files": [str(path) for path in found.files]})
        return
    filled = {"forms": len(found.files), "folder": found.files[0].parent, "n": found.filled_in}
    say(Phrase("Written: {forms} forms in {folder}, with {n} ids of children or staff filled in.", **filled))
    if found.pseudonyms:
        say(Phrase("Ids are pseudonyms in this study, which nobody at an institution knows: they are left open in the forms."))


@verb("draft", of=instruments_app)
def draft_instrument(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="XLSForm, dictionary, survey structure, or labelled export.")],
    to: Annotated[str, typer.Option("--to", metavar="ID", help="Id of the instrument.")],
    wording_in: Annotated[
        str, typer.Option("--wording-in", metavar="L", help="Language of the texts where the file does not say.")
    ] = "en",
    study: Study = None,
    as_json: AsJson = False,
) -> None:
    """Write the first file of an instrument from a form or an export; what that does not say is left to be filled in.

    Example: asp-eval instruments draft form.xlsx --to wellbeing --study my-study
    """
    from asp_eval.workflow.instruments import draft_instrument as draft

    _say_written(draft(file, to, study=study, language=wording_in), as_json=as_json)


@verb("new", of=instruments_app)
def new_instrument(name: Name, study: Study = None, as_json: AsJson = False) -> None:
    """Write a commented file of an instrument, to be filled in.

    Example: asp-eval instruments new wellbeing --study my-study
    """
    from asp_eval.workflow.instruments import new_instrument as new

    _say_written(new(name, study=study), as_json=as_json)


def _say_written(path: Path, *, as_json: bool) -> None:
    if as_json:
        print_json({"file": str(path)})
        return
    say(Phrase("Written: {files}", files=path))
    say(Phrase("Fill in what says FILL IN, then check: {command}", command="asp-eval instruments check --study DIR"))
