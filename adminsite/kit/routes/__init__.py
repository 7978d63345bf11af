"""What each route of a `ResourceView` answers: as a page, as a fragment, or as JSON."""
