"""`make faults`: steady traffic both ways through a whole installation, while parts of it fail by chance, then a count.

Read in this order: `plant` (what runs), `catalogue` (what can happen to it), `schedule` (what happens when), `traffic`
(who writes), `ledger` (what was sent and what arrived), `verdict` (which promises were kept), `report`.
"""
