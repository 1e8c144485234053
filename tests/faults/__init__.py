# SPDX-License-Identifier: Apache-2.0
"""What happens when things break: killed, full, unplugged, hostile."""
