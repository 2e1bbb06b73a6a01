"""How fast the product is, measured the way people use it. One command: `python -m bench`."""
