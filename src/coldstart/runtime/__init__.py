"""Runs functions the way AWS Lambda does: a process for each execution environment, under a real Runtime API.

This floor knows nothing of moto, of lessons or of who calls a function; ``coldstart.cloud`` calls it.
The way in is :class:`coldstart.runtime.function.Function`.
"""
