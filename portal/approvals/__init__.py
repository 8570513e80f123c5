"""Approvals (审批): one engine for every decision; kinds of request are registered by modules and plugins."""
