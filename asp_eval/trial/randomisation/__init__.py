"""The lot: a declared scheme, the draw under it, and all the draws that could have come instead."""
