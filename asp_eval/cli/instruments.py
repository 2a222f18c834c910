"""The verbs on questionnaires: list them, show one, check them all, hand one to the field."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asp_eval.cli.console import print_json, print_table, say
from asp_eval.core.errors import Fault

NO_STUDY = Fault("CLI-010", "there is no study.yaml in this folder", "Name the study folder, or start one: 'asp-eval init'.")

instruments_app = typer.Typer(
    help="The questionnaires: see them, check them, hand them to the field.", no_args_is_help=True, rich_markup_mode=None
)

Name = Annotated[str, typer.Argument(metavar="ID", help="As 'asp-eval instruments list' shows it.")]
Study = Annotated[Path | None, typer.Option("--study", metavar="DIR", help="A study folder, for its own norms and wording.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@instruments_app.command("list")
def list_instruments(as_json: AsJson = False) -> None:
    """List the shipped instruments.

    Example: asp-eval instruments list
    """
    from asp_eval.trial.instruments.library import instruments

    header = ["id", "version", "informant", "items", "scales"]
    rows = [(i.id, str(i.version), i.informant, str(len(i.items)), str(len(i.scale_keys))) for i in instruments()]
    if as_json:
        print_json([dict(zip(header, row, strict=True)) for row in rows])
        return
    print_table(header, rows)


@instruments_app.command("show")
def show_instrument(
    name: Name,
    language: Annotated[str, typer.Option("--language", metavar="L", help="da or en.")] = "en",
    study: Study = None,
    as_json: AsJson = False,
) -> None:
    """Show the codebook of one instrument: its questions, scores, bands, sources and licence.

    Example: asp-eval instruments show sdq-teacher-4-17
    """
    from asp_eval.trial.instruments.codebook import codebook_lines
    from asp_eval.trial.instruments.library import instrument

    found = instrument(name, norms=_norms(study))
    if as_json:
        print_json(found.model_dump(mode="json", by_alias=True))
        return
    for line in codebook_lines(found, language):
        say(line)


@instruments_app.command("check")
def check_instruments(study: Study = None, as_json: AsJson = False) -> None:
    """Load every shipped instrument and check it; with a study, its own norms and wording too.

    Example: asp-eval instruments check
    """
    from asp_eval.trial.instruments.exporting import wordings
    from asp_eval.trial.instruments.library import instrument, instruments

    shipped = instruments()
    own = 0 if study is None else sum(len(instrument(i.id, norms=_norms(study)).bands.sets) - len(i.bands.sets) for i in shipped)
    worded = 0 if study is None else len(wordings(study, shipped))
    if as_json:
        print_json({"instruments": len(shipped), "norm_sets_of_the_study": own, "wordings_of_the_study": worded})
        return
    say(f"{len(shipped)} instruments are sound.")
    if study is not None:
        say(f"The study's own are sound too. Norm sets: {own}. Files of wording: {worded}.")


@instruments_app.command("export")
def export_instrument(
    name: Name,
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="xlsform, redcap, print, lavaan, codebook or wording.")],
    language: Annotated[str | None, typer.Option("--language", metavar="L", help="da or en; default: the form's first.")] = None,
    study: Study = None,
    wording: Annotated[
        Path | None, typer.Option("--wording", metavar="FILE", help="Default: wording/ID.yaml in the study.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Default: named after the form, where you stand.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hand one instrument to the field: as an online form, on paper, or for analysis.

    Example: asp-eval instruments export gap-competences-child --to print --language da
    """
    from asp_eval.core.documents import write_whole
    from asp_eval.trial.instruments.exporting import export, target, wording_file
    from asp_eval.trial.instruments.library import instrument

    found = instrument(name, norms=_norms(study))
    words = wording or (None if study is None else wording_file(study, found))
    default, content = export(found, to, language=language, wording=words)
    path = out or target(found, to, default, study)
    write_whole(path, content)
    if as_json:
        print_json({"instrument": found.id, "version": found.version, "format": to, "file": str(path)})
        return
    say(f"Written: {path}")


def _norms(study: Path | None) -> Path | None:
    """Return the folder of a study's own norm sets; a folder that is no study is refused, not taken for an empty one."""
    from asp_eval.trial.instruments.norms import FOLDER

    if study is not None and not (study / "study.yaml").is_file():
        NO_STUDY.refuse(str(study))
    return None if study is None else study / FOLDER
