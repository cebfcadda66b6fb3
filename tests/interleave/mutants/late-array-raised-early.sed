# SPDX-License-Identifier: GPL-2.0-or-later
# Events are raised before their page is there.
s/rc = evtchn_fifo_add_frame(d, array_gfn);/evtchn_quiesce(d);\n        evtchn_retry(d, first, first + WORDS_PER_FRAME);\n        &/
/^            evtchn_quiesce(d);$/d
/^            evtchn_retry(d, first, first + WORDS_PER_FRAME);$/d
