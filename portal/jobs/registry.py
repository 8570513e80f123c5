"""Definitions of jobs, for whoever registers one."""

from __future__ import annotations

from portal.core.jobs import Job, JobCancelled, JobContext, Schedule

__all__ = ["Job", "JobCancelled", "JobContext", "Schedule"]
