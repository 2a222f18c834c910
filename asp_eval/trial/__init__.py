"""What was planned and what was observed: institutions, children, waves, arms. No likelihoods."""
