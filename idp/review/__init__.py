# SPDX-License-Identifier: Apache-2.0
"""The review room: doubtful documents go to a Label Studio, what people correct comes back."""
