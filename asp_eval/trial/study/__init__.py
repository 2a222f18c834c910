"""The study as declared: arms, strata, waves, outcomes, analysis plan, privacy rule."""
