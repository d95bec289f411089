"""Keeping calendars and task lists in step with the CRM: observe, plan, guard, execute, confirm."""
