"""Driving from a map of one's own making: mapping, localisation, paths, and following them."""
