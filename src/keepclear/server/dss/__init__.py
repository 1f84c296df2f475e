"""The DSS over HTTP."""
