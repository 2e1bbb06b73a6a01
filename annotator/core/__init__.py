"""Pure values and rules: no database, web, network, clock or open files."""
