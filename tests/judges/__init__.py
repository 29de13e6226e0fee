"""Judgement by software of others: suites, mock servers and testers, run by ``make judges``."""
