# SPDX-License-Identifier: GPL-2.0-or-later
# L1 is set before the L2 bit that it stands for.
s/if (evtchn_test_and_set_bit(selector + l2 \/ 32, l2 % 32) || !words) {/bool up = words \&\& evtchn_select_and_mark(words, word_bits, l1);\n    &/
s/return evtchn_select_and_mark(words, word_bits, l1);/return up;/
