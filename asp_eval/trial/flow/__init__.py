"""Who was there: participant flow and attrition, as counts. No model."""
