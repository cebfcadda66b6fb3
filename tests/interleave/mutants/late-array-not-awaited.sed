# SPDX-License-Identifier: GPL-2.0-or-later
# Nobody waits for senders that have not seen the page.
/evtchn_quiesce(d);/d
