"""Institutions, staff and children: who is where, and who rates whom, at each wave. Nothing here depends on the draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asp_eval.core.randomness import stream
from asp_eval.synthetic import population as pop
from asp_eval.synthetic.calibration import Array, years_since_start

Indices = NDArray[np.int64]

HOUSES = ("Institution", "Børnehuset", "Institution", "Børnehaven", "Institution", "Børnegården")  # plainly generic


@dataclass(frozen=True, slots=True, eq=False)
class Institutions:
    """The institutions, those of a municipality together.

    Attributes
    ----------
    ids : tuple of str
        Three digits, leading zeros kept: the institution's number in the pool it was drawn from.
    municipality : array (n,)
        Position in `population.MUNICIPALITIES`.
    sizes : array (n,)
        Children aged three to six on the list at the start.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    municipality: Indices
    sizes: Indices

    @property
    def raters(self) -> Indices:
        """Raters an institution has at any time, (n,)."""
        return np.maximum(3, np.rint(self.sizes / pop.CHILDREN_PER_RATER).astype(np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class Staff:
    """Everyone who rates at some wave.

    Attributes
    ----------
    ids : tuple of str
    institution : array (m,)
    at_start : array (m,) of bool
        Employed at the first wave.
    """

    ids: tuple[str, ...]
    institution: Indices
    at_start: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Children:
    """Everyone who is on an institution's list at some wave.

    Attributes
    ----------
    ids : tuple of str
        Five digits.
    institution, rater : array (3, n)
        At each wave, as positions; meaningless before the wave at which a child joined.
    joined : array (n,)
        Wave at which the child came: 0, 1 or 2.
    age : array (3, n)
        Years, at the middle of each wave.
    months : array (n,)
        Age in months at the middle of the first wave.
    boy : array (n,) of bool
    education : array (n,)
        The mother's, as position in `population.EDUCATION`.
    """

    ids: tuple[str, ...]
    institution: Indices
    rater: Indices
    joined: Indices
    age: Array
    months: Indices
    boy: NDArray[np.bool_]
    education: Indices

    @property
    def drawn(self) -> Indices:
        """The institution each child belongs to for ever: its first, (n,)."""
        return np.asarray(np.take_along_axis(self.institution, self.joined[None, :], axis=0)[0])


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Institutions, their staff and their children."""

    institutions: Institutions
    staff: Staff
    children: Children


def draw_institutions(seed: int, blocks: int = 1) -> Institutions:
    """Draw the institutions from the pool.

    Parameters
    ----------
    seed : int
    blocks : int
        How many times the trial's number of institutions: 1 for the demo, more for population values.
    """
    rng = stream(seed, "synthetic", "institutions")
    counts = [blocks * count for _, count in pop.MUNICIPALITIES]
    total = sum(counts)
    numbers = rng.choice(blocks * pop.POOL, size=total, replace=False) + 1
    shape = (pop.CHILDREN_PER_INSTITUTION / pop.SIZE_SD) ** 2
    drawn = rng.gamma(shape, pop.CHILDREN_PER_INSTITUTION / shape, size=total)
    sizes = np.rint(np.clip(drawn * (pop.CHILDREN_PER_INSTITUTION / drawn.mean()), pop.SMALLEST, pop.LARGEST))
    names = tuple(f"{HOUSES[number % len(HOUSES)]} {number:02d}" for number in numbers)
    ids = tuple(f"{number:03d}" for number in numbers)
    return Institutions(ids, names, np.repeat(np.arange(len(counts)), counts), sizes.astype(np.int64))


def draw_people(seed: int, institutions: Institutions) -> People:
    """Draw staff and children of `institutions`, with movers, joiners and changes of rater."""
    occupants, staff = _draw_staff(seed, institutions)
    return People(institutions, staff, _draw_children(seed, institutions, occupants))


def _draw_staff(seed: int, institutions: Institutions) -> tuple[Indices, Staff]:
    """Staff, and who holds each post at each wave: (3, posts). A post is a group of children with its rater."""
    rng = stream(seed, "synthetic", "staff")
    home = np.repeat(np.arange(len(institutions.ids)), institutions.raters)
    holder = np.arange(len(home))
    occupants, homes = [holder], [home]
    for wave in pop.WAVES[1:]:
        left = np.flatnonzero(rng.random(len(home)) < wave.rater_left)
        holder = holder.copy()
        holder[left] = sum(len(part) for part in homes) + np.arange(len(left))
        occupants.append(holder)
        homes.append(home[left])
    institution = np.concatenate(homes)
    numbers = rng.permutation(len(institution)) + 1
    ids = tuple(f"P{number:04d}" for number in numbers)
    return np.stack(occupants), Staff(ids, institution, np.arange(len(institution)) < len(home))


def _draw_children(seed: int, institutions: Institutions, occupants: Indices) -> Children:
    rng = stream(seed, "synthetic", "children")
    home, joined, months = _arrivals(rng, institutions)
    total = len(home)
    posts = institutions.raters
    first_post = np.cumsum(posts) - posts
    post = first_post[home] + rng.integers(0, posts[home])
    where, rater = [home], [occupants[0][post]]
    for position, wave in enumerate(pop.WAVES[1:], start=1):
        moves = (rng.random(total) < wave.moved) & (joined < position)
        home = np.where(moves, _elsewhere(rng, home, institutions.municipality), home)
        regrouped = moves | (rng.random(total) < wave.new_group)
        post = np.where(regrouped, first_post[home] + rng.integers(0, posts[home]), post)
        where.append(home)
        rater.append(occupants[position][post])
    numbers = rng.permutation(total) + 1
    age = np.stack([months / 12 + years_since_start(wave.middle) for wave in pop.WAVES])
    boy = rng.random(total) < pop.BOYS
    education = rng.choice(len(pop.EDUCATION), size=total, p=pop.EDUCATION_SHARES)
    ids = tuple(f"{number:05d}" for number in numbers)
    return Children(ids, np.stack(where), np.stack(rater), joined, age, months, boy, education)


def _arrivals(rng: np.random.Generator, institutions: Institutions) -> tuple[Indices, Indices, Indices]:
    """Institution, wave and age in months (at the start) of everyone who is ever on a list; newcomers are three to five."""
    homes, waves, months = [], [], []
    for position, wave in enumerate(pop.WAVES):
        sizes = institutions.sizes if position == 0 else rng.binomial(institutions.sizes, wave.joined)
        home = np.repeat(np.arange(len(sizes)), sizes)
        since = round(12 * years_since_start(wave.middle))
        youngest, oldest = (pop.YOUNGEST_MONTHS, pop.OLDEST_MONTHS) if position == 0 else (36 - since, 60 - since)
        homes.append(home)
        waves.append(np.full(len(home), position))
        months.append(rng.integers(youngest, oldest + 1, size=len(home)))
    return np.concatenate(homes), np.concatenate(waves), np.concatenate(months)


def _elsewhere(rng: np.random.Generator, home: Indices, municipality: Indices) -> Indices:
    """Another institution of the same municipality, for each child."""
    count = np.bincount(municipality)
    start = (np.cumsum(count) - count)[municipality[home]]
    count = count[municipality[home]]
    return start + (home - start + 1 + rng.integers(0, count - 1)) % count
