"""What actors are made of: the base class, their commands, alarms, and what they are given."""
