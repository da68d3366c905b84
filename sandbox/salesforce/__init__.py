"""A Salesforce-like world: one org in memory behind the vendor's REST API, SOQL and OAuth."""

from .habits import Habits
from .oauth import ConnectedApp
from .org import LEAD_STATUSES
from .world import SalesforceWorld

__all__ = ["LEAD_STATUSES", "ConnectedApp", "Habits", "SalesforceWorld"]
