"""A HubSpot-like portal: contacts, lifecycle stages, search and batches, with the vendor's habits."""

from __future__ import annotations

from .habits import Habits
from .oauth import OAuthApp
from .world import HubSpotWorld

__all__ = ["Habits", "HubSpotWorld", "OAuthApp"]
