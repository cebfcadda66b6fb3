# SPDX-License-Identifier: GPL-2.0-or-later
# The vCPU is marked before HEAD and READY are set.
s/evtchn_store(&control->head\[priority\], port);/bool up = evtchn_mark_events_pending(info);\n    &/
s/^           evtchn_mark_events_pending(info);/           up;/
