# SPDX-License-Identifier: GPL-2.0-or-later
# event_2l.c
# A 32-bit guest has the ports of a 64-bit one.
# pvh32 2l
s/return word_bits \* word_bits;/return word_bits ? 64 * 64 : 0;/
