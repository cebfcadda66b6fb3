# SPDX-License-Identifier: GPL-2.0-or-later
# fifo_control.c
# A vCPU may have a second control block (XSA-188).
# hvm64 fifo
s/if (!v->frame && !d->bitmaps) {/if (!d->bitmaps) {/
