"""What the likelihood and all inference are made of: log |V| and [X y]'V^-1[X y] as functions of D."""

from __future__ import annotations

from typing import NamedTuple

from asp_eval.stats.estimate import Array


class Profile(NamedTuple):
    """The two functions of D that the likelihood and all inference are made of, with derivatives.

    Attributes
    ----------
    log_det : float
        log |W^(1/2) V W^(1/2)|.
    log_det_1, log_det_2 : ndarray (s,), (s, s)
    S : ndarray (p + 1, p + 1)
        [X y]'V^-1[X y].
    S_1, S_2 : ndarray (s, p + 1, p + 1), (s, s, p + 1, p + 1)
    """

    log_det: float
    log_det_1: Array
    log_det_2: Array
    S: Array
    S_1: Array
    S_2: Array
