"""READ FIRST: the flow, wired on one page. Feeds become tracks, tracks meet zones and each other, news becomes alerts."""
