"""Slides of a module, made from its notebook and its trainer's sheet."""
