# SPDX-License-Identifier: GPL-2.0-or-later
# A back end hears of a port that it has closed.
s/bool ok = evtchn_is_still(chn, seen);/bool ok = true;/
