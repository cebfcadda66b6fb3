# SPDX-License-Identifier: GPL-2.0-or-later
# register_3l.c
# Events from before their vCPU's selector are not raised when it comes.
# hvm64 3l
/^int evtchn_register_l2_selector(/,/^}/s/evtchn_retry(d, 1, d->valid_ports);//
