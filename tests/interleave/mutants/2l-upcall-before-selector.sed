# SPDX-License-Identifier: GPL-2.0-or-later
# The vCPU is marked before its selector is set.
s/if (evtchn_test_and_set_bit(words + word_bits \/ 32 + bit \/ 32, bit % 32)) {/bool up = evtchn_mark_events_pending(words);\n    &/
s/return evtchn_mark_events_pending(words);/return up;/
