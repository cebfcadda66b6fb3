# SPDX-License-Identifier: GPL-2.0-or-later
# The upcall flag is looked at before HEAD and READY are set.
s/evtchn_store(&control->head\[priority\], port);/bool set = info \&\& evtchn_load(info);\n    &/
s/^           evtchn_mark_events_pending(info);/           !set \&\& evtchn_mark_events_pending(info);/
