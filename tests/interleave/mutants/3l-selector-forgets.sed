# SPDX-License-Identifier: GPL-2.0-or-later
# Events from before their vCPU's selector are not raised when it comes.
s/evtchn_3l_reselect(d, v);/&\n    goto done;/
s/^    rc = 0;$/ done:\n&/
