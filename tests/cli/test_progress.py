"""The bar that is shown while a long file is taken in."""

from __future__ import annotations

import io
import time

import pytest

from asp_eval.cli import console


class Terminal(io.StringIO):
    """What a person looks at."""

    def isatty(self) -> bool:
        return True


def terminal_of(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Put a terminal in the place of stderr; to be called in the test itself, for pytest puts its own there before each."""
    shown = Terminal()
    monkeypatch.setattr("sys.stderr", shown)
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    return shown


def test_a_long_import_shows_how_far_it_is(monkeypatch):
    terminal = terminal_of(monkeypatch)
    monkeypatch.setattr(console, "LONG", 0.0)
    with console.progress("import") as progress:
        progress("reading", 0.5)
        time.sleep(0.3)
        progress("storing", 0)
        time.sleep(0.3)
    assert "import: reading" in terminal.getvalue()
    assert "import: storing" in terminal.getvalue()


def test_what_is_done_at_once_shows_no_bar(monkeypatch):
    terminal = terminal_of(monkeypatch)
    with console.progress("import") as progress:
        progress("reading", 1)
    assert "import" not in terminal.getvalue()


def test_a_pipe_gets_no_bar(monkeypatch, capsys):
    monkeypatch.setattr(console, "LONG", 0.0)
    with console.progress("import") as progress:
        progress("reading", 0.5)
        time.sleep(0.1)
    assert capsys.readouterr() == ("", "")


def test_a_fault_takes_the_bar_away(monkeypatch):
    terminal = terminal_of(monkeypatch)
    monkeypatch.setattr(console, "LONG", 0.0)
    with pytest.raises(ValueError, match="damaged"), console.progress("import"):
        time.sleep(0.2)
        raise ValueError("damaged")
    assert "import" in terminal.getvalue()
    assert terminal.getvalue().endswith("\x1b[2K")  # the line is empty again
