# SPDX-License-Identifier: Apache-2.0
"""Making models: synthesise -> train -> evaluate. The appliance never imports this package."""
