# SPDX-License-Identifier: GPL-2.0-or-later
# register_3l.c
# Events from before their vCPU's selector are not raised when it comes.
# hvm64 3l
s/evtchn_3l_reselect(d, v);/&\n    goto done;/
s/^    rc = 0;$/ done:\n&/
