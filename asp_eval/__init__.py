"""Evaluation of cluster-randomised trials in daycare and education.

The public names stand in ``__init__.pyi``, each with the room it lives in, and are loaded when first used: importing
the package stays fast.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
