# SPDX-License-Identifier: GPL-2.0-or-later
# change_abi.c
# A vCPU may have a second control block (XSA-188).
# hvm64 fifo
s/if (v->frame || offset/if ((v->frame \&\& ops != \&evtchn_abi_fifo) || offset/
