# SPDX-License-Identifier: GPL-2.0-or-later
# A sender that has the lock compares the other end, but not the binding.
s/\(!\|= \)evtchn_is_still(chn, seen)/\1(evtchn_load(\&chn->number) == seen.number \&\& evtchn_load(\&chn->remote) == seen.remote)/
