"""The printing room: results become words, figures and pages. Nothing is estimated here."""
