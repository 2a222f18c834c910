"""What coders found in interviews: every code with its standing, and the list of codes to talk over.

A coded sheet has one row per interview and coder, and where coders talked it over a row of kind ``consensus``: its coder is who
decided, and it says why. Nothing is overwritten: the coders' rows stay beside the consensus.

==============  =============================================================
standing        the code is
==============  =============================================================
``consensus``   what the consensus says
``agreed``      what two coders or more say alike
``one_coder``   what the only coder says who coded it
``open``        not decided: coders differ and there is no consensus; no value
==============  =============================================================
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from asp_eval.trial.process.frame import Frame

CONSENSUS = "consensus"
INTERVIEW = ["institution_id", "round"]
STANDINGS = ("consensus", "agreed", "one_coder", "open")


def of_frame(interviews: pd.DataFrame, frame: Frame) -> pd.DataFrame:
    """Return the rows that are coded with a frame; a row that names none is, where the study codes with one.

    Parameters
    ----------
    interviews : DataFrame
        The stored table.
    frame : Frame
    """
    named = interviews["frame"].fillna(frame.id)
    return interviews[(named == frame.id).to_numpy(dtype=bool)]


def is_consensus(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which rows say what coders agreed upon; a row without a kind is one coder's.

    Parameters
    ----------
    rows : DataFrame
        Of the table, or of one that is made of it.
    """
    if "kind" not in rows:
        return np.zeros(len(rows), dtype=bool)
    return (rows["kind"] == CONSENSUS).fillna(False).to_numpy(dtype=bool)


def by_code(interviews: pd.DataFrame, frame: Frame) -> pd.DataFrame:
    """Return what was found, one row per interview, coder and code.

    Parameters
    ----------
    interviews : DataFrame
        Rows of one frame.
    frame : Frame

    Returns
    -------
    DataFrame
        institution_id, round, coder_id, kind, code, value; codes that a row leaves open are not in it.
    """
    columns = [key for key in frame.keys if key in interviews]
    rows = interviews.assign(kind=interviews["kind"].fillna("coder"))
    long = rows.melt([*INTERVIEW, "coder_id", "kind"], columns, "code", "value")
    return long[long["value"].notna()].reset_index(drop=True)


def decided(interviews: pd.DataFrame, frame: Frame) -> pd.DataFrame:
    """Return each code of each interview with its standing.

    Parameters
    ----------
    interviews : DataFrame
        Rows of one frame.
    frame : Frame

    Returns
    -------
    DataFrame
        institution_id, round, code, value (missing where the code is open), standing, coders (how many coded it).

    Examples
    --------
    >>> from asp_eval.trial.process.library import frame
    >>> sheet = pd.DataFrame({
    ...     "institution_id": ["A", "A"], "round": "baseline", "coder_id": ["k1", "k2"], "kind": None,
    ...     "aim": ["I", "II"], "turnover": ["much", "much"],
    ... })
    >>> decided(sheet, frame("asp-process"))[["code", "value", "standing"]].values.tolist()
    [['aim', nan, 'open'], ['turnover', 'much', 'agreed']]
    """
    long = by_code(interviews, frame)
    keys = [*INTERVIEW, "code"]
    agreed_upon = is_consensus(long)
    coders = long[~agreed_upon].groupby(keys, sort=False)["value"].agg(["first", "nunique", "size"])
    agreed = long[agreed_upon].groupby(keys, sort=False)["value"].first().rename("consensus")
    found = coders.join(agreed, how="outer").reset_index()
    found["coders"] = found["size"].fillna(0).astype(int)
    alike = found["nunique"] == 1
    found["standing"] = "open"
    found.loc[alike & (found["coders"] == 1), "standing"] = "one_coder"
    found.loc[alike & (found["coders"] > 1), "standing"] = "agreed"
    found.loc[found["consensus"].notna(), "standing"] = CONSENSUS
    found["value"] = found["first"].where(found["standing"] != "open").where(found["consensus"].isna(), found["consensus"])
    order = {key: position for position, key in enumerate(frame.keys)}
    found = found.sort_values([*INTERVIEW, "code"], key=lambda column: column.map(order) if column.name == "code" else column)
    return found[[*keys, "value", "standing", "coders"]].reset_index(drop=True)


def disagreements(interviews: pd.DataFrame, frame: Frame) -> pd.DataFrame:
    """Return the work list: codes on which coders differ and no consensus stands, with what each coder says.

    Returns
    -------
    DataFrame
        institution_id, round, code, found (``k1: I; k2: II``); empty where nothing is open.
    """
    long = by_code(interviews, frame)
    keys = [*INTERVIEW, "code"]
    open_ = decided(interviews, frame).query("standing == 'open'")[keys]
    said = long[~is_consensus(long)].merge(open_, on=keys)
    listed = said.assign(found=said["coder_id"] + ": " + said["value"]).groupby(keys)["found"].agg("; ".join)
    return open_.merge(listed.reset_index(), on=keys, how="left").reset_index(drop=True)


def codes_of_coders(interviews: pd.DataFrame, code: str) -> pd.DataFrame:
    """Return one code as `agreement` takes it: a row per interview, a column per coder, empty where a coder did not code it.

    Parameters
    ----------
    interviews : DataFrame
        Rows of one frame.
    code : str

    Returns
    -------
    DataFrame
        institution_id, round, then one column per coder.
    """
    coders = interviews.loc[~is_consensus(interviews), [*INTERVIEW, "coder_id", code]]
    wide = coders.dropna().pivot_table(index=INTERVIEW, columns="coder_id", values=code, aggfunc="first")
    return wide.rename_axis(columns=None).reset_index()


def one_row_each(decided: pd.DataFrame, codes: tuple[str, ...]) -> pd.DataFrame:
    """Return decided codes as columns, a row per interview (its index); None where a code is not decided."""
    mine = decided[decided["code"].isin(codes)]
    wide = mine.pivot_table(index=INTERVIEW, columns="code", values="value", aggfunc="first").reindex(columns=list(codes))
    every = pd.MultiIndex.from_frame(decided[INTERVIEW].drop_duplicates())
    wide = wide.reindex(every.sort_values()).astype(object)
    return wide.where(wide.notna(), None)
