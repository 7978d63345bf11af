"""adminsite: a back office for a go-links service."""
