"""What an experiment kills: the portal's pages on DATA_DIR and DATABASE_URL of the environment, without form tokens."""

from __future__ import annotations

import os
from pathlib import Path

from portal.app import create_app
from tests.conftest import settings_for

application = create_app(
    **settings_for(Path(os.environ["DATA_DIR"]), os.environ["DATABASE_URL"], TESTING=False, JOBS_IMMEDIATE=False)
)
