"""Who may decide by which rule: bodies, rules, stances, and what they amount to."""
