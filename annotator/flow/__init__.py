"""Use cases in the order of the work; the only place that queries the database."""
