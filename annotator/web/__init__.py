"""The pages: one module per screen, each a thin door to a use case in `flow`."""
