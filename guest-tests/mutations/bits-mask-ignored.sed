# SPDX-License-Identifier: GPL-2.0-or-later
# event_2l.c
# A masked event is delivered on 2-level.
# hvm64 2l
s/^              !evtchn_test_bit(bits.mask, bits.bit);$/              true;/
