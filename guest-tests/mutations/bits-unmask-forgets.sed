# SPDX-License-Identifier: GPL-2.0-or-later
# event_2l.c
# Unmasking does not signal an event that is pending.
# hvm64 2l
s/^        evtchn_test_bit(bits.pending, bits.bit)) {$/        false) {/
