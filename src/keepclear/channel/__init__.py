"""A channel between parties who do not trust each other: one signed log a party, mirrored by the others.

It carries opaque bodies with a kind and knows nothing of traffic, so that it can be audited alone
(docs/explanation/channel.md).
"""
