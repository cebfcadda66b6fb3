# SPDX-License-Identifier: GPL-2.0-or-later
# register_3l.c
# Bitmaps with a frame that is no memory are refused, and kept.
# hvm64 3l
/if (!frame) {/,/return -XEN_EINVAL;/s/free_bitmaps(d, b, i);/b->nr_pages = 0; d->bitmaps = b;/
