# SPDX-License-Identifier: GPL-2.0-or-later
# Words that 2-level had selected are not selected again in L1.
/evtchn_3l_select_l1(d, v);/d
