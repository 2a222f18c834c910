"""Who is lost between the draw and the end: clusters, and individuals of the clusters that stay, alike or by arm."""

from __future__ import annotations

from dataclasses import dataclass

from asp_eval.stats.power.nested_design import check_shares
from asp_eval.stats.power.values import Values, single


@dataclass(frozen=True, slots=True, eq=False)
class ByArm:
    """A share that differs between the arms.

    Attributes
    ----------
    control, treated : float
    """

    control: Values
    treated: Values


@dataclass(frozen=True, slots=True, eq=False)
class Losses:
    """Attrition, as shares between 0 and 1.

    Attributes
    ----------
    clusters : float or ByArm
        Randomised units lost. Where individuals are drawn by lot, they are these units.
    individuals : float or ByArm
        Individuals lost in the clusters that stay.
    """

    clusters: Values | ByArm = 0.0
    individuals: Values | ByArm = 0.0

    def of_clusters(self, treated: bool) -> float:
        """Return the share of randomised units lost in an arm."""
        return _share("clusters lost", self.clusters, treated)

    def of_individuals(self, treated: bool) -> float:
        """Return the share of individuals lost in the clusters that stay in an arm."""
        return _share("individuals lost", self.individuals, treated)

    def __str__(self) -> str:
        pairs = {
            "clusters": (self.of_clusters(False), self.of_clusters(True)),
            "individuals": (self.of_individuals(False), self.of_individuals(True)),
        }
        said = [
            f"{a:.3g} of the {name}" if a == b else f"{a:.3g} (control) and {b:.3g} (treated) of the {name}"
            for name, (a, b) in pairs.items()
            if a or b
        ]
        return f"lost at random: {'; '.join(said)}" if said else "nobody is lost"


def _share(name: str, value: Values | ByArm, treated: bool) -> float:
    """Return the share lost in an arm; all cannot be lost."""
    lost = single((value.treated if treated else value.control) if isinstance(value, ByArm) else value, name)
    check_shares(**{name: lost})
    return lost
