# SPDX-License-Identifier: GPL-2.0-or-later
# BUSY is left behind when there was nothing to link to after all.
/^    evtchn_fetch_and(word, ~BUSY);/d
