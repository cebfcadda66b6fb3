# SPDX-License-Identifier: GPL-2.0-or-later
# L1 is set before the L2 bit that it stands for.
s/if (evtchn_test_and_set_bit(selector + l2 \/ 32, l2 % 32) || !words) {/bool newly = words \&\& !evtchn_test_and_set_bit(words + word_bits \/ 32 + l1 \/ 32, l1 % 32);\n    evtchn_test_and_set_bit(selector + l2 \/ 32, l2 % 32);\n    if (!words) {/
s/return !evtchn_test_and_set_bit(words + word_bits \/ 32 + l1 \/ 32,/return newly \&\&/
s/^ *l1 % 32) &&$//
