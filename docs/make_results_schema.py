"""Write ``data_schema/results.schema.json``, the JSON Schema of ``output/results.json``: run it when the results change."""

import json
from pathlib import Path

from asp_eval.workflow.analyse import results_schema

FILE = Path(__file__).parents[1] / "data_schema" / "results.schema.json"


def text() -> str:
    """Return the schema as it is written."""
    return json.dumps(results_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
