# SPDX-License-Identifier: GPL-2.0-or-later
# A port that has just been put on another queue is taken for one of the old queue.
s/ok = evtchn_is_still(chn, seen) && chn->lastq == lastq;/ok = evtchn_is_still(chn, seen);/
