"""`make bench`: how fast the product is, beside the same hops without logic and beside what a team would write instead.

All run in one run on one machine with the same private servers and the same no-work providers, in turns; what counts
are the ratios. docs/performance.md says what each figure means.
"""
