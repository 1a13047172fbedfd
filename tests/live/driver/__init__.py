# SPDX-License-Identifier: MIT
"""What the live tests share: interpreters, targets, pystoker itself, and results."""
