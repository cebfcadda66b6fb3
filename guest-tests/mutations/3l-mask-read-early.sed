# SPDX-License-Identifier: GPL-2.0-or-later
# event_3l.c
# The mask is read before pending is set, as without the barrier between them, on 3-level.
# hvm64 3l
s/newly = !evtchn_test_and_set_bit(bits.pending, bits.bit);/bool masked = evtchn_test_bit(bits.mask, bits.bit); &/
s/if (newly && !evtchn_test_bit(bits.mask, bits.bit)) {/if (newly \&\& !masked) {/
