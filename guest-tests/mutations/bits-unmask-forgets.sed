# SPDX-License-Identifier: GPL-2.0-or-later
# event_2l.c
# Unmasking does not signal an event that is pending.
# hvm64 2l
/due = evtchn_test_and_clear_bit(bits.mask/,/;/s/evtchn_test_bit(bits.pending, bits.bit);/false;/
