"""Who may decide what, by which rule, and what follows from it: bodies, rules, positions and outcomes.

Every outcome is a pure function of what was written: the body, its rule, and each member's position.
"""
