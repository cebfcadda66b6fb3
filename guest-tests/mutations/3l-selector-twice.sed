# SPDX-License-Identifier: GPL-2.0-or-later
# register_3l.c
# A vCPU may have a second L2 selector (XSA-188).
# hvm64 3l
s/if (!v->frame &&$/if (/
