# SPDX-License-Identifier: GPL-2.0-or-later
# What was set aside for a closed port is left to the next binding of its number.
/evtchn_store(&chn->retry, 0);/d
