# SPDX-License-Identifier: GPL-2.0-or-later
# port.c
# A 3-level guest has the ports of a 2-level one.
# hvm64 3l
s/limit = evtchn_3l_limit(d);/limit = word_bits * word_bits;/
