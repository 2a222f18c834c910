"""Write ``data_schema/study.schema.json``, the JSON Schema of ``study.yaml``: run it when what a study declares changes."""

import json
from pathlib import Path

from asp_eval.trial.study.protocol import SCHEMA_FILE, study_json_schema

FILE = Path(__file__).parents[1] / "data_schema" / SCHEMA_FILE


def text() -> str:
    """Return the schema as it is written."""
    return json.dumps(study_json_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
