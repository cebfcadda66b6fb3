# SPDX-License-Identifier: GPL-2.0-or-later
# A sender that has the lock compares the binding, but not the other end's domain.
/#include "delivery.h"/a #define evtchn_is_still(chn, seen) (evtchn_load(&(chn)->binding) == (seen).binding && evtchn_load(&(chn)->number) == (seen).number)
