# SPDX-License-Identifier: GPL-2.0-or-later
# The mask is read before PENDING is set.
s/\*newly_pending = !evtchn_test_and_set_bit(bits.pending, bits.bit);/bool masked = evtchn_test_bit(bits.mask, bits.bit);\n        &/
/due = (\*newly_pending || retry & EVTCHN_RETRY_LINK) &&/ {
    n
    s/!evtchn_test_bit(bits.mask, bits.bit);/!masked;/
}
