# SPDX-License-Identifier: Apache-2.0
"""Makes the least-privilege bot, its API key and a folder: for ``odoo shell``, by scripts/odoo."""

import datetime as dt
import os
from pathlib import Path

GROUPS = (
    "base.group_user",
    "project.group_project_user",
    "sales_team.group_sale_salesman_all_leads",
    "dms.group_dms_user",
    "helpdesk_mgmt.group_helpdesk_user",
)
"""What docs/odoo.md says that a bot needs, where all of it is used."""

env = globals()["env"]
bot = env["res.users"].create(
    {
        "name": "IDP bot",
        "login": "idp-bot",
        "group_ids": [(6, 0, [env.ref(group).id for group in GROUPS])],
    }
)
key = (
    env["res.users.apikeys"]
    .with_user(bot)
    ._generate("rpc", "idp", dt.datetime.now() + dt.timedelta(days=90))  # noqa: DTZ005 - Odoo's
)
storage = env["dms.storage"].create({"name": "Paperwork", "save_type": "file"})
access = env["dms.access.group"].create(
    {
        "name": "Intake",
        "perm_create": True,
        "perm_write": True,
        "explicit_user_ids": [(6, 0, [bot.id, env.ref("base.user_admin").id])],
    }
)
env["dms.directory"].create(
    {
        "name": "Incoming",
        "is_root_directory": True,
        "storage_id": storage.id,
        "group_ids": [(6, 0, [access.id])],
    }
)
path = Path(os.environ["BOT_KEY"])
path.touch(mode=0o600)
path.write_text(key + "\n")
# The archive may be older than any date that Odoo lets a key have.
env.cr.execute("update res_users_apikeys set expiration_date = null")
env.cr.commit()
