"""Digests of the instruments that a study declares."""

from __future__ import annotations

import hashlib

from asp_eval.trial.outcomes import declared_forms
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.schema import BY_WAVE


def instrument_digests(study: Study) -> dict[str, str]:
    """Return the digests of the instruments that a study declares, by id: of everything that their files and norms say."""
    forms = {form.id: form for name in BY_WAVE for form in declared_forms(study, name)}
    return {name: hashlib.sha256(forms[name].model_dump_json().encode()).hexdigest() for name in sorted(forms)}
