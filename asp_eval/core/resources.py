"""Where the shipped folders are: inside an installed wheel, or beside the package in a checkout.

Never depends on the working directory.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Literal

Shipped = Literal["instruments", "data_schema", "reports"]


def shipped_folder(name: Shipped) -> Path:
    """Return the folder `name` that came with the package.

    Parameters
    ----------
    name : {"instruments", "data_schema", "reports"}

    Raises
    ------
    FileNotFoundError
        If the installation lacks the folder: the package was copied without its data.

    Examples
    --------
    >>> shipped_folder("instruments").is_dir()
    True
    """
    package = Path(str(files("asp_eval")))
    for candidate in (package / "_shipped" / name, package.parent / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"the folder {name!r} did not come with this installation of asp_eval; install the package again")
