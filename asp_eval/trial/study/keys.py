"""What the keys, names and texts of ``study.yaml`` may be."""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated

from pydantic import AfterValidator, StringConstraints, WithJsonSchema

from asp_eval.core.phrases import Phrase

Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]  # may stand in a model formula


@cache
def known_language(code: str) -> str:
    """Return the code of a language that is one, in two or three letters (ISO 639); what is none is a `ValueError`."""
    from babel.localedata import exists

    if not (re.fullmatch("[a-z]{2,3}", code) and exists(code)):
        raise ValueError(Phrase("the code of a language, such as da or en"))
    return code


# Which of them reports can be written in is known where the catalogues are, and asked when a report is.
Language = Annotated[str, AfterValidator(known_language), WithJsonSchema({"type": "string", "pattern": "^[a-z]{2,3}$"})]
Texts = dict[Language, str]
Arm = Key
Stratum = Name
