# SPDX-License-Identifier: GPL-2.0-or-later
# port.c
# A 32-bit guest has the ports of a 64-bit one.
# pvh32 2l
s/limit = word_bits \* word_bits;/limit = 64 * 64;/
