"""Power, detectable effects and sample sizes of trials whose arms are drawn for whole clusters; numbers in, numbers out."""
