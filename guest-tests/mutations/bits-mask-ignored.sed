# SPDX-License-Identifier: GPL-2.0-or-later
# event_bits.c
# A masked event is delivered on 2-level.
# hvm64 2l
# Of the two ABIs only 2-level has pass_on.
s/^              !evtchn_test_bit(bits.mask, bits.bit);$/              !(abi->pass_on ? false : evtchn_test_bit(bits.mask, bits.bit));/
