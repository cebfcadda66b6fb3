# SPDX-License-Identifier: GPL-2.0-or-later
# register_3l.c
# A guest may hand over its 3-level bitmaps a second time.
# hvm64 3l
s/if (!evtchn_abi_is_extended(d->abi) &&$/if (/
