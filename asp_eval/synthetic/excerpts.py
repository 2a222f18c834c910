"""The synthetic excerpts: a few sentences that managers could have said, each under a code that was coded so.

The words are this package's own and every one says that it is synthetic. Nothing is drawn: an excerpt belongs to the first
interview, in the order of the sheet, in which the first coder found the code to be so.
"""

from __future__ import annotations

import pandas as pd

from asp_eval.synthetic.interviews import CODERS, ROUNDS

MARK = "(syntetisk)"
SAID = (  # code, level, what was said, whether it is marked to be printed
    ("resources_match", "met", "Vi fik dækket timerne ind, så ingen løb fra en tom stue for at komme til møde.", True),
    ("turnover", "much", "Da tre rejste samme forår, begyndte vi forfra med at forklare, hvorfor vi var i gang.", True),
    (
        "gap_discussed",
        "settled",
        "Profilen hænger i personalerummet, og vi vender tilbage til den, hver gang vi er uenige.",
        True,
    ),
    ("gap_surprising", "present", "Vi troede, at vi var gode til leg. Børnenes svar fik os til at kigge en ekstra gang.", True),
    ("new_routines", "settled", "Nu spiser den samme voksne med de samme børn. Det bliver ved, også når vi har travlt.", True),
    (
        "external_control",
        "manifest",
        "Der kom endnu en plan fra forvaltningen midt i det hele, og så var det dén, vi lavede.",
        True,
    ),
    (
        "management_style",
        "combined",
        "Jeg siger, hvad vi skal nå. Hvordan det bliver til noget på stuen, ved de bedre end jeg.",
        False,
    ),
)


def excerpt_sheet(interviews: pd.DataFrame) -> pd.DataFrame:
    """Return the excerpts of the last round.

    Parameters
    ----------
    interviews : DataFrame
        As `asp_eval.synthetic.interviews` returns them.

    Returns
    -------
    DataFrame
        institution_id, round, number, coder_id, code, level, text, print; a row for each, numbered within the interview.
    """
    rows = []
    mine = interviews[(interviews["coder_id"] == CODERS[0]) & (interviews["round"] == ROUNDS[-1])]
    for code, level, text, is_printed in SAID:
        found = mine.loc[(mine[code] == level).fillna(False).to_numpy(dtype=bool), "institution_id"]
        if len(found):
            rows.append((found.iloc[0], ROUNDS[-1], CODERS[0], code, level, f"{text} {MARK}", "yes" if is_printed else "no"))
    sheet = pd.DataFrame(rows, columns=["institution_id", "round", "coder_id", "code", "level", "text", "print"])
    sheet.insert(2, "number", (sheet.groupby(["institution_id", "round"]).cumcount() + 1).astype("str"))
    return sheet
