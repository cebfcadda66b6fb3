# SPDX-License-Identifier: GPL-2.0-or-later
# event_2l.c
# The mask is read before pending is set, as when a write waits for its cache line, on 2-level.
# hvm64 2l
s/^        \*newly_pending = !evtchn_test_and_set_bit(bits.pending, bits.bit);$/        bool masked = evtchn_test_bit(bits.mask, bits.bit);\n        for (volatile int n = 0; n < 50; n++) {}\n&/
s/^              !evtchn_test_bit(bits.mask, bits.bit);$/              !masked;/
