"""Outreach: whom a campaign or a reminder may call, when, and how often; and how people come in from files.

Pure rules, and ports with their sides in memory. Nothing here is imported before somebody uses a campaign.
"""
