"""Incidents are told one at a time, until they are written down, and never without bound."""

from edge.gate.incidents import BEYOND, KEPT, Incidents


def test_an_incident_is_told_until_it_is_recorded() -> None:
    """One at a time; a lost eye's is told again; an answer for another number does nothing."""
    incidents = Incidents()
    for tag in (1, 2):
        incidents.add("thrown", tag, tag * 10, "why")
    first = incidents.next_report()
    assert first is not None
    assert (first.number, first.tag) == (1, 1)
    assert incidents.next_report() is None
    incidents.recorded(2)
    incidents.take_back()
    assert incidents.next_report() == first
    incidents.recorded(1)
    second = incidents.next_report()
    assert second is not None
    assert (second.number, second.tag) == (2, 2)
    incidents.recorded(2)
    assert (incidents.next_report(), incidents.waiting) == (None, [])


def test_of_too_many_one_says_that_there_were_more() -> None:
    """Once; when there is room again, each is kept again."""
    incidents = Incidents()
    for tag in range(1, KEPT + 100):
        incidents.add("thrown", tag, 0, "why")
    assert len(incidents.waiting) == KEPT + 1
    last = incidents.take_all()[-1]
    assert (last.what, last.tag, last.why) == ("more", 0, BEYOND)
    incidents.add("thrown", 7, 0, "why")
    assert [incident.number for incident in incidents.take_all()] == [KEPT + 2]
