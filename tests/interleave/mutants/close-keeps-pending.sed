# SPDX-License-Identifier: GPL-2.0-or-later
# The event of a closed port is left to the next binding of its number.
/->clear_pending(d, port);/d
