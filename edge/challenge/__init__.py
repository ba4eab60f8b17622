"""The challenge test: known test items go through the running line, and the box must be right.

:mod:`~edge.challenge.control` is the service's part, which also says when a test is due and what is
quarantined; :mod:`~edge.challenge.course` is one test that runs, and
:mod:`~edge.challenge.state` what outlives it. Whoever guides a person, the terminal
(:mod:`~edge.challenge.guide`) or a page, speaks to the service by :mod:`~edge.challenge.link`.
"""
