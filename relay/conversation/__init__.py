"""The parts of a conversation: lanes, outcomes, delivery reports, presence."""
