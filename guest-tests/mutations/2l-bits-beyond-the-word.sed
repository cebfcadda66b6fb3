# SPDX-License-Identifier: GPL-2.0-or-later
# event_2l.c
# Ports that a guest cannot have since it has 32-bit words go on, into its mask.
# hvm64 2l
s/port >= word_bits \* word_bits/port >= 64 * 64/
