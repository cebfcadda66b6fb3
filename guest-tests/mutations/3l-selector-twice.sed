# SPDX-License-Identifier: GPL-2.0-or-later
# change_abi.c
# A vCPU may have a second L2 selector (XSA-188).
# hvm64 3l
s/if (v->frame || offset/if ((v->frame \&\& ops != \&evtchn_abi_3l) || offset/
