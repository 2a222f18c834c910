"""Effects by whom they are averages over: participants, or clusters; whatever the cluster sizes have to do with the effect."""
