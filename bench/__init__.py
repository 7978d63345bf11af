"""How fast the back office is, next to hand-written SQL behind a bare Flask page."""
