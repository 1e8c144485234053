# SPDX-License-Identifier: Apache-2.0
from . import models  # noqa: F401 - Odoo finds the models so
