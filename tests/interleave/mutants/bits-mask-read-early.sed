# SPDX-License-Identifier: GPL-2.0-or-later
# The mask is read before PENDING is set.
s/newly = !evtchn_test_and_set_bit(bits.pending, bits.bit);/bool masked = evtchn_test_bit(bits.mask, bits.bit); &/
s/if (newly && !evtchn_test_bit(bits.mask, bits.bit)) {/if (newly \&\& !masked) {/
