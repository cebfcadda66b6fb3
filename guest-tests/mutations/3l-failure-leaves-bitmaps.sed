# SPDX-License-Identifier: GPL-2.0-or-later
# register_3l.c
# Bitmaps with a frame that is no memory are refused, and kept.
# hvm64 3l
s/^    rc = map_bitmaps(d, b, gfns, nr_pages);$/    d->bitmaps = b;\n    evtchn_store(\&d->abi, EVTCHN_ABI_3L);\n&/
/if (!frame) {/,/return -XEN_EINVAL;/s/unmap_bitmaps(d, b, i, nr_pages);//
