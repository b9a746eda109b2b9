"""dockerd's own settings: what it runs with, who says so, and the plan that changes it."""
